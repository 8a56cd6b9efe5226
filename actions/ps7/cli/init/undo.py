"""`rasa-ps7 init --undo`: a bot as it was, by the journal that `init` leaves beside it.

The journal has the lines that each change added and removed, and a digest of the file before. It
has no secret: a `.env` that git does not keep is not in it, and stays. What `init` did not write
is never deleted.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from ..disk import build_files, lines, read
from ..doctor import bot as bots
from ..doctor.server import interpreter
from ..doctor.settings import names_in
from ..output import CommandError
from .changes import Change, Plan

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_JOURNAL = Path(".rasa-ps7.json")
_OF_THE_PLUGIN = r"\b(action_ps7_|utter_ps7_|ps7_status|ps7_context|rasa_ps7|PS7SessionStart)"
_DOMAIN_FOLDER = r"(--domain|-d)[ =]domain\b"
_MOST_LINES = 8


Hunk = tuple[int, list[str], list[str]]
"""The place of lines, what stood there, and what `init` wrote."""


def _in_the_bot(text: str) -> str:
    if Path(text).is_absolute() or ".." in Path(text).parts:
        raise ValueError
    return text


class Entry(BaseModel):
    """What undoes one change."""

    model_config = ConfigDict(extra="forbid")

    path: Annotated[str, AfterValidator(_in_the_bot)]
    moved_to: Annotated[str, AfterValidator(_in_the_bot)] | None
    before: int | None
    """Digest of the file before; None: it was not there."""
    after: int
    hunks: list[Hunk]


def with_journal(plan: Plan, leave_out: Collection[Path]) -> Plan:
    """Return a plan that first writes what undoes it, below what undoes earlier ones."""
    made = [_entry(change) for path, change in plan.changes.items() if path not in leave_out]
    if not made:
        return plan
    about = "what `init --undo` reads: commit it with the rest"
    journal = _written([*_entries(), *made], about)
    return replace(plan, changes={_JOURNAL: journal, **plan.changes})


def make() -> Plan:
    """Plan to take back what `init` wrote."""
    plan = Plan()
    kept: list[Entry] = []
    entries = _entries()
    for entry in reversed(entries):
        if left := _taken_back(plan, entry):
            kept.insert(0, left)
    if entries:
        about = "what is left to undo" if kept else "nothing is left to undo"
        plan.changes[_JOURNAL] = _written(kept, about)
    plan.done = not kept
    plan.left += _by_hand(plan)
    return plan


def tidy() -> None:
    """Remove folders that `init` may have made, if they are empty."""
    for folder in map(Path, ("domain/ps7", "domain", "actions")):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _entries() -> list[Entry]:
    try:
        return TypeAdapter(list[Entry]).validate_json(read(_JOURNAL) or "[]")
    except ValidationError:
        raise CommandError(f"{_JOURNAL} is not as `init` wrote it: nothing was changed") from None


def _written(entries: list[Entry], about: str) -> Change:
    each = ",\n".join(entry.model_dump_json() for entry in entries)
    return Change(_JOURNAL, read(_JOURNAL), f"[\n{each}\n]\n" if entries else None, about)


def _entry(change: Change) -> Entry:
    """Return what undoes a change."""
    before, after = _lines(change.before or ""), _lines(change.after or "")
    matched = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    hunks = [(j, before[i:k], after[j:m]) for tag, i, k, j, m in matched if tag != "equal"]
    return Entry(
        path=change.path.as_posix(),
        moved_to=None if change.moves_to is None else change.moves_to.as_posix(),
        before=None if change.before is None else _digest(change.before),
        after=_digest(change.after or ""),
        hunks=[] if change.about else hunks,
    )


def _taken_back(plan: Plan, entry: Entry) -> Entry | None:
    """Plan to take one change back; return what is left of it then."""
    back = Path(entry.path)
    at = Path(entry.moved_to or back)
    at = back if plan.text(at) is None else at
    text, moves = plan.text(at), at != back
    if text is None:
        return None
    start = plan.changes.get(at) or Change(at, text, text)
    if entry.before is None and _digest(text) == entry.after:
        plan.changes[at] = replace(start, after=None, about="all of it is of `init`")
        return None
    hunks = [] if _digest(text) == entry.before else entry.hunks  # of a run that was broken off
    after, edited = _without(text, hunks, entry.before)
    wrote = [f"“{added[0].strip()}”" for _, _, added in edited]
    if entry.before is None and not entry.hunks:
        wrote = ["it"]
    if wrote:
        plan.left.append(f"{at} was edited where `init` wrote {' and '.join(wrote)}: that is left")
    others = [path for path in bots.files(at.parent) if moves and path != at]
    if there := [str(path) for path in others if plan.text(path) is not None]:
        plan.left.append(f"{at} stays where it is, since {there[0]} is there: move both yourself")
        moves = False
    if moves or after != text:
        plan.changes[at] = replace(start, after=after, moves_to=back if moves else None)
    return entry.model_copy(update={"hunks": edited}) if wrote or there else None


def _without(text: str, hunks: list[Hunk], before: int | None) -> tuple[str, list[Hunk]]:
    """Return a text without what was put in, and those hunks that are not as they were put in."""
    now, end, edited = text.split("\n"), "\r" if "\r\n" in text else "", list["Hunk"]()
    for at, removed, added in reversed(hunks):
        bare = [line.rstrip("\r") for line in now]
        places = [i for i in range(len(now)) if bare[i : i + len(added)] == added]
        if not places:
            edited.insert(0, (at, removed, added))
            continue
        place = min(places, key=lambda i: abs(i - at))
        now[place : place + len(added)] = [f"{line}{end}" for line in removed]
    after = "\n".join(now)
    shorter = after.removesuffix("\n").removesuffix("\r")  # a file may have had no end of line
    return shorter if _digest(shorter) == before else after, edited


def _by_hand(plan: Plan) -> Iterator[str]:
    """Yield what a person has to do afterwards."""
    env = Path(".env")
    held = [name for name in names_in(env) if name.startswith("PS7_")]
    if held and env not in plan.changes:
        what = f".env, with {', '.join(held)}, and its line in .gitignore stay"
        yield f"{what}: delete them once no seal of this bot has to be opened"
    sources = bots.in_folder(Path())
    paths = [path for kind in ("domain", "data", "config") for path in sources.get(kind, ())]
    own = [file for path in paths for file in bots.files(path)]
    own += [file for file in sorted(Path("actions").rglob("*.py")) if "ps7" not in file.parts]
    if found := lines(((_name(plan, file), plan.text(file)) for file in own), _OF_THE_PLUGIN):
        yield f"these lines name the plugin: {_some(found)}"
    if not plan.changes:
        return
    builds = ((file, read(file)) for file in build_files())
    if found := lines(builds, _DOMAIN_FOLDER) if plan.done else []:
        yield f"these lines say where the domain was: {_some(found)}"
    is_copy = not __package__.startswith("rasa_ps7")
    gone = "delete actions/ps7" if is_copy else f"`{interpreter()} -m pip uninstall rasa-ps7`"
    yield f"train again, with `rasa train`; {gone}"


def _name(plan: Plan, file: Path) -> Path:
    change = plan.changes.get(file)
    return (change and change.moves_to) or file


def _some(found: list[str]) -> str:
    more = len(found) - _MOST_LINES
    return ", ".join(found[:_MOST_LINES]) + (f" and {more} more" if more > 0 else "")


def _lines(text: str) -> list[str]:
    """Return lines, the last one blank: as if each of them had its end."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return lines if lines[-1] == "" else [*lines, ""]


def _digest(text: str) -> int:
    """Return a number: what looks for secrets in files takes digits of hexadecimal for one."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:12], "big")
