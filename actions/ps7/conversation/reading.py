"""What one run finds in a conversation: plain facts, each computed once. Nothing is written here.

**A seal is valid in the session in which it was made; the newest applies; log-outs add up.**
Nothing else is remembered. An attacker may roll the slot back to an older seal or wipe it, but
cannot make one, so the tracker's events and the seals' numbers tell which is the newest.
"""

from __future__ import annotations

import math
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import uuid4

from ..customer import CONTEXT, FILLED_BY_ACTIONS, STATUS, SlotNames, differing
from ..outcomes import ANONYMOUS, Outcome, Reason
from ..telemetry import KeyedDigest
from .arrival import ArrivalVerifier, Found, fingerprint, look_in, received_alike, refused
from .seal import NO_LOG_OUTS, Head, LogOuts, Seal, Sealer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from ..customer import CustomerContext
    from ..settings import PS7Settings

REFUSED_FOR = timedelta(seconds=30)
"""For this long PS7 is not asked again about a contextId that it did not know or take."""

# The events

SESSION_METADATA = "session_started_metadata"
"""The slot in which Rasa keeps the metadata of the message that opened a session."""
NONCE = "ps7_session"
"""Key in the metadata of the `session_started` event of `PS7SessionStart`: Rasa keeps an event's
metadata, and writes its own timestamp over the action's."""
_BORDERS = ("action", "session_started", "session_ended", "restart")


class Message(NamedTuple):
    """What a message of the user brought, and when."""

    metadata: object
    came_at: float | None
    """Seconds since 1970, None if no event has a time. Never before an event in front of it: a
    client that writes events through Rasa's API may claim an earlier time."""


class History:
    """A conversation as far as a tracker shows it."""

    def __init__(
        self, events: Sequence[Any], latest_message: object, *, context: str, status: str
    ) -> None:
        """Walk the events; `context` and `status` are the bot's names of these two slots.

        `latest_message` is read only if no event is a message: other hosts than Rasa may call so.
        """
        self.messages: list[Message] = []
        """The user's in this session, the oldest first."""
        self.seals: dict[str, None] = {}
        """Every text that was in the seal's slot, each once."""
        self.last_seal = ""
        """The newest of these by the events. Rasa took it back if the slot has another one."""
        self.sealed_this_turn: set[str] = set()
        """Those that came after the newest message, and not before it."""
        self.said_this_turn: object = None
        """What the status was set to after the newest message; None if it was not set."""
        self._events = events
        self._latest = -math.inf
        no_message = True
        opening: Mapping[str, Any] | None = None
        for event in events:
            match event:
                case {"timestamp": int() | float() as at} if at > self._latest:
                    self._latest = at
            match event:
                case {"event": "slot", "name": str(name), "value": value}:
                    if name == context and isinstance(value, str):
                        if value not in self.seals:
                            self.sealed_this_turn.add(value)
                        self.seals[value] = None
                        self.last_seal = value
                    elif name == status:
                        self.said_this_turn = value
                case {"event": "user"}:
                    no_message = False
                    came_at = None if self._latest == -math.inf else self._latest
                    self.messages.append(Message(event.get("metadata"), came_at))
                    self.sealed_this_turn, self.said_this_turn = set(), None
                case {"event": "action", "name": "action_session_start"} | {
                    "event": "session_started" | "session_ended" | "restart"
                }:
                    self.messages, opening = [], event
        self.mark = _mark(opening)
        """Tells this session from the others of the conversation; one without events has none."""
        if no_message and isinstance(latest_message, dict):
            came_at = None if self._latest == -math.inf else self._latest
            self.messages.append(Message(latest_message.get("metadata"), came_at))

    @property
    def shown_since(self) -> float:
        """The time of the first event that has one: a session may have begun before it."""
        times = (event.get("timestamp") for event in self._events if isinstance(event, dict))
        return next((at for at in times if isinstance(at, (int, float))), -math.inf)

    @property
    def newest_metadata(self) -> object:
        """What the newest message brought; None if there is no message."""
        return self.messages[-1].metadata if self.messages else None


