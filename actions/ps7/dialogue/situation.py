"""What one run finds in a conversation: which seal counts, what is held, what arrived.

**A seal is about one arrival; the newest seal of this session counts; log-outs add up.** Nothing
else is remembered. An attacker may roll the slot back to an older seal or wipe it, but cannot make
one, so the tracker's events and the seals' numbers tell which is the newest. Nothing is written
here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from ..context import Outcome
from ..errors import Reason
from ..slots import CONTEXT, STATUS
from .arrival import refused
from .context_id import Found, found_in, look_in
from .history import History, NewSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .context_id import Hit
    from .history import Session
    from .runtime import Runtime
    from .seal import Seal


_STAYS_SAID = (Outcome.TAMPERED, Outcome.EXPIRED)


class TrackerLike(Protocol):
    """What is read of the SDK's tracker."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


class Situation:
    """One conversation at one moment. What is not of the expected type counts as not there."""

    def __init__(
        self, tracker: TrackerLike, runtime: Runtime, now: datetime, domain: object = None
    ) -> None:
        """Read the tracker in one walk; no seal is opened yet.

        The domain of the call tells which slots the bot fills by itself; without one, none.
        """
        self.now = now
        self.sender_id = str(tracker.sender_id)
        self.slots = tracker.slots if isinstance(tracker.slots, dict) else {}
        self.ours = runtime.ours_among(self.slots, domain)
        """The slots that are ours: the bot's name of each to its default name."""
        self._runtime = runtime
        self._seal_set_to = self._in_slot_of(runtime.names.of(CONTEXT))
        self.history = History(
            tracker.events if isinstance(tracker.events, list) else (),
            tracker.latest_message,
            context=runtime.names.of(CONTEXT),
            status=runtime.names.of(STATUS),
        )
        if isinstance(tracker, NewSession):
            tracker.add_to(self.history)

    def _in_slot_of(self, name: str) -> object:
        """Return what stands in a slot of ours; None where it is the bot's own, or not declared."""
        return self.slots.get(name) if name in self.ours else None

    # Which seal counts

    @cached_property
    def _opened(self) -> dict[str, Seal]:
        """The seals of this conversation by their texts, that of the slot first."""
        in_slot = {self._seal_set_to: None} if isinstance(self._seal_set_to, str) else {}
        opened = (
            (text, self._runtime.sealer.open(text, self.sender_id))
            for text in in_slot | self.history.seals
        )
        return {text: seal for text, seal in opened if seal is not None}

    @property
    def seals(self) -> list[Seal]:
        """Every seal of ours that the tracker shows."""
        return list(self._opened.values())

    def text_of(self, seal: Seal | None) -> str | None:
        """Return the text that a seal was read from; None for one that is new."""
        return next((text for text, known in self._opened.items() if known is seal), None)

    @cached_property
    def in_slot(self) -> Seal | None:
        """The seal in the slot; None where none of ours for this conversation is there."""
        text = self._seal_set_to
        return self._opened.get(text) if isinstance(text, str) else None

    @cached_property
    def highest(self) -> Seal | None:
        """The seal with the highest number, whether it counts here or not."""
        return max(self.seals, key=lambda seal: seal.number, default=None)

    @cached_property
    def newest(self) -> Seal | None:
        """The same; without its customer where that does not count here."""
        highest = self.highest
        if highest is None or highest.customer is None or self._counts(highest):
            return highest
        return highest.model_copy(update={"customer": None, "outcome": Outcome.EXPIRED})

    def _counts(self, seal: Seal) -> bool:
        """Whether a customer is of this session, or was carried into it rightly.

        Where the session before is shown, the customer must have counted there as well, and no
        other contextId may have arrived there since.
        """
        session, before = self.history.session, self.history.before
        if seal.session == session.mark:
            return True
        text = self.text_of(seal)
        if text not in session.carried:
            return False
        if before is None:
            return True
        last = next(self._arrivals(before), None)
        belonged = seal.session == before.mark or text in before.carried
        return belonged and (last is None or last[0].fingerprint == seal.fingerprint)

    @cached_property
    def held(self) -> Seal | None:
        """The newest seal, if it is a log-out or the slot holds a seal about the same contextId.

        A seal of another version in the slot is held as well: it can only be expired.
        """
        newest, in_slot = self.newest, self.in_slot
        if in_slot is not None and in_slot.of_another_version:
            return in_slot
        if newest is None or newest.fingerprint in self.logged_out:
            return newest
        return newest if in_slot and in_slot.fingerprint == newest.fingerprint else None

    @cached_property
    def logged_out(self) -> dict[str, None]:
        """The contextIds that any seal shown knows to be logged out, the newest seal's first."""
        by_number = sorted(self.seals, key=lambda seal: seal.number, reverse=True)
        return dict.fromkeys(name for seal in by_number for name in seal.logged_out)

    @cached_property
    def _asked(self) -> set[str]:
        """The contextIds that the seals of this session are about."""
        mark = self.history.session.mark
        return {seal.fingerprint for seal in self.seals if seal.session == mark}

    def may_ask(self, found: Found) -> bool:
        """Whether this session may ask about a contextId: `PS7_MAX_CONTEXTS`."""
        limit = self._runtime.settings.max_contexts
        return len(self._asked | {found.fingerprint}) <= limit

    def of_this_session(self, seal: Seal) -> bool:
        """Whether a failure is of this session: in another one, PS7 may know by now."""
        if seal.session is None:
            return self.text_of(seal) not in self.history.session.carried
        return seal.session == self.history.session.mark

    def of_this_turn(self, seal: Seal) -> bool:
        """Whether a seal came after the newest message."""
        return self.text_of(seal) in self.history.sealed_this_turn

    @property
    def verified(self) -> Seal | None:
        """The seal of the customer who is known now, is not logged out, and no other arrived."""
        held = self.held
        if held is None or held.fingerprint in self.logged_out or not held.good_at(self.now):
            return None
        return held if self.found is None or self.same else None

    # What the slots claim

    @property
    def status(self) -> object:
        """What stands in the slot of the status."""
        return self._in_slot_of(self._runtime.names.of(STATUS))

    @property
    def says_ok(self) -> bool:
        """Whether the status claims a customer, read as Rasa reads a categorical slot."""
        status = self.status
        return isinstance(status, str) and status.lower() == Outcome.OK.value

    @property
    def claims_customer(self) -> bool:
        """Whether the slots claim that a customer is held."""
        return self.says_ok or self.seal_set

    @property
    def said_this_turn(self) -> Outcome | None:
        """`tampered` or `expired` where it was said since the newest message, else None.

        It stays said until the next one: a second run must not hide it.
        """
        said = self.history.said_this_turn
        return next((each for each in _STAYS_SAID if each.value == said), None)

    @property
    def seal_set(self) -> bool:
        """Whether anything stands in the slot of the seal."""
        return self._seal_set_to is not None

    # What arrived

    @cached_property
    def found(self) -> Found | None:
        """The contextId that counts now; None where there is none.

        What this session's messages brought, the newest first; last, what the newest seal is about
        if that arrived in this session, so that a failure is tried again and an expiry renewed.
        """
        arrivals = self._arrivals(self.history.session)
        found, at = next(arrivals, (None, 0.0))
        if found is None:
            return self._found_in_seal()
        if found.refused or found.may_arrive_at(at):
            return found
        # Its token is over, as a page may send it with each message: then an earlier message counts
        # that brought the same, unless another contextId arrived in between.
        for other, then in arrivals:
            if other.fingerprint == found.fingerprint:
                if other.may_arrive_at(then):
                    return found
            elif other.context_id is not None:
                return refused(found, Reason.ARRIVAL_TIME)
        if found.fingerprint in self._asked:  # it opened the session
            return found
        repeats = self._repeats_what_is_held(found)
        return self._found_in_seal() if repeats else refused(found, Reason.ARRIVAL_TIME)

    def _found_in_seal(self) -> Found | None:
        """Return what the newest seal is about, if that arrived in this session."""
        seal = self.newest
        if seal is None or seal.context_id is None or seal.session != self.history.session.mark:
            return None
        return Found(seal.context_id, seal.fingerprint, seal.encoded)

    def _repeats_what_is_held(self, found: Found) -> bool:
        """Whether a token that is over repeats what is known: then it is no arrival."""
        held = self.held
        return held is not None and held.good_at(self.now) and _is_about(held, found)

    def _arrivals(self, session: Session) -> Iterator[tuple[Found, float]]:
        """Yield what a session's messages brought and when, the newest first."""
        settings, verifier = self._runtime.settings, self._runtime.verifier
        for message in reversed(session.messages):
            hit = look_in(message.metadata, self._runtime.paths)
            if hit is not None:
                found = verifier.read(found_in(hit, settings.encoded), self.sender_id)
                # Only a token is held against the time.
                at = None if found.valid is None else self.history.came_at(message)
                yield found, self.now.timestamp() if at is None else at

    @property
    def same(self) -> bool:
        """Whether what was found is what is held."""
        return self.found is not None and self.held is not None and _is_about(self.held, self.found)

    # Where there is nothing to do

    @cached_property
    def newest_hit(self) -> Hit | None:
        """What this session's messages brought last, as it stands there."""
        messages = reversed(self.history.session.messages)
        hits = (look_in(message.metadata, self._runtime.paths) for message in messages)
        return next((hit for hit in hits if hit is not None), None)

    @cached_property
    def state(self) -> bytes:
        """The digest of all that a decision goes by, but for the time."""
        hit = self.newest_hit
        everything = [
            self.sender_id,
            {name: self.slots[name] for name in self.ours},
            list(self.history.seals),
            self.history.session.mark,
            None if hit is None else [hit.value, hit.beside.get("encoded")],
        ]
        return self._runtime.states.digest(everything)


def _is_about(seal: Seal, found: Found) -> bool:
    return seal.fingerprint == found.fingerprint
