"""When the plugin ran in a conversation, and what the tracker held right before each run. Pure.

The every-turn run leaves no event of its own: it is taken for granted at every message, unless the
bot calls the lookup by its name, or its domain says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ...dialogue.history import SESSION_ACTION, SESSION_METADATA
from ...dialogue.session import NewSession
from ...slot_table import STATUS
from ...testing.rasa_in_memory.replay import applied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...dialogue.situation import TrackerLike
    from ...slot_names import SlotNames
    from .recording import Recording

LOOK_UP, VERIFY, FORGET = "action_ps7_context", "action_ps7_verify", "action_ps7_forget"
OURS = (LOOK_UP, VERIFY, FORGET)
_EPOCH = datetime.fromtimestamp(0, tz=timezone.utc)


@dataclass
class Snapshot:
    """A tracker at one moment, as the plugin reads it. Its `repr` shows nothing of it."""

    sender_id: str = field(repr=False)
    slots: dict[str, Any] = field(repr=False)
    latest_message: dict[str, Any] = field(repr=False)
    events: list[dict[str, Any]] = field(repr=False)


@dataclass(frozen=True)
class Moment:
    """One run: which action, when, on what, and what the tracker says came of it."""

    action: str
    at: datetime
    tracker: TrackerLike = field(repr=False)
    message: int
    """Which message of the user it followed, the first one being 1; 0 before any."""
    text: str | None = field(repr=False)
    """What the user said."""
    by_name: bool
    """Whether a rule, story, flow or call names the action."""
    came_of_it: dict[str, Any] | None = field(repr=False)
    """The slots that were set from then until the next message or action; None where the recording
    ends with this run."""
    domain: object = field(repr=False)
    """What the recording says of the bot's domain; None where it says nothing."""


def moments(recording: Recording, names: SlotNames) -> list[Moment]:
    """Give every run of ours in a conversation, oldest first."""
    every_turn = _on_every_turn(recording, names)
    said, now, domain = 0, _EPOCH, recording.domain
    text: str | None = None
    found: list[Moment] = []
    for index, event in enumerate(recording.events):
        now = _time(event, now)
        kind, name = event.get("event"), event.get("name")
        if kind == "user":
            said, text = said + 1, _text(event)
        runs = (kind == "user" and every_turn) or (kind == "action" and name in OURS)
        if runs:
            action = LOOK_UP if kind == "user" else str(name)
            tracker = _as_of(recording, index + 1)
            after = _set_after(recording.events[index + 1 :])
            by_name = kind != "user"
            found.append(Moment(action, now, tracker, said, text, by_name, after, domain))
    if recording.action in (*OURS, SESSION_ACTION):
        if found and len(found[-1].tracker.events) == len(recording.events):
            found.pop()  # the run that this call asks for
        call: TrackerLike = Snapshot(
            recording.sender_id, recording.slots, recording.latest_message, recording.events
        )
        if recording.action == SESSION_ACTION:
            call = NewSession(call, domain)
        action = str(recording.action)
        found.append(
            Moment(action, now, call, said, text, by_name=True, came_of_it=None, domain=domain)
        )
    return found


def _on_every_turn(recording: Recording, names: SlotNames) -> bool:
    if recording.domain is None:
        return not any(
            event.get("event") == "action" and event.get("name") == LOOK_UP
            for event in recording.events
        )
    declared: Any = recording.domain
    for step in ("slots", names.of(STATUS), "mappings"):
        declared = declared.get(step) if isinstance(declared, dict) else None
    mappings = [one for one in declared if isinstance(one, dict)] if declared else []
    return any(LOOK_UP in (one.get("action"), one.get("run_action_every_turn")) for one in mappings)


def _as_of(recording: Recording, count: int) -> Snapshot:
    """Give the tracker as it stood after so many events, what was taken back left out."""
    events = recording.events[:count]
    slots = _initial(recording)
    message: dict[str, Any] = {}
    for event in applied(events):
        kind, name = event["event"], event.get("name")
        if kind == "slot" and name in slots:
            slots[name] = event.get("value")
        elif kind == "reset_slots":
            slots = _initial(recording)
        elif kind == "user":
            message = {"metadata": event.get("metadata")}
    return Snapshot(recording.sender_id, slots, message, events)


def _initial(recording: Recording) -> dict[str, Any]:
    """Give every declared slot with its initial value, null where the file does not tell it."""
    domain = recording.domain or {}
    said = domain.get("slots")
    slots: dict[str, Any] = dict.fromkeys((*recording.slots, SESSION_METADATA))
    for name, slot in (said if isinstance(said, dict) else {}).items():
        if isinstance(slot, dict):
            slots[name] = slot.get("initial_value")
    return slots


def _set_after(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {str(event.get("name")): event.get("value") for event in _until_next(events)}


def _until_next(events: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        if event["event"] in ("user", "action"):
            return
        if event["event"] == "slot":
            yield event


def _time(event: dict[str, Any], before: datetime) -> datetime:
    """Give when an event was; one that does not say it was right after the one before."""
    try:
        return datetime.fromtimestamp(event["timestamp"], tz=timezone.utc)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return before


def _text(event: dict[str, Any]) -> str | None:
    text = event.get("text")
    return text if isinstance(text, str) else None
