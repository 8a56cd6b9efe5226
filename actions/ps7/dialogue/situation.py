"""What one run finds in a conversation: every fact that a rule asks for, each computed once.

**A seal is valid in the session in which it was made; the newest applies; log-outs add up.**
Nothing else is remembered. An attacker may roll the slot back to an older seal or wipe it, but
cannot make one, so the tracker's events and the seals' numbers tell which is the newest. Nothing is
written here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from ..outcomes import Outcome, Reason
from .arrival import refused
from .context_id import Found, fingerprint, found_in, look_in
from .history import History, NewSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .runtime import Runtime
    from .seal import Seal

REFUSED_FOR = timedelta(seconds=30)
"""For this long PS7 is not asked again about a contextId that it did not know or take."""

FACTS = {
    "found": "a contextId is at hand",
    "refused": "the arrival of the contextId was refused",
    "unusable": "the contextId is not usable",
    "logged_out": "the contextId was logged out",
    "too_many": "the session has asked about `PS7_MAX_CONTEXTS` others",
    "same": "the held seal is about this contextId",
    "another": "the held seal is about another contextId",
    "known": "the held seal names a customer",
    "good": "the held seal names a customer whose time is not over",
    "waits": "it is too early to ask again about the failure that the held seal reports",
    "anyone": "the held seal or the slots name a customer",
    "claims": "the slots claim a customer, and no seal is held",
    "outdated": "the seal is of an earlier session or another version, or Rasa rewound to it",
    "was_here": "a seal of this session names a customer",
    "says_ok": "`ps7_status` is `ok`",
    "said_expired": "`expired` was set since the newest message",
    "said_tampered": "`tampered` was set since the newest message",
}
"""The facts that a rule can ask for, each an attribute of `Situation`, in words."""


class TrackerLike(Protocol):
    """What is read of the SDK's tracker."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


