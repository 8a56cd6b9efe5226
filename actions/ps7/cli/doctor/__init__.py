"""`rasa-ps7 doctor`: findings from one real lookup, from the settings, and from a bot's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ... import clock
from ...customer import SlotNames
from ...outcomes import SettingsError
from ...settings import PS7Settings, SlotSettings
from ..arguments import HelpText, add_command, add_json
from ..output import CommandError, Output
from .report import Finding, Report, Section

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from .bot import Sources

_HELP = HelpText(
    about="find what is wrong with settings, network or bot, and say what to do",
    details="""\
Check the settings, read as the action server reads them (environment, .env in this folder, secret
files); PS7, by one lookup of a contextId that it cannot know: the network, the proxy, TLS and
certificates, the token endpoint, the credentials, and the clock. With --bot or --domain, what a bot
makes of the plugin, and whether the action server of its endpoints.yml runs and has it. And what
stands beside Rasa Open Source: in the environment of this command, or in that of --rasa-python.

The exit code is 0 without an error and 1 with one; with --strict, a warning counts too.
""",
    examples={
        "doctor": "settings and network",
        "doctor --bot .": "and the bot in this folder",
        "doctor --bot . --only-bot --strict": "only the bot, in CI, without settings",
        "doctor --bot . --only-bot --strict --allow max-age": "but for one warning",
        "doctor --rasa-python .venv/bin/python": "and the environment that has Rasa",
        "doctor --domain domain --data data --config config.yml": "a bot of files that lie apart",
    },
)
_FILES = {
    "domain": "a domain file, or a folder of them; may be given several times",
    "data": "a file of rules, stories or flows, or a folder of them; may be given several times",
    "config": "the bot's config.yml",
    "endpoints": "the bot's endpoints.yml",
    "credentials": "the bot's credentials.yml",
}
"""What can be named beside a bot's folder, and in place of what is found there."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "doctor", run, _HELP)
    add = parser.add_argument
    bot = parser.add_argument_group("a bot to look at")
    bot.add_argument("--bot", type=Path, metavar="FOLDER", help="its folder, as Rasa lays it out")
    for kind, what in _FILES.items():
        bot.add_argument(f"--{kind}", type=Path, action="append", metavar="PATH", help=what)
    add("--rasa-python", metavar="PATH", help="the interpreter that has Rasa Open Source")
    add("--offline", action="store_true", help="leave the network out")
    add("--only-bot", action="store_true", help="leave settings and network out")
    add("--strict", action="store_true", help="let warnings count as errors")
    add(
        "--allow",
        action="append",
        default=[],
        metavar="ID",
        help="the name of a finding (in brackets) that does not count; may be given several times",
    )
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Make the checks, write what they found, and return the exit code."""
    from . import bot  # other commands do not wait for all of it

    if options.bot is not None and not options.bot.is_dir():
        raise CommandError(f"{options.bot} is no folder: --bot takes that of a bot")
    sources = {} if options.bot is None else bot.in_folder(options.bot)
    sources |= {kind: paths for kind in _FILES if (paths := getattr(options, kind))}
    if options.only_bot and options.bot is None and not sources:
        raise CommandError("--only-bot needs --bot or --domain: there is no bot to look at")
    out = Output()
    with out.progress("Looking"):
        report = Report(list(sections(sources, options)), frozenset(options.allow))
    if options.json:
        out.json(report.as_json(strict=options.strict))
    else:
        report.write(out)
    return 0 if report.passes(strict=options.strict) else 1


def sections(sources: Sources, options: argparse.Namespace) -> Iterator[Section]:
    """Make every check that was asked for, in order."""
    from . import connection, network, settings

    folder = options.bot or Path()
    if not options.only_bot:
        read = None
        try:
            read = PS7Settings.load()
            found = [*settings.check(read), *connection.check_files(read, clock.utc_now())]
        except SettingsError as failure:
            found = list(settings.faults(failure))
        found += [*settings.check_variables(options.bot), *settings.check_file(folder)]
        yield Section("Settings", found)
        if not options.offline:
            yield network.check(read) if read is not None else Section("Network", [], "ps7")
    if of_rasa := list(settings.check_rasa(options.rasa_python)):
        yield Section("Rasa", of_rasa)
    if sources or options.bot is not None:
        ask = not (options.only_bot or options.offline)
        yield of_bot(sources, folder, alone=options.only_bot, ask_server=ask)


def of_bot(
    sources: Sources, folder: Path = Path(), *, alone: bool = True, ask_server: bool = False
) -> Section:
    """Check a bot; alone: also its .env and the settings about slots, else found elsewhere."""
    from . import bot, channels, judge, server, settings

    found: list[Finding] = list(settings.check_file(folder)) if alone else []
    try:
        about = SlotSettings.load()
    except SettingsError as failure:
        about = SlotSettings.model_construct()
        found += settings.faults(failure) if alone else ()
    said, files = bot.read(sources)
    found += said
    if files is None:
        return Section("Bot", found, "bot")
    found += judge.check_slots(files, about.slot_names, about.clear_slots)
    found += judge.check_runs(files)
    found += judge.check_dialogue(files, SlotNames(about.slot_names).among(files.slots))
    if "max_age" in about.model_fields_set:
        found += judge.check_session(files, about.max_age)
    credentials = sources.get("credentials")
    found += channels.check(
        files, about.metadata_keys, credentials[0].parent if credentials else None
    )
    found += server.check(files.action_endpoint) if ask_server else ()
    return Section("Bot", found)
