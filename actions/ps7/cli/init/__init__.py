"""`rasa-ps7 init`: put the plugin into the bot of this folder.

`target` finds the bot, `plan` returns what to change; `edits` makes the edits, and `changes` shows
and writes them. The way back is git's: what it changed is shown before, and again by `git diff`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...settings import is_loopback
from ..arguments import FILES, add_command, add_files
from ..domain import add_choices
from ..findings import Report, listed
from ..git import repository
from ..output import CommandError, Output, Tone, Toned
from ..variables import ENV, in_env_file, load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..bot.sources import Sources
    from .changes import Plan
    from .target import Target

_RUN_WITH = ("endpoints", "credentials")
_YES = {"y", "yes", "s", "sim"}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "init", run).add_argument
    add("--yes", action="store_true", help="do it without a question")
    add("--dry-run", action="store_true", help="show it, and change nothing")
    add_choices(add)
    add_files(add, *FILES)
    add("--calm", action="store_true", help="for Rasa Pro, also before its flows")
    which = "which response greets by segment (default: %(default)s)"
    add("--greet", default="utter_greet", metavar="RESPONSE", help=which)
    add("--greeting", metavar="TEXT", help="what it says (default: in the bot's language)")


def run(options: argparse.Namespace) -> int:
    """Show the changes, make them if a person agrees, and return the exit code."""
    from . import plan, target  # other commands do not wait for all of it

    out = Output()
    found = target.find(options)
    planned = plan.make(found)
    planned.check()
    _show(out, planned)
    if options.dry_run:
        return 0
    back = list(planned.way_back())
    if planned.changes:
        if not options.yes:
            _ask()
        planned.write()
    return _end(out, planned, found, back)


def _show(out: Output, planned: Plan) -> None:
    if planned.changes:
        out.heading("Changes")
        out.table([change.title for change in planned.changes.values()])
        if repository(Path()) is None:
            out.line("There is no git here, so no way back: `git init`, and commit, before.")
        elif lost := planned.uncommitted():
            out.line(f"Git does not have {listed(lost)} as it is, so no way back: commit before.")
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


def _end(out: Output, planned: Plan, target: Target, back: list[str]) -> int:
    """Look at the bot as it is now, and print how to run it, and what takes all of it back."""
    from ..bot import sources as bots
    from ..doctor import bot

    sources = {**bots.in_folder(Path()), **target.sources}
    if target.domain.is_dir():  # and not as it was
        sources["domain"] = [target.domain]
    report = Report([bot.check(sources, names=target.names)])
    report.write(out)
    if planned.changes:
        out.line()
        out.heading("Next, each line in its own terminal")
        out.table([[line] for line in _next(sources, target)])
    if back:
        out.line()
        out.heading("To take all of it back, in this order")
        out.table([[line] for line in back])
    return 0 if report.passes(strict=False) else 1


def _next(sources: Sources, target: Target) -> Iterator[str]:
    """Yield how the bot is run: with the interpreter in use, and with its own files and port."""
    from ..bot import sources as bots
    from ..doctor import server

    python = server.interpreter()
    script = Path(python).with_name("rasa-ps7")
    program = script if script.exists() else f"{python} -m {__package__.split('.cli')[0]}"
    endpoint = read.action_endpoint if (read := bots.read(sources)[1]) else {}
    named = {kind: sources.get(kind, [Path(f"{kind}.yml")])[0] for kind in ("config", *_RUN_WITH)}
    more = {kind: f" --{kind} {file}" for kind, file in named.items() if file.parent != Path()}
    folder = sources["domain"][0]
    domain = f" --domain {folder}" if folder.is_dir() else ""
    url = in_env_file(target.home / ENV).get("PS7_BASE_URL") or load().base_url
    simulated = is_loopback(urlsplit(url).hostname or "")
    remote = server.is_remote(endpoint)
    # With Rasa's API the chat shows the slots; without a password only this machine may reach it.
    runs_with = " --enable-api -i 127.0.0.1" * simulated
    runs_with += "".join(more.get(kind, "") for kind in _RUN_WITH)
    if simulated and not remote:
        yield f"{program} simulate --port 8099"
    if remote:
        yield f"# the action server is {server.address(endpoint)}: build and start it again"
    elif "actions_module" not in endpoint:
        yield server.command(endpoint, target.actions)
    train = f"rasa train{domain}{more.get('config', '')} && rasa run{runs_with}"
    yield f"{train}, from where the plugin is" if "actions_module" in endpoint else train
    yield f"{program} chat{' --as ana' if simulated else ''}"
    if domain:
        yield f"# each command of Rasa that reads the domain takes `{domain.strip()}` now"
