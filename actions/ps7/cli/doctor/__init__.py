"""`rasa-ps7 doctor`: findings from one real lookup, from the settings, and from a bot's files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ... import clock
from ...outcomes import SettingsError
from ..arguments import FILES, add_agreement, add_command, add_files, add_json
from ..findings import Report, Section
from ..output import CommandError, Output
from ..variables import load_to_ask

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..bot.sources import Sources


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "doctor", run)
    add = parser.add_argument
    bot = parser.add_argument_group("a bot to look at")
    bot.add_argument("--bot", type=Path, metavar="FOLDER", help="its folder, as Rasa lays it out")
    add_files(bot.add_argument, *FILES)
    add("--rasa-python", metavar="PATH", help="the interpreter that has Rasa Open Source")
    add("--offline", action="store_true", help="leave the network out")
    add("--only-bot", action="store_true", help="leave settings and network out")
    add("--strict", action="store_true", help="let warnings count as errors")
    name = "the name of a finding (in brackets) that does not count; may be given several times"
    add("--allow", action="append", default=[], metavar="ID", help=name)
    add_agreement(add)
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Make the checks, write what they found, and return the exit code."""
    from ..bot import sources as bots  # other commands do not wait for all of it

    if options.bot is not None and not options.bot.is_dir():
        raise CommandError(f"{options.bot} is no folder: --bot takes that of a bot")
    sources = {} if options.bot is None else bots.in_folder(options.bot)
    sources |= {kind: paths for kind in FILES if (paths := getattr(options, kind))}
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
    from . import bot, connection, network, settings

    folder = options.bot or Path()
    if not options.only_bot:
        read = None
        try:
            read = load_to_ask(agreed=options.yes or options.offline)
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
        yield bot.check(sources, folder, alone=options.only_bot, ask_server=ask)
