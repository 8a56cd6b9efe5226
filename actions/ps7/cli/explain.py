"""`rasa-ps7 explain`: what the plugin did in a saved conversation, run by run, and why.

The plugin's own `Turn` decides, and names the rule by which it did. The every-turn run leaves no
event of its own: it is assumed at every message, unless the bot calls the lookup by its name.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..dialogue import near_miss
from ..dialogue.cache import StateCache
from ..dialogue.context_id import look_in
from ..dialogue.runtime import Runtime
from ..dialogue.turn import ARRIVAL_REFUSED, Turn
from ..slots import CONTEXT
from .arguments import BotSettings, HelpText, add_command, add_json
from .lookup import masked
from .output import CommandError, Output

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..dialogue.context_id import Found
    from ..dialogue.situation import Situation
    from ..settings import PS7Settings

    Report = dict[str, Any]

_HELP = HelpText(
    about="explain, turn by turn, what the lookup did in a conversation, and why",
    details="""\
Read a conversation from a file and explain every run of the plugin, without asking PS7:

  context id  where it was found; equal numbers are equal contextIds
  metadata    where none was found: the keys that the message brought instead
  found       none, same (as held), another, or new (nothing is held)
  held        what the seal says, and until when that holds
  rule        the rule that fired, as the DEBUG line of the run names it
  why         what the rule means, and what led to it
  would set   the slots of ours that the run sets
  was set     those that the tracker says were set until the next run, by anyone

TRACKER.json is what Rasa's API gives (GET /conversations/<id>/tracker?include_events=ALL), or the
body of a call that the action server got; - is the standard input. The settings are those of the
action server, as far as they are set: with its PS7_SEAL_KEYS the seals can be opened, without them
it says what cannot be told. PS7 itself need not be configured.

Personal data and contextIds are masked unless --show is given; a seal says nothing to a person.
""",
    examples={
        "explain tracker.json": "a conversation that was saved",
        "explain tracker.json --show": "with contextIds, values and what the user said",
    },
)
MEANINGS = {
    "in-order": "An earlier run found the slots in order, and nothing has come since.",
    "held": "What PS7 said still holds: PS7 is not asked, and the slots are made to say it.",
    "held-too-old": "What PS7 said no longer holds, and PS7 cannot be asked now.",
    "failed-before": "What PS7 was asked last names no customer, and it is not asked again now.",
    "look-up": "A contextId is at hand, and nothing that still holds is known of it: PS7 is asked.",
    "nothing-held": "No customer is held, and PS7 is not asked now.",
    "no-seal-behind": "The slots claim a customer, and the newest seal is not behind the claim.",
    "another-found": "Another contextId came than the one that is held, and PS7 is not asked now.",
    "logged-out": "This contextId was logged out: it is not looked up again in this conversation.",
    "unusable": "What came is no usable contextId: PS7 cannot be asked about it.",
    "arrival-refused": "PS7 is not asked about a contextId whose arrival was refused.",
    "too-many": "This session has asked about as many other contextIds as PS7_MAX_CONTEXTS allows.",
    "forget": "This action logs out the customer, and what came: neither is looked up again here.",
}
_NO_KEYS = "A seal stands in this conversation. Without PS7_SEAL_KEYS it cannot be read."
_FOREIGN = (
    "None of PS7_SEAL_KEYS opens the seal: another key made it, it was altered, or it was made for "
    "another sender id than that of this file."
)
LOOK_UP, VERIFY, FORGET = "action_ps7_context", "action_ps7_verify", "action_ps7_forget"
_REVERTED = {"undo": ("action",), "rewind": ("user", "action")}
"""Before which event an event takes a conversation back, one after the other."""
_NEVER = 1e11
"""Seconds since 1970 that no event is stamped with."""
_IN_THE_HEADING = ("message", "action", "by_name", "at")


@dataclass(repr=False)
class SavedTracker:
    """A conversation as it was saved, or as it stood right before a run."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]
    domain: dict[str, Any]
    """Of the bot; empty where the file is no call of an action server."""