def _mark(opening: Mapping[str, Any] | None) -> str:
    match opening:
        case None:
            return ""
        case {"metadata": dict(metadata)} if isinstance(metadata.get(NONCE), str):
            return str(metadata[NONCE])
    return str(opening.get("timestamp"))


class TrackerLike(Protocol):
    """What is read of the SDK's tracker."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


class NewSession:
    """The tracker that a session start leaves behind; its last events open the session.

    The domain of the call tells which slots Rasa keeps.
    """

    def __init__(self, tracker: TrackerLike, domain: object, mark: str | None = None) -> None:
        before = tracker.slots if isinstance(tracker.slots, dict) else {}
        events = tracker.events if isinstance(tracker.events, list) else []
        self._initial = {name: _part(domain, "slots", name, "initial_value") for name in before}
        carries = _part(domain, "session_config", "carry_over_slots_to_new_session")
        carries_over = bool(domain) and carries is not False  # without a domain, nothing
        self.mark = mark or uuid4().hex
        """Made here: Rasa's timestamp of the session is not known yet."""
        self.sender_id = tracker.sender_id
        self.latest_message: dict[str, Any] = {}  # the tracker's is of the session before
        self.slots = dict(before) if carries_over else dict(self._initial)
        opening = opening_metadata(events)
        message = {"event": "user", "metadata": opening}
        self.events = [
            *events,
            {"event": "session_started", "metadata": {NONCE: self.mark}},
            *([] if opening is None else [message]),
        ]

    def to_set(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the slots to set after Rasa has reset them all: what is kept, and the changes."""
        wanted = {**self.slots, **changes}
        return differing(wanted, {**dict.fromkeys(wanted), **self._initial})


def opening_metadata(events: Sequence[object]) -> object:
    """Return the metadata that opens the session which is about to start; None if none does.

    While `action_session_start` runs, the latest message is still that of the session before. Only
    what came since the last action opens a session: the message `/session_start` itself, else the
    slot in which Rasa notes the metadata of a message that opens one, if it is the very last event.
    """
    newest: Mapping[str, Any] = {}
    for event in reversed(events):
        if not isinstance(event, dict):
            continue
        if event.get("event") in _BORDERS:
            break
        if event.get("event") == "user":
            return event.get("metadata") if _asks_for_session(event.get("text")) else None
        newest = newest or event
    is_note = newest.get("event") == "slot" and newest.get("name") == SESSION_METADATA
    return newest.get("value") if is_note else None


def _asks_for_session(text: object) -> bool:
    return isinstance(text, str) and text.partition("{")[0].strip() == "/session_start"


def _part(domain: object, *path: str) -> object:
    for step in path:
        domain = domain.get(step) if isinstance(domain, dict) else None
    return domain


# The facts


class Bot:
    """What the settings make of a bot's conversations: the names of slots, keys, places to look."""

    def __init__(self, settings: PS7Settings) -> None:
        self.settings = settings
        self.names = SlotNames(settings.slot_names)
        self.among = lru_cache(maxsize=16)(self.names.among)  # a bot's slots hardly ever change
        self.sealer = Sealer([key.get_secret_value() for key in settings.seal_keys])
        keys = [key.get_secret_value() for key in settings.arrival_keys or ()]
        self.verifier = ArrivalVerifier(keys, settings.encoded)
        self.paths = [path.split(".") for path in settings.metadata_keys]
        self.correlation = KeyedDigest(settings.newest_key, "correlation id")
        self.digest = KeyedDigest(settings.newest_key, "context id").short


class Reading:
    """One conversation at one moment. What is not of the expected type is ignored."""

    def __init__(
        self, tracker: TrackerLike, bot: Bot, now: datetime, domain: object = None
    ) -> None:
        """Read the tracker in one walk, open its seals, and find what arrived.

        The domain of the call tells which slots the bot fills by itself; without one, none.
        """
        self.bot, self.now = bot, now
        self.sender_id = str(tracker.sender_id)
        self._read_slots(tracker.slots if isinstance(tracker.slots, dict) else {}, domain)
        self.history = History(
            tracker.events if isinstance(tracker.events, list) else (),
            tracker.latest_message,
            context=bot.names.context,
            status=bot.names.status,
        )
        self._read_seals()
        self.found: Found | None = self._found()
        """The contextId at hand; None if there is none."""
        self._compare()

    # Slots

    def _read_slots(self, slots: dict[str, Any], domain: object) -> None:
        names, declared = self.bot.names, self.bot.among(tuple(slots))
        own = filled_otherwise(domain, declared)
        self.slots = slots
        self.own = [(declared[name], name, mapping) for name, mapping in own.items()]
        """Declared slots that the bot fills by itself: default name, the bot's name, mapping."""
        self.ours = {n: declared[n] for n in declared if n not in own} if own else declared
        """The plugin's slots: the bot's name of each to its default name."""
        needed = ((STATUS, names.status), (CONTEXT, names.context))
        self.undeclared = [(default, name) for default, name in needed if name not in slots]
        """What the bot has to declare and does not: default name, the bot's name."""
        self.status = slots[names.status] if names.status in self.ours else None
        """What the slot of the status has, if it is the plugin's."""
        self._context = slots[names.context] if names.context in self.ours else None
        # As Rasa reads a categorical slot.
        self.says_ok: bool = isinstance(self.status, str) and self.status.lower() == Outcome.OK
        """Whether the status is `ok`."""

    # Seals

    def _read_seals(self) -> None:
        text, history = self._context, self.history
        first = {text: None} if isinstance(text, str) else {}
        self.seals = seals = self.bot.sealer.heads(first | history.seals, self.sender_id)
        """Every seal of this conversation that the tracker shows, the highest number first."""
        self.here: list[Head] = []
        """Those of this session."""
        self.guesses = 0
        """About so many contextIds this conversation asked in vain, in whichever session."""
        self.in_slot: Head | None = None
        """The seal in the slot; None if it has none of this conversation."""
        know = []
        for seal in seals:
            if seal.session == history.mark and (
                history.mark or seal.sealed_at.timestamp() >= history.shown_since
            ):
                self.here.append(seal)
            if seal.text == text:
                self.in_slot = seal
            self.guesses = max(self.guesses, seal.guesses)
            if seal.logged_out:
                know.append(seal)
        self.newest = newest = seals[0] if seals else None
        """The seal with the highest number, of whichever session."""
        self.log_outs = LogOuts.of(know) if know else NO_LOG_OUTS
        """What any seal shown knows to be logged out."""
        self.asked = {seal.fingerprint for seal in self.here if seal.asked}
        """What this session has asked PS7 about."""
        self.is_current = newest in self.here
        """Whether the newest seal is of this session."""
        self.held: Head | None = None
        """The newest seal, if it is of this session and the slot has one about the same."""
        if newest is not None and self.in_slot is not None and self.is_current:
            self.held = newest if newest.fingerprint == self.in_slot.fingerprint else None
        opened = None if self.held is None else self.open(self.held)
        self.customer: CustomerContext | None = None if opened is None else opened.customer
        """Whom the held seal names; None if it is nobody."""
        self.valid: bool = opened is not None and opened.valid_at(self.now)
        """Whether the held seal names a customer whose time is not over."""

    def open(self, seal: Seal | Head) -> Seal | None:
        """Return the whole seal."""
        return self.bot.sealer.open(seal.text, self.sender_id)

    def _failed(self, found: Found) -> Head | None:
        """Return the newest answer about a contextId, if it is a failure that has to wait."""
        for seal in self.here:
            if seal.fingerprint == found.fingerprint and seal.outcome not in ANONYMOUS:
                return seal if self._waits(seal) else None
        return None

    def _waits(self, seal: Head) -> bool:
        if seal.outcome in (Outcome.DENIED, Outcome.UNAVAILABLE):
            return self._of_this_turn(seal)  # a turn costs one deadline, however many runs it has
        if seal.outcome == Outcome.OK:
            return False
        return timedelta(0) <= self.now - seal.sealed_at < REFUSED_FOR

    def _of_this_turn(self, seal: Head) -> bool:
        """Whether a seal came after the newest message."""
        return seal.text in self.history.sealed_this_turn

    def _logged_out(self, found: Found) -> str | None:
        if found.context_id is None:
            return None
        alike = received_alike(found.context_id, found.encoded)
        return next((out for out in map(fingerprint, alike) if self.log_outs.has(out)), None)

    # What the rules ask for

    def _compare(self) -> None:
        found, held, in_slot, newest = self.found, self.held, self.in_slot, self.newest
        self.logged_out: str | None = None
        """Fingerprint by which the contextId at hand is logged out; None if it is not."""
        if found is not None and self.log_outs != NO_LOG_OUTS:
            self.logged_out = self._logged_out(found)
        full = len(self.asked) >= self.bot.settings.max_contexts
        self.too_many: bool = full and found is not None and found.fingerprint not in self.asked
        """Whether the session has asked about as many others as it may."""
        self.same: bool = (
            found is not None and held is not None and found.fingerprint == held.fingerprint
        )
        """Whether the held seal is about what was found."""
        self.failed: Head | None = None if found is None else self._failed(found)
        """The seal of this session by which it is not yet time to ask about the contextId again."""
        names_nobody = in_slot is not None and in_slot.outcome != Outcome.OK
        self.seal_refused = self._context is not None and in_slot is None
        """Whether the slot of the seal has something that no key opens for this conversation."""
        self.claims: bool = held is None and (
            self.says_ok or (self._context is not None and not names_nobody)
        )
        """Whether the slots claim a customer, and no seal is held."""
        rewound = in_slot is not None and in_slot.text != self.history.last_seal
        self.outdated: bool = newest is not None and (
            not self.is_current or rewound or (in_slot is not None and in_slot.of_another_version)
        )
        """Whether Rasa, and nobody else, left what the slots claim."""
        sealed_now = held is not None and self._of_this_turn(held)
        self.said: object = held.outcome if held and sealed_now else self.history.said_this_turn
        """What the status was set to since the newest message."""

    # What arrived

    def _found(self) -> Found | None:
        """Return what this session's messages brought, the newest first.

        Last, what the newest seal is about, if it is of this session: so a failure is tried again,
        and a customer whose time is over is looked up again.
        """
        arrivals = self._arrivals()
        found, at = next(arrivals, (None, 0.0))
        if found is None:
            return self._found_in_seal()
        if found.refused or found.may_arrive_at(at):
            return found
        # Its token is over, as a page may send it with each message. An earlier message may have
        # brought the same contextId in time, unless another one arrived in between.
        for other, then in arrivals:
            if other.fingerprint == found.fingerprint:
                if other.may_arrive_at(then):
                    return found
            elif other.context_id is not None:
                return refused(found.value, Reason.ARRIVAL_TIME)
        arrived = found.fingerprint in self.asked  # it opened the session
        return found if arrived else refused(found.value, Reason.ARRIVAL_TIME)

    def _found_in_seal(self) -> Found | None:
        newest = self.newest
        if newest is None or not newest.asked or not self.is_current:
            return None
        seal = self.open(newest)
        return None if seal is None else Found(seal.context_id, seal.fingerprint, seal.encoded)

    def _arrivals(self) -> Iterator[tuple[Found, float]]:
        """Yield what the messages of this session brought and when, the newest first."""
        verifier = self.bot.verifier
        for message in reversed(self.history.messages):
            hit = look_in(message.metadata, self.bot.paths)
            if hit is not None:
                at = message.came_at
                yield verifier.read(hit, self.sender_id), self.now.timestamp() if at is None else at


def filled_otherwise(domain: object, names: Iterable[str]) -> dict[str, str]:
    """Return which of these slots a domain fills by itself, each with the mapping that does.

    Such a slot is the bot's own: a form or an entity fills it. What is not of the expected type is
    ignored.
    """
    found: dict[str, str] = {}
    match domain:
        case {"slots": dict(slots)}:
            declared = slots.keys() & names
        case _:
            return {}
    for name in declared:
        match slots[name]:
            case {"mappings": [*mappings]}:
                for mapping in mappings:
                    match mapping:
                        case {"type": str(kind)} if kind not in FILLED_BY_ACTIONS:
                            found.setdefault(name, kind)
    return found
