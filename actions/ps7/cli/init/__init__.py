"""`rasa-ps7 init`: put the plugin into the bot of this folder.

`plan` reads the bot and returns what to change, `undo` how to take it back; `yaml_text` makes the
edits, and `changes` shows and writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...settings import is_loopback
from ..arguments import BotSettings, HelpText, add_command
from ..domain import add_choices
from ..output import CommandError, Output, Tone, Toned

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..doctor.bot import Sources
    from .changes import Plan

_HELP = HelpText(
    about="put the plugin into the bot in this folder",
    details="""\
Show what the bot in this folder needs to know its customer, ask, do it, and let the doctor look at
the bot: the plugin's domain file beside the bot's own, the address of the action server, a .env for
the simulator, the import of the plugin, and a greeting by segment. What is left to a person is
listed, with what it costs meanwhile.

What is done already is left as it is, so it can be run again. A slot that the bot has already stays
the bot's; ours gets another name, in PS7_SLOT_NAMES. No secret goes into a file that git keeps.

--undo takes all of it back, also after others have edited the files: what they changed of it is
named, and stays. A .env with the key stays too.

The exit code is 0 if the doctor finds no error in the bot, and with --dry-run; with --undo, if
nothing is left of what init wrote.
""",
    examples={
        "init": "show it, ask, and do it",
        "init --yes": "without a question, for a script",
        "init --dry-run --slots segment,cpf_masked": "show it; of the slots, only these",
        "init --pt --greet utter_saudacao": "Portuguese names, and the bot's own greeting",
        "init --undo": "show how to take it back, ask, and do it",
    },
)
_RUN_WITH = ("endpoints", "credentials")
_YES = {"y", "yes", "s", "sim"}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "init", run, _HELP).add_argument
    add("--yes", action="store_true", help="do it without a question")
    add("--dry-run", action="store_true", help="show it, and change nothing")
    add("--undo", action="store_true", help="take back what it wrote")
    add_choices(add)
    add("--calm", action="store_true", help="for Rasa Pro, also before its flows")
    add(
        "--greet",
        default="utter_greet",
        metavar="RESPONSE",
        help="which response greets by segment (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Show the changes, make them if a person agrees, and return the exit code."""
    from . import plan, undo  # other commands do not wait for all of it

    out = Output()
    planned = undo.make() if options.undo else plan.make(options)
    planned.check()
    nothing = "to undo" if options.undo else "to change: the plugin is in this bot"
    _show(out, planned, f"Nothing {nothing}.")
    if options.dry_run:
        return 0
    if planned.changes:
        if not options.yes:
            _ask()
        planned.write()
    if options.undo:
        undo.tidy()
        return 0 if planned.done else 1
    return _end(out, planned)


def _show(out: Output, planned: Plan, nothing: str) -> None:
    if planned.changes:
        out.heading("Changes")
        out.table([change.title for change in planned.changes.values()])
    else:
        out.line(nothing)
    for change in planned.changes.values():
        for line in () if change.about else ("", *change.diff()):
            tone = {"+": Tone.GOOD, "-": Tone.BAD, "@": Tone.FAINT}.get(line[:1])
            out.line(Toned(line, tone))
    if planned.left:
        out.line()
        out.heading("Left to you")
        out.table([[each] for each in planned.left])
    out.line()


def _ask() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError("nothing was changed: --yes makes these changes")
    try:
        agreed = input("Make these changes? [y/N] ").strip().lower() in _YES
    except EOFError:
        agreed = False
    if not agreed:
        raise CommandError("nothing was changed")


def _end(out: Output, planned: Plan) -> int:
    """Look at the bot as it is now, and print how to run it."""
    from ..doctor import bot, of_bot
    from ..doctor.report import Report

    sources = bot.in_folder(Path())
    report = Report([of_bot(sources)])
    report.write(out)
    if planned.changes:
        out.line()
        out.heading("Next, each line in its own terminal")
        out.table([[line] for line in _next(sources)])
    return 0 if report.passes(strict=False) else 1


def _next(sources: Sources) -> Iterator[str]:
    """Yield how the bot is run: with the interpreter in use, and with its own files and port."""
    from ..doctor import bot, server

    script = Path(server.interpreter()).with_name("rasa-ps7")
    program = (
        script if script.exists() else f"{server.interpreter()} -m {__package__.split('.cli')[0]}"
    )
    endpoint = read.action_endpoint if (read := bot.read(sources)[1]) else {}
    named = {kind: sources.get(kind, [Path(f"{kind}.yml")])[0] for kind in ("config", *_RUN_WITH)}
    more = {kind: f" --{kind} {file}" for kind, file in named.items() if file.parent != Path()}
    domain = " --domain domain" if Path("domain").is_dir() else ""
    runs_with = "".join(more.get(kind, "") for kind in _RUN_WITH)
    simulated = is_loopback(urlsplit(BotSettings.load().base_url).hostname or "")
    if simulated:
        yield f"{program} simulate --port 8099"
    if "actions_module" not in endpoint:
        yield server.command(endpoint)
    train = f"rasa train{domain}{more.get('config', '')} && rasa run{runs_with}"
    yield f"{train}, from where the plugin is" if "actions_module" in endpoint else train
    yield f"{program} chat{' --as ana' if simulated else ''}"
    if domain:
        yield f"# each command of Rasa that reads the domain takes `{domain.strip()}` now"