class Run(NamedTuple):
    """One run of the plugin."""

    action: str
    by_name: bool
    """Whether a rule, story, flow or call names the action."""
    tracker: SavedTracker
    at: datetime
    said: tuple[object, ...]
    """What the user had said until then."""
    was_set: dict[str, Any]
    """The slots that were set from then until the next message or action."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "explain", run, _HELP).add_argument
    add("file", metavar="TRACKER.json", help="the conversation; - reads it from stdin")
    add("--show", action="store_true", help="mask nothing but seals")
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Explain a conversation."""
    reporter, out = Reporter(BotSettings.load(), show=options.show), Output()
    reports = [reporter.report(each) for each in runs(read(options.file))]
    if options.json:
        out.json({"seal_keys_set": reporter.keys_known, "runs": reports})
    elif not reports:
        out.line("No message, and no action of ours, is in this file: there is nothing to explain.")
    for number, report in enumerate(() if options.json else reports):
        if number:
            out.line()
        how = "called by its name" if report["by_name"] else "as on every turn"
        out.heading(f"Message {report['message']}, {report['at']}: {report['action']}, {how}")
        below = ((name, value) for name, value in report.items() if name not in _IN_THE_HEADING)
        out.table((name.replace("_", " "), _text(each)) for name, each in below if each is not None)
    return 0


def _text(value: object) -> str:
    if not isinstance(value, dict):
        return "null" if value is None else str(value)
    return ", ".join(f"{name} {_text(part)}" for name, part in value.items()) or "nothing"


class Reporter:
    """Explains runs. Names each contextId by a number, the same for the same one."""

    def __init__(self, settings: PS7Settings, *, show: bool) -> None:
        self.runtime = Runtime(settings)
        self.keys_known = "seal_keys" in settings.model_fields_set
        self._show = show
        self._numbers: dict[str, int] = {}

    def report(self, run: Run) -> Report:
        """Explain one run. None: there is none, or it cannot be told."""
        self.runtime.states = StateCache()  # every run is decided in full
        turn = Turn(run.tracker, self.runtime, run.at, run.tracker.domain)
        changes = {VERIFY: turn.verify, FORGET: turn.forget}.get(run.action, turn.context)()
        situation = turn.situation
        newest = situation.history.session.newest_metadata
        report = {
            "message": len(run.said),
            "action": run.action,
            "by_name": run.by_name,
            "at": run.at.isoformat(timespec="seconds"),
            **({"said": run.said[-1] if run.said else None} if self._show else {}),
            "context_id": self._context_id(situation.found, situation),
            "metadata": None if situation.found else near_miss.describe(newest, self.runtime.paths),
            **_decided(turn),
            "would_set": self._slots(changes, situation),
            "was_set": self._slots(run.was_set, situation),
        }
        if self.keys_known or not (situation.seal_set or situation.history.seals):
            return report
        unknown = dict.fromkeys(("found", "held", "held_until", "rule", "would_set"))
        return report | unknown | {"why": _NO_KEYS}

    def _context_id(self, found: Found | None, situation: Situation) -> Report | None:
        if found is None:
            return None
        digest = self.runtime.client.digest(found.context_id or found.fingerprint)
        return {
            "number": self._numbers.setdefault(found.fingerprint, len(self._numbers) + 1),
            **({"value": found.context_id or found.value} if self._show else {}),
            "found": self._where(found, situation),
            **({"context_digest": digest} if self.keys_known else {}),
        }

    def _where(self, found: Found, situation: Situation) -> str:
        """Return which message brought it, and under which of `PS7_METADATA_KEYS`."""
        for count, message in enumerate(reversed(situation.history.session.messages)):
            for key in self.runtime.settings.metadata_keys:
                hit = look_in(message.metadata, [key.split(".")])
                if hit is not None and hit.value == found.value:
                    which = f"the message {count} turns before" if count else "this message"
                    return f"under {key} in the metadata of {which}"
        return "in the newest seal of this session"

    def _slots(self, values: object, situation: Situation) -> Report | None:
        if not isinstance(values, dict):
            return None  # what PS7 would answer
        own = {name: name for name in self.runtime.settings.clear_slots}
        ours = own | situation.ours
        return {
            name: value if self._show and ours[name] != CONTEXT else masked(ours[name], value)
            for name, value in values.items()
            if name in ours
        }