class Situation:
    """One conversation at one moment. What is not of the expected type is ignored."""

    def __init__(
        self, tracker: TrackerLike, runtime: Runtime, now: datetime, domain: object = None
    ) -> None:
        """Read the tracker in one walk, open its seals, and find what arrived.

        The domain of the call tells which slots the bot fills by itself; without one, none.
        """
        self.now = now
        self.sender_id = str(tracker.sender_id)
        self.slots = tracker.slots if isinstance(tracker.slots, dict) else {}
        self.ours = runtime.ours_among(self.slots, domain)
        """The plugin's slots: the bot's name of each to its default name."""
        self._runtime = runtime
        names = runtime.names
        self.history = history = History(
            tracker.events if isinstance(tracker.events, list) else (),
            tracker.latest_message,
            context=names.context,
            status=names.status,
        )
        if isinstance(tracker, NewSession):
            tracker.add_to(history)

        text = self._value_of(names.context)
        self.seals = self._opened(text)
        """Every seal of this conversation that the tracker shows, by its text; the slot's first."""
        self.by_number = sorted(self.seals.values(), key=lambda seal: -seal.number)
        """The same seals, the highest number first."""
        here = [seal for seal in self.by_number if seal.session == history.mark]
        self.in_slot = self.seals.get(text) if isinstance(text, str) else None
        """The seal in the slot; None if it has none of this conversation."""
        self.newest = self.by_number[0] if self.seals else None
        """The seal with the highest number, of whichever session."""
        self.newest_here = here[0] if here else None
        """The same of this session."""
        self.log_outs = dict.fromkeys(out for seal in self.by_number for out in seal.logged_out)
        """What any seal shown knows to be logged out, the newest seal's first."""
        self.asked = {seal.fingerprint for seal in here if seal.context_id is not None}
        """What this session has asked PS7 about."""
        self.held = self._held()
        """The newest seal, if it is of this session and the slot has one about the same."""
        self.found = self._found()
        """The contextId at hand; None if there is none."""
        self._state_facts(here, seal_set=text is not None)

    def _state_facts(self, here: list[Seal], *, seal_set: bool) -> None:
        found, held, in_slot, newest = self.found, self.held, self.in_slot, self.newest
        usable = None if found is None else found.context_id
        self.refused = found is not None and found.refused is not None
        self.unusable = found is not None and usable is None
        self.logged_out = (
            bool(self.log_outs) and usable is not None and fingerprint(usable) in self.log_outs
        )
        full = len(self.asked) >= self._runtime.settings.max_contexts
        self.too_many = full and found is not None and found.fingerprint not in self.asked
        both = found is not None and held is not None
        self.same = both and found.fingerprint == held.fingerprint  # type: ignore[union-attr]
        self.another = both and not self.same
        self.known = held is not None and held.customer is not None
        self.good = held is not None and held.good_at(self.now)
        self.waits = held is not None and self._waits(held)
        self.status = self._value_of(self._runtime.names.status)
        """What the slot of the status has."""
        # As Rasa reads a categorical slot.
        self.says_ok = isinstance(self.status, str) and self.status.lower() == Outcome.OK
        names_nobody = in_slot is not None and in_slot.outcome != Outcome.OK
        self.seal_refused = seal_set and in_slot is None
        """Whether the slot of the seal has something that no key opens for this conversation."""
        self.claims = held is None and (self.says_ok or (seal_set and not names_nobody))
        self.anyone = self.known or self.claims or self.says_ok
        rewound = in_slot is not None and in_slot is not self.seals.get(self.history.last_seal)
        self.outdated = newest is not None and (
            newest.session != self.history.mark
            or rewound
            or (in_slot is not None and in_slot.of_another_version)
        )
        self.was_here = any(seal.customer is not None for seal in here)
        sealed_now = held is not None and self._of_this_turn(held)
        said = held.outcome if held and sealed_now else self.history.said_this_turn
        self.said_expired = said == Outcome.EXPIRED
        self.said_tampered = said == Outcome.TAMPERED

    def _value_of(self, name: str) -> object:
        """Return what a slot of the plugin has; None if it is the bot's own, or not declared."""
        return self.slots[name] if name in self.ours else None

    # Seals

    def _opened(self, in_slot: object) -> dict[str, Seal]:
        first = {in_slot: None} if isinstance(in_slot, str) else {}
        opened = {}
        for text in first | self.history.seals:
            seal = self._runtime.sealer.open(text, self.sender_id)
            if seal is not None:
                opened[text] = seal
        return opened

    def _held(self) -> Seal | None:
        newest, in_slot = self.newest, self.in_slot
        if newest is None or in_slot is None or newest.session != self.history.mark:
            return None
        return newest if newest.fingerprint == in_slot.fingerprint else None

    def _waits(self, held: Seal) -> bool:
        """Whether a failure that is held is not looked up again now."""
        if held.outcome in (Outcome.DENIED, Outcome.UNAVAILABLE):
            return self._of_this_turn(held)  # a turn costs one deadline, however many runs it has
        if held.outcome == Outcome.INVALID and held.context_id is None:
            return True  # it is not usable: PS7 was not asked
        if held.outcome in (Outcome.REJECTED, Outcome.INVALID):
            return timedelta(0) <= self.now - held.sealed_at < REFUSED_FOR
        return False

    def _of_this_turn(self, seal: Seal) -> bool:
        """Whether a seal came after the newest message."""
        return any(self.seals.get(text) is seal for text in self.history.sealed_this_turn)

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
                return refused(found, Reason.ARRIVAL_TIME)
        arrived = found.fingerprint in self.asked  # it opened the session
        return found if arrived else refused(found, Reason.ARRIVAL_TIME)

    def _found_in_seal(self) -> Found | None:
        seal = self.newest
        if seal is None or seal.context_id is None or seal.session != self.history.mark:
            return None
        return Found(seal.context_id, seal.fingerprint, seal.encoded)

    def _arrivals(self) -> Iterator[tuple[Found, float]]:
        """Yield what the messages of this session brought and when, the newest first."""
        settings, verifier = self._runtime.settings, self._runtime.verifier
        for message in reversed(self.history.messages):
            hit = look_in(message.metadata, self._runtime.paths)
            if hit is not None:
                found = verifier.read(found_in(hit, settings.encoded), self.sender_id)
                at = message.came_at
                yield found, self.now.timestamp() if at is None else at
