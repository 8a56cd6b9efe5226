"""What the doctor finds in a bot: for its own command, and for `init` once it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...customer import SlotNames
from ...outcomes import SettingsError
from ...settings import PS7Settings
from ..bot import sources as bots
from ..findings import Finding, Section
from ..variables import load
from . import channels, judge, server, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..bot.sources import Sources


def check(
    sources: Sources,
    folder: Path = Path(),
    *,
    alone: bool = True,
    ask_server: bool = False,
    names: Mapping[str, str] | None = None,
) -> Section:
    """Check a bot; alone: also its .env and the settings about slots, else found elsewhere.

    names: what the bot calls the plugin's slots, if not what PS7_SLOT_NAMES says here.
    """
    found: list[Finding] = list(settings.check_file(folder)) if alone else []
    try:
        about = load()
    except SettingsError as failure:
        about = PS7Settings.model_construct()
        found += settings.faults(failure) if alone else ()
    names = about.slot_names if names is None else names
    said, bot = bots.read(sources)
    found += said
    if bot is None:
        return Section("Bot", found, "bot")
    found += judge.check_slots(bot, names, about.clear_slots)
    found += judge.check_runs(bot)
    found += judge.check_dialogue(bot, SlotNames(names).among(bot.slots))
    if "max_age" in about.model_fields_set:
        found += judge.check_session(bot, about.max_age)
    credentials = sources.get("credentials")
    beside = credentials[0].parent if credentials else None
    found += channels.check(bot, about.metadata_keys, beside)
    found += server.check(bot) if ask_server else ()
    return Section("Bot", found)
