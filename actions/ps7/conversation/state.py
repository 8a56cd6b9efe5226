"""What one run finds in a conversation: the bot's slots, the seals that count, and what arrived.

**What a conversation is about comes from this session's messages; a seal is only what PS7 answered
about one contextId.** It counts if it is of this conversation and session, and about the contextId
that arrived last. So an old one that somebody puts back is about that, or about nobody who counts.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ..customer import CONTEXT, FILLED_BY_ACTIONS, STATUS, SlotNames
from ..digests import KeyedDigest
from ..outcomes import Outcome, Reason
from .arrival import Arrival, ArrivalVerifier, fingerprint, look_in, received_alike, refused
from .history import History
from .seal import UNREADABLE, Sealer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ..settings import PS7Settings
    from .history import TrackerLike
    from .seal import Contents, Seal

REFUSED_FOR = timedelta(seconds=30)
"""For this long PS7 is not asked again about a contextId that it did not know or take."""


class Slots(NamedTuple):
    """The slots of a tracker, and which of them are the plugin's."""

    values: dict[str, Any]
    """All of them."""
    plugin: dict[str, str]
    """The plugin's: the bot's name of each to its default name."""
    filled_by_bot: list[tuple[str, str, str]]
    """Declared slots that the bot fills by itself: default name, the bot's name, mapping."""
    undeclared: list[tuple[str, str]]
    """What the bot has to declare and does not: default name, the bot's name."""


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

    def slots_of(self, tracker: TrackerLike, domain: object = None) -> Slots:
        """Return which slots are the plugin's. What is not of the expected type is ignored.

        The domain of the call tells which slots the bot fills by itself; without one, none.
        """
        values = tracker.slots if isinstance(tracker.slots, dict) else {}
        declared = self.among(tuple(values))
        filled = filled_otherwise(domain, declared)
        needed = ((STATUS, self.names.status), (CONTEXT, self.names.context))
        return Slots(
            values,
            {n: declared[n] for n in declared if n not in filled} if filled else declared,
            [(declared[name], name, mapping) for name, mapping in filled.items()],
            [(default, name) for default, name in needed if name not in values],
        )


