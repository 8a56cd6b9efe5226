"""`rasa-ps7 doctor`: what is wrong with settings, network or bot, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import HelpText, add_command, add_json
from ..output import CommandError, Output

if TYPE_CHECKING:
    import argparse

    from .bot_files import Sources

_HELP = HelpText(
    about="find what is wrong with settings, network or bot, and say what to do",
    details="""\
Check, each on top of what comes before: the settings, read as the action server reads them
(environment, .env in this folder, secret files); the way to PS7: DNS, TCP, the proxy, TLS and
certificates; the token endpoint; PS7 itself, by one lookup of a contextId that nobody has, and
its clock. And, with --bot or --domain, what a bot makes of the plugin.

The exit code is 0 without an error and 1 with one; with --strict, a warning counts too.
""",
    examples={
        "doctor": "settings and network",
        "doctor --bot .": "and the bot in this folder",
        "doctor --bot . --only-bot --strict": "the bot alone, in CI, where no settings are",
        "doctor --bot . --only-bot --strict --allow session-carry-over": "but for one warning",
        "doctor --offline --json": "settings alone, for a machine",
        "doctor --domain domain --data data --config config.yml": "a bot of files that lie apart",
    },
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "doctor", run, _HELP)
    bot = parser.add_argument_group("a bot to look at")
    bot.add_argument(
        "--bot",
        type=Path,
        metavar="FOLDER",
        help="find domain.yml or domain, data, config.yml, endpoints.yml and actions in it",
    )
    for name, what in (
        ("domain", "a domain file, or a folder of them"),
        ("data", "a file of rules, stories or flows, or a folder of them"),
    ):
        bot.add_argument(
            f"--{name}",
            type=Path,
            action="append",
            default=[],
            metavar="PATH",
            help=f"{what}; may be given several times",
        )
    for name in ("config", "endpoints"):
        bot.add_argument(f"--{name}", type=Path, metavar="FILE", help=f"the bot's {name}.yml")
    parser.add_argument("--offline", action="store_true", help="leave the network out")
    parser.add_argument(
        "--only-bot",
        action="store_true",
        help="leave network and settings out, but for those about slots",
    )
    parser.add_argument("--strict", action="store_true", help="let warnings count as errors")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ID",
        help="do not count findings of this name, which stands in brackets behind each of them; "
        "may be given several times",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make the checks and say what they found; give the exit code.

    Raises:
        CommandError: the options do not fit together, or the bot's folder is not there.

    """
    from .visit import Order, visit  # noqa: PLC0415 - other commands do not wait for all of it

    sources = _sources(options)
    if options.only_bot and sources is None:
        raise CommandError("--only-bot needs --bot or --domain: there is no bot to look at")
    out = Output()
    with out.progress("Looking"):
        report = visit(
            Order(
                sources,
                folder=options.bot,
                settings=not options.only_bot,
                network=not (options.only_bot or options.offline),
            )
        )
    report.allowed = frozenset(options.allow)
    if options.json:
        out.json(report.as_json(strict=options.strict))
    else:
        report.write(out)
    return 0 if report.passes(strict=options.strict) else 1


def _sources(options: argparse.Namespace) -> Sources | None:
    """Give the files of the bot: those of a folder, and in their place those that are named."""
    from .bot_files import Sources, in_folder  # noqa: PLC0415 - as above

    found = Sources()
    if options.bot is not None:
        if not options.bot.is_dir():
            raise CommandError(f"{options.bot} is no folder: --bot takes that of a bot")
        found = in_folder(options.bot)
    named = {
        "domain": tuple(options.domain),
        "data": tuple(options.data),
        "config": options.config,
        "endpoints": options.endpoints,
    }
    given = {name: value for name, value in named.items() if value}
    return replace(found, **given) if given or options.bot is not None else None
