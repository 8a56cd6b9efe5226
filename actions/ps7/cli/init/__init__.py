"""`rasa-ps7 init`: put the plugin into the bot of this folder.

`plan` reads the bot, says what to change and writes it; `yaml_text` makes the edits.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import HelpText, add_command
from ..domain import add_choices
from ..output import CommandError, Output, Tone, Toned

if TYPE_CHECKING:
    import argparse

    from .plan import Plan

_HELP = HelpText(
    about="put the plugin into the bot in this folder",
    details="""\
Show what the bot in this folder needs to know its customer, ask, do it, and let the doctor look at
the bot: the plugin's domain file beside the bot's own, the address of the action server, a .env for
the simulator, the import of the plugin, and a greeting by segment. A fallback that would undo the
lookup of its turn is switched off.

What is done already is left as it is, so it can be run again. A slot that the bot has already stays
the bot's; ours gets another name, in PS7_SLOT_NAMES.

The exit code is 0 where the doctor finds no error in the bot, and with --dry-run.
""",
    examples={
        "init": "show it, ask, and do it",
        "init --yes": "without a question, for a script",
        "init --dry-run --slots segment,cpf_masked": "show it; of the slots, only these",
        "init --pt --greet utter_saudacao": "Portuguese names, and the bot's own greeting",
    },
)
_NEXT = ("rasa-ps7 simulate --port 8099", "python -m rasa_sdk --actions actions")
_YES = {"y", "yes", "s", "sim"}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "init", run, _HELP).add_argument
    add("--yes", action="store_true", help="do it without a question")
    add("--dry-run", action="store_true", help="show it, and change nothing")
    add_choices(add)
    add("--calm", action="store_true", help="for Rasa Pro, also before its flows")
    add(
        "--greet",
        default="utter_greet",
        metavar="RESPONSE",
        help="which response greets by segment (default: %(default)s)",
    )


def run(options: argparse.Namespace) -> int:
    """Show the changes, make them where a person agrees, and return the doctor's exit code."""
    from . import plan  # other commands do not wait for all of it

    out = Output()
    planned = plan.make(options)
    plan.check(planned.changes.values())
    _show(out, planned)
    if options.dry_run:
        return 0
    if planned.changes:
        if not options.yes:
            _ask()
        plan.write(planned.changes.values())
    return _end(out, planned)


def _show(out: Output, planned: Plan) -> None:
    if planned.changes:
        out.heading("Changes")
        out.table([change.title for change in planned.changes.values()])
    else:
        out.line("Nothing to change: the plugin is in this bot.")
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
    """Look at the bot as it is now, and say how to run it."""
    from ..doctor import bot, of_bot
    from ..doctor.report import Report

    report = Report([of_bot(bot.in_folder(Path()), complain=True)])
    report.write(out)
    if planned.changes:
        out.line()
        out.heading("Next, each line in a terminal of its own")
        where = " --domain domain" if Path("domain").is_dir() else ""
        lines = (*_NEXT, f"rasa train{where} && rasa run", "rasa-ps7 chat --as ana")
        out.table([[line] for line in lines])
        if where:
            out.line(f"Each command of Rasa that reads the domain takes `{where.strip()}` now.")
    return 0 if report.passes(strict=False) else 1
