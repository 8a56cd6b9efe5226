"""Which checks are made, in which order, and what each is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import clock
from ...errors import SettingsError
from ...settings import PS7Settings, SlotSettings
from ...slots import SlotNames
from . import bot, connection, dialogue, network, rasa, settings, slots
from .report import Finding, Section

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def sections(sources: bot.Sources, options: argparse.Namespace) -> Iterator[Section]:
    """Make every check that was asked for."""
    if not options.only_bot:
        read = None
        try:
            read = PS7Settings.load()
            found = [*settings.check(read), *connection.check_files(read, clock.utc_now())]
        except SettingsError as failure:
            found = list(settings.faults(failure))
        yield Section("Settings", [*found, *settings.check_variables(options.bot)])
        if not options.offline:
            yield network.check(read) if read is not None else Section("Network", [], "ps7")
    if of_rasa := list(rasa.check(options.rasa_python)):
        yield Section("Rasa", of_rasa)
    if sources or options.bot is not None:
        yield of_bot(sources, complain=options.only_bot)


def of_bot(sources: bot.Sources, *, complain: bool) -> Section:
    """Check a bot. Settings about slots that cannot be used are named once."""
    found: list[Finding] = []
    try:
        about = SlotSettings.load()
    except SettingsError as failure:
        about = SlotSettings.model_construct()
        found += settings.faults(failure) if complain else ()
    said, files = bot.read(sources)
    found += said
    if files is None:
        return Section("Bot", found, "bot")
    found += slots.check(files, about.slot_names, about.clear_slots)
    found += slots.check_runs(files)
    found += dialogue.check(files, SlotNames(about.slot_names).among(files.slots))
    found += dialogue.check_channels(files, about.metadata_keys)
    return Section("Bot", found)