def _decided(turn: Turn) -> Report:
    situation, why = turn.situation, MEANINGS[turn.rule]
    found, held = situation.found, situation.held
    if situation.seal_set and situation.in_slot is None:
        why = f"{_FOREIGN} {why}"
    if found is not None and found.refused is not None:
        why = f"The arrival was refused: {ARRIVAL_REFUSED[found.refused]}. {why}"
    is_what_is_held = "new" if held is None else "same" if situation.same else "another"
    customer = held and held.customer
    return {
        "found": "none" if found is None else is_what_is_held,
        "held": "none" if held is None else held.outcome.value,
        "held_until": customer and customer.expires_at.isoformat(timespec="seconds"),
        "rule": turn.rule,
        "why": why,
    }


def read(name: str) -> SavedTracker:
    """Read what Rasa's API gives, or a call of an action server; `-` is the standard input."""
    where = "the standard input" if name == "-" else name
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        call = _dict(json.loads(raw))
    except OSError as error:
        raise CommandError(f"{where} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CommandError(f"{where} is not JSON") from None
    tracker = _dict(call.get("tracker")) or call
    slots, events = tracker.get("slots"), tracker.get("events")
    if not isinstance(slots, dict) or not isinstance(events, list):
        raise CommandError(
            f"{where} holds no tracker: it takes what GET /conversations/<id>/tracker gives, or "
            "the body of a call that an action server gets"
        )
    return SavedTracker(
        sender_id=str(tracker.get("sender_id")),
        slots=slots,
        latest_message={},  # it counts only where no event is a message
        events=[event for event in map(_dict, events) if isinstance(event.get("event"), str)],
        domain=_dict(call.get("domain")),
    )


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def runs(saved: SavedTracker) -> list[Run]:
    """Return every run of the plugin in a conversation, oldest first."""
    called = [event.get("name") for event in saved.events if event["event"] == "action"]
    now = datetime.fromtimestamp(0, tz=timezone.utc)
    said: tuple[object, ...] = ()
    found: list[Run] = []
    was_set: dict[str, Any] = {}
    for count, (event, slots) in enumerate(_with_slots(saved), 1):
        kind, name, at = event["event"], event.get("name"), event.get("timestamp")
        if isinstance(at, (int, float)) and 0 <= at < _NEVER:
            now = datetime.fromtimestamp(at, tz=timezone.utc)
        if kind == "slot":
            was_set[str(name)] = event.get("value")
        if kind not in ("user", "action"):
            continue
        by_name, was_set = kind == "action", {}
        if kind == "user":
            said, name = (*said, event.get("text")), LOOK_UP
        if name in (LOOK_UP, VERIFY, FORGET) and (by_name or LOOK_UP not in called):
            tracker = replace(saved, slots=slots, events=saved.events[:count])
            found.append(Run(str(name), by_name, tracker, now, said, was_set))
    return found


def _with_slots(saved: SavedTracker) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every event with the slots after it, as Rasa replays them: all null at the start."""
    slots = initial = dict.fromkeys(saved.slots)
    before: list[tuple[str, dict[str, Any]]] = []
    for event in saved.events:
        kind, name = event["event"], event.get("name")
        before.append((kind, slots))
        for reverted in _REVERTED.get(kind, ()):
            while before:
                undone, slots = before.pop()
                if undone == reverted:
                    break
        if kind in ("restart", "session_started"):
            slots, before = initial, []
        elif kind == "reset_slots":
            slots = initial
        elif kind == "slot" and isinstance(name, str) and name in slots:
            slots = {**slots, name: event.get("value")}
        yield event, slots