class State:
    """One conversation at one moment. What is not of the expected type is ignored."""

    def __init__(self, tracker: TrackerLike, slots: Slots, bot: Bot, now: datetime) -> None:
        """Walk the events, and open the seals that they show."""
        names = bot.names
        self.bot, self.now, self.slots = bot, now, slots
        self.sender_id = str(tracker.sender_id)
        self.status = slots.values[names.status] if names.status in slots.plugin else None
        """What the slot of the status has, if it is the plugin's."""
        # As Rasa reads a categorical slot.
        self.says_ok = isinstance(self.status, str) and self.status.lower() == Outcome.OK
        """Whether the status is `ok`."""
        self.text = slots.values[names.context] if names.context in slots.plugin else None
        """What the slot of the seal has, if it is the plugin's."""
        self.history = history = History(
            tracker.events if isinstance(tracker.events, list) else (),
            tracker.latest_message,
            context=names.context,
            status=names.status,
        )
        texts: Iterable[str] = history.sealed_at
        if isinstance(self.text, str) and self.text not in history.sealed_at:
            texts = (self.text, *texts)
        self.seals = bot.sealer.seals(texts, self.sender_id)
        """Every seal of this conversation that the tracker shows, in the order in which they first
        appeared; one that is in the slot alone counts as the oldest."""
        self.session_seals = [
            seal
            for seal in self.seals
            if seal.session == history.mark and history.is_of_session(seal.text)
        ]
        """Those of this session."""
        known = dict.fromkeys(seal.logged_out for seal in reversed(self.seals))  # mostly the same
        self.log_outs = tuple(dict.fromkeys(out for log_outs in known for out in log_outs))
        """Fingerprints of all that any seal shown has as logged out, the newest first."""

    # Seals

    @property
    def newest_seal(self) -> Seal | None:
        """The seal that appeared last, of whichever session."""
        return self.seals[-1] if self.seals else None

    @property
    def slot_seal(self) -> Seal | None:
        """The seal in the slot; None if it has none of this conversation."""
        return next((seal for seal in reversed(self.seals) if seal.text == self.text), None)

    @property
    def slot_names_customer(self) -> bool:
        """Whether the seal in the slot has a customer."""
        return self.slot_seal is not None and self.slot_seal.names_customer

    def seal_about(self, arrival: Arrival) -> Seal | None:
        """Return the newest seal of this session about a contextId: the only one that counts."""
        for seal in reversed(self.session_seals):
            if seal.about == arrival.fingerprint:
                return seal
        return None

    def open(self, seal: Seal) -> Contents:
        """Return what is sealed, the caller's own copy."""
        return self.bot.sealer.open(seal.text, self.sender_id) or UNREADABLE

    def waits(self, failed: Seal) -> bool:
        """Whether it is too early to ask PS7 again about what it failed to answer.

        One turn costs one deadline, however many runs it has; a refusal waits for 30 s.
        """
        if failed.outcome in (Outcome.DENIED, Outcome.UNAVAILABLE):
            return self.history.is_of_turn(failed.text)
        return timedelta(0) <= self.now - failed.sealed_at < REFUSED_FOR

    def asked_about(self) -> set[str]:
        """Return the fingerprints of what this session has asked PS7 about."""
        return {seal.about for seal in self.session_seals if seal.about}

    def is_logged_out(self, context_id: str | None, encoded: int | None) -> bool:
        """Whether a log-out is of a contextId that PS7 receives as this one."""
        if not self.log_outs or context_id is None:
            return False
        return any(
            fingerprint(text) in self.log_outs for text in received_alike(context_id, encoded)
        )

    # What arrived

    def arrival(self) -> Arrival | None:
        """Return what this session's messages brought, the newest first.

        Last, what the newest answer of this session is about: so a failure is tried again, and a
        customer whose time is over is looked up again.
        """
        arrivals = self._arrivals()
        found, at = next(arrivals, (None, 0.0))
        if found is None:
            return self._arrival_of_seal()
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
        arrived = found.fingerprint in self.asked_about()  # it opened the session
        return found if arrived else refused(found.value, Reason.ARRIVAL_TIME)

    def _arrival_of_seal(self) -> Arrival | None:
        for seal in reversed(self.session_seals):
            if seal.about and (answer := self.open(seal).answer) is not None:
                return Arrival(answer.context_id, seal.about, answer.encoded)
        return None

    def _arrivals(self) -> Iterator[tuple[Arrival, float]]:
        """Yield what the messages of this session brought and when, the newest first."""
        verifier = self.bot.verifier
        for message in reversed(self.history.messages):
            hit = look_in(message.metadata, self.bot.paths)
            if hit is not None:
                at = message.came_at
                yield verifier.read(hit, self.sender_id), self.now.timestamp() if at is None else at

    def is_new_refusal(self, arrival: Arrival, reason: Reason) -> bool:
        """Whether no run of this session has said yet that this value is refused.

        One did if it was brought by an earlier message, or refused since the newest one came.
        """
        said = (self.history.status_in_turn, self.history.status_at_start)
        arrivals = self._arrivals()
        if reason.outcome in said or look_in(self.history.newest_metadata, self.bot.paths) is None:
            return False
        next(arrivals)
        is_over = reason is Reason.ARRIVAL_TIME
        return not any(
            other.value == arrival.value and not (is_over and other.may_arrive_at(then))
            for other, then in arrivals
        )

    # What is claimed

    @property
    def is_foreign(self) -> bool:
        """Whether the slot of the seal has something that no key opens for this conversation."""
        return self.text is not None and self.slot_seal is None

    @property
    def nobody_is_known(self) -> bool:
        """Whether nothing says that a customer was known before this run: they left no trace."""
        newest = self.newest_seal
        if self.says_ok or self.text != (newest.text if newest else None):
            return False
        return newest is None or not newest.names_customer

    def claims(self, about: Seal | None) -> bool:
        """Whether the slots claim a customer, and no seal about the contextId at hand is there."""
        if self.is_foreign:
            return True
        return about is None and (self.says_ok or self.slot_names_customer)

    def status_claims(self, arrival: Arrival) -> bool:
        """Whether the status is `ok`, and no seal of another contextId's customer explains it."""
        seal = self.slot_seal
        explained = seal is not None and seal.names_customer and seal.about != arrival.fingerprint
        return self.says_ok and not explained

    @property
    def is_left_by_rasa(self) -> bool:
        """Whether Rasa, and nobody else, left what the slots claim.

        It carries the seals of other sessions over, and rewinds the slot to an older one.
        """
        if not self.session_seals:
            return bool(self.seals)
        return self.slot_seal is not None and self.text != self.history.last_sealed


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
