"""One visit of the doctor: which checks are made, in which order, and with what."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ... import clock
from ...errors import SettingsError
from ...settings import SECRETS_DIR, PS7Settings, SlotSettings
from ...slot_names import SlotNames
from . import (
    advice,
    bot_files,
    calm,
    certificates,
    naming,
    network,
    responses,
    running,
    slots,
    training,
    variables,
)
from .report import Report, Section

if TYPE_CHECKING:
    from .bot_files import Sources
    from .finding import Finding


@dataclass(frozen=True)
class Order:
    """What is to be looked at."""

    sources: Sources | None
    """The files of a bot, if there is one to look at."""
    folder: Path | None = None
    """The bot's folder, where it has one."""
    settings: bool = True
    network: bool = True


def visit(order: Order) -> Report:
    """Make every check that was ordered."""
    report = Report()
    settings: PS7Settings | None = None
    if order.settings:
        section, settings = _settings(order.folder)
        report.sections.append(section)
    if order.network:
        report.sections.append(_network(settings))
    if order.sources is not None:
        report.sections.append(_bot(order.sources, complain=not order.settings))
    return report


def _settings(bot: Path | None) -> tuple[Section, PS7Settings | None]:
    """Read the settings as the action server does, in the folder where this process runs."""
    folder = os.environ.get(SECRETS_DIR)
    names = variables.check(
        os.environ,
        variables.in_file(Path()),
        variables.in_secrets(Path(folder) if folder else None),
    )
    if bot is not None:
        names += variables.elsewhere(bot, Path())
    try:
        settings = PS7Settings.load()
    except SettingsError as failure:
        return Section("Settings", [*advice.faults(failure), *names]), None
    own = certificates.files(settings, clock.utc_now())
    return Section("Settings", [*advice.check(settings), *names, *own]), settings


def _network(settings: PS7Settings | None) -> Section:
    if settings is None:
        return Section("Network", not_reached=["dns", "tcp", "tls", "ps7"])
    return Section("Network", *network.examine(settings))


def _bot(sources: Sources, *, complain: bool) -> Section:
    """Check a bot. Settings about slots that cannot be used are named once."""
    renames, to_clear = {}, []
    found: list[Finding] = []
    try:
        about_slots = SlotSettings.load()
    except SettingsError as failure:
        found += advice.faults(failure) if complain else []
    else:
        renames, to_clear = about_slots.slot_names, about_slots.clear_slots
    read, bot = bot_files.read(sources)
    found += read
    if bot is None:
        return Section("Bot", found, ["bot"])
    names = SlotNames(renames)
    found += slots.check(bot, names)
    found += naming.check(bot, renames, to_clear)
    found += running.check(bot)
    found += training.check(bot, names)
    found += responses.check(bot, names)
    found += calm.check(bot, names)
    return Section("Bot", found)
