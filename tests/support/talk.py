"""A conversation as Rasa keeps it, and PS7 beside it, in plain values: for tests of one run.

It writes the events that Rasa writes, and shows what Rasa's stores show: the latest session, and in
the turn that opens one the session before as well. What a run is to set is set at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
from cryptography.fernet import Fernet

from actions.ps7 import CustomerContext, Outcome
from actions.ps7.conversation.arrival import fingerprint
from actions.ps7.conversation.decision import (
    Decision,
    Question,
    answered,
    forget,
    look_up,
    verify,
)
from actions.ps7.conversation.history import NONCE, SESSION_METADATA, NewSession, TrackerLike
from actions.ps7.conversation.seal import Contents
from actions.ps7.conversation.state import Bot, State
from actions.ps7.customer import SESSION_ACTION
from actions.ps7.settings import PS7Settings
from actions.ps7.testing.rasa_in_memory import built_in, replay, stored

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SLOTS = ("ps7_status", "ps7_context", "cpf", "agency", "balance", SESSION_METADATA)
ANA, DIEGO, ELISA = (fingerprint(name) for name in ("ana", "diego", "elisa"))
Decide = Callable[[State], Decision | Question]
CPF = {"ana": "52998224725", "diego": "11144477735", "elisa": "39053344705"}
ARRIVAL_KEY = "arrival-" * 4
SEAL_KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="
_FILE = Path(__file__).parents[1] / "unit/data/seal_of_the_third_format.txt"
FORMAT_BEFORE = _FILE.read_text(encoding="ascii").strip()
"""A seal in the format before, made with that key for `sender-1`: it names ana until 2126, and
diego is logged out."""


def a_bot(**more: object) -> Bot:
    """Make a bot by its settings; `balance` is a slot of its own."""
    values: dict[str, Any] = {
        "base_url": "http://127.0.0.1:1",
        "username": "bot-user",
        "password": "bot-password",
        "seal_keys": [Fernet.generate_key().decode(), SEAL_KEY],
        "clear_slots": ["balance"],
        "max_contexts": 2,
    }
    return Bot(PS7Settings(_env_file=None, **values | more))


def signed(**more: object) -> Bot:
    """Make the same for a bot whose arrivals are signed."""
    return a_bot(arrival_keys=[ARRIVAL_KEY], **more)


@dataclass
class Snapshot:
    """What an action is called with."""

    sender_id: str
    slots: dict[str, Any]
    latest_message: dict[str, Any]
    events: list[dict[str, Any]]


@dataclass
class Talk:
    """One conversation: what the channel, Rasa, the bot and others put into its tracker."""

    bot: Bot = field(default_factory=a_bot)
    sender_id: str = "sender-1"
    now: datetime = NOW
    carries_over: bool = True
    ps7: dict[str, Outcome] = field(default_factory=lambda: dict.fromkeys(CPF, Outcome.OK))
    asked: list[str] = field(default_factory=list)
    """What PS7 was asked about."""
    rule: str = ""
    """The rule that decided the last run."""
    noted: set[str] = field(default_factory=set)
    """What was warned of."""
    events: list[dict[str, Any]] = field(default_factory=list)
    """What the tracker shows."""

    def __post_init__(self) -> None:
        if not self.events:
            self.starts_session(ours=False)

    # What Rasa does

    @property
    def domain(self) -> dict[str, Any]:
        """The part of a domain that a session start reads."""
        return {"session_config": {"carry_over_slots_to_new_session": self.carries_over}}

    @property
    def slots(self) -> dict[str, Any]:
        """The slots as the events leave them."""
        return replay(self.events, dict.fromkeys(SLOTS)).slots

    @property
    def tracker(self) -> TrackerLike:
        """What an action is called with."""
        message = replay(self.events, {}).latest_message
        return Snapshot(self.sender_id, self.slots, message, list(self.events))

    def happens(self, event: str, **more: object) -> None:
        """Note one event."""
        noted = {"event": event, **more}
        self.events.append(stored(noted, timestamp=self.now.timestamp(), origin={}))

    def writes(self, **slots: object) -> Talk:
        """Set slots, as anything may."""
        for name, value in slots.items():
            self.happens("slot", name=name, value=value)
        return self

    def starts_session(self, *, ours: bool = True) -> dict[str, Any]:
        """Run the bot's session start, or Rasa's own; return the slots that it set."""
        self.now += SECOND
        if ours:
            session = NewSession(self.tracker, self.domain)
            decision = self.decides(look_up, session)
            decision.report.tell(SESSION_ACTION, self.noted)
            to_set = session.to_set(decision.slots)
            opener: dict[str, Any] = {"metadata": {NONCE: session.mark}}
            events = [{"event": "slot", "name": name, "value": to_set[name]} for name in to_set]
        else:
            done = built_in(SESSION_ACTION, self.domain, self.events)
            assert done is not None
            _, *events, _ = done[0]
            opener, to_set = {}, {}
        self.happens("action", name=SESSION_ACTION)
        self.happens("session_started", **opener)
        for event in events:
            self.happens(**event)
        self.happens("action", name="action_listen")
        return to_set

    def says(
        self,
        context_id: object = None,
        text: str = "oi",
        *,
        opens: str | None = None,
        **beside: object,
    ) -> Talk:
        """The user writes, and the channel may name a customer.

        `opens`: a session starts with it, `ours` or `rasas`.
        """
        self.now += SECOND
        starts = [at for at, event in enumerate(self.events) if event.get("name") == SESSION_ACTION]
        del self.events[: max(starts, default=0)]
        if self.events[-1].get("name") != "action_listen":
            self.happens("action", name="action_listen")
        metadata = {} if context_id is None else {"contextId": context_id, **beside}
        if opens:
            if metadata:
                self.writes(session_started_metadata=metadata)
            self.starts_session(ours=opens == "ours")
        self.happens("user", text=text, metadata=metadata)
        return self

    def reverts(self) -> None:
        """Run a fallback, which reverts the turn."""
        self.happens("action", name="action_default_fallback")
        self.happens("rewind")

    # What the plugin does

    @property
    def state(self) -> State:
        """What a run would find."""
        return self.found_in(self.tracker)

    def found_in(self, tracker: TrackerLike, domain: object = None) -> State:
        """Return what a run would find in a tracker."""
        return State(tracker, self.bot.slots_of(tracker, domain), self.bot, self.now)

    def run(self) -> dict[str, Any]:
        """Run the lookup; return the slots that it set."""
        return self._ends(self.decides(look_up))

    def verifies(self) -> dict[str, Any]:
        """Verify; return the slots that it set."""
        return self._ends(self.decides(verify))

    def forgets(self) -> dict[str, Any]:
        """Log out; return the slots that it set."""
        return self._ends(self.decides(forget))

    def decides(
        self, decide: Decide, tracker: TrackerLike | None = None, domain: object = None
    ) -> Decision:
        """Read and decide, and ask PS7 if the decision is to ask."""
        state = self.found_in(tracker or self.tracker, domain)
        decision = decide(state)
        if not isinstance(decision, Question):
            return decision
        context_id = decision.context_id
        self.asked.append(context_id)
        outcome = self.ps7.get(context_id, Outcome.REJECTED)
        known = self.customer(context_id) if outcome == Outcome.OK else None
        return answered(state, decision, outcome, known)

    def hears(self, customer: CustomerContext, *, domain: object = None) -> dict[str, Any]:
        """Let PS7 answer with this customer; return the slots that the run set."""
        state = self.found_in(self.tracker, domain)
        question = look_up(state)
        assert isinstance(question, Question)
        return self._ends(answered(state, question, Outcome.OK, customer))

    def _ends(self, decision: Decision) -> dict[str, Any]:
        decision.report.tell("action", self.noted)
        self.writes(**decision.slots)
        self.rule = decision.rule.value
        said = self.slots["ps7_status"]
        assert decision.outcome == (said if said in {*Outcome} else Outcome.MISSING)
        return decision.slots

    def meets(
        self,
        context_id: object,
        outcome: Outcome | None = None,
        **more: Any,  # noqa: ANN401
    ) -> Talk:
        """Bring a contextId, and look it up, as `outcome` if given."""
        if outcome is not None:
            self.ps7[str(context_id)] = outcome
        self.says(context_id, **more).run()
        return self

    def is_sealed_by_two(self, **of_the_other: object) -> Contents:
        """Let another server seal as well, right before; return the seal in the slot."""
        last = self.seal
        for seal in (last.model_copy(update=of_the_other), last):
            self.writes(ps7_context=self.bot.sealer.close(seal, self.sender_id))
        return last

    def customer(self, context_id: str) -> CustomerContext:
        """Return the customer whom PS7 knows by a contextId."""
        return CustomerContext(cpf=CPF[context_id], agency="0001", expires_at=self.now + HOUR)

    def token(self, context_id: str, seconds: int = 120) -> str:
        """Sign a contextId for this conversation, as a back-end does."""
        made = int(self.now.timestamp())
        claims = {"contextId": context_id, "sub": self.sender_id, "iat": made}
        return jwt.encode({**claims, "exp": made + seconds}, ARRIVAL_KEY, "HS256")

    # What the slots say

    @property
    def seal(self) -> Contents:
        """What the seal in the slot says."""
        seal = self.bot.sealer.open(self.slots["ps7_context"], self.sender_id)
        assert seal is not None
        return seal

    @property
    def says_now(self) -> tuple[object, object]:
        """The status, and who the slots say is here."""
        names = {cpf: name for name, cpf in CPF.items()}
        cpf = self.slots["cpf"]
        return self.slots["ps7_status"], names.get(cpf, cpf)


# What may be held when a run begins: about ana, if about anybody.


def _older_seal(talk: Talk) -> None:
    talk.meets("ana")
    older = talk.slots["ps7_context"]
    talk.meets("diego")
    talk.writes(ps7_context=older)


def _expired(talk: Talk) -> None:
    talk.meets("ana")
    talk.now += HOUR
    talk.says(opens="rasas")
    talk.run()


def _logged_out(talk: Talk) -> None:
    talk.meets("ana")
    talk.forgets()


def _wait(outcome: Outcome, seconds: float) -> Callable[[Talk], None]:
    def held(talk: Talk) -> None:
        talk.meets("ana", outcome)
        talk.now += timedelta(seconds=seconds)

    return held


HELD: dict[str, Callable[[Talk], object]] = {
    "nothing": lambda _: None,
    "ok": _wait(Outcome.OK, 0),
    "ok, too old": _wait(Outcome.OK, 3600),
    "invalid": _wait(Outcome.INVALID, 0),
    "rejected": _wait(Outcome.REJECTED, 28.9),
    "rejected, this moment": _wait(Outcome.REJECTED, -1),
    "rejected, 30 s ago": _wait(Outcome.REJECTED, 29),
    "rejected, clock ahead": _wait(Outcome.REJECTED, -1.1),
    "denied": _wait(Outcome.DENIED, 0),
    "unavailable": _wait(Outcome.UNAVAILABLE, 0),
    "expired": _expired,
    "logged out": _logged_out,
    "wiped": lambda talk: (talk.meets("ana"), talk.writes(ps7_context=None)),
    "a failure, wiped": lambda talk: (
        talk.meets("ana", Outcome.REJECTED),
        talk.writes(ps7_context=None),
    ),
    "older": _older_seal,
    "not ours": lambda talk: talk.writes(ps7_context="forged"),
    "format of before": lambda talk: talk.writes(ps7_context=FORMAT_BEFORE),
    "a status alone": lambda talk: talk.writes(ps7_status="OK"),
}
FOUND: dict[str, Callable[[Talk], object]] = {
    "none": lambda talk: (talk.says(opens="rasas"), talk.says()),
    "same": lambda talk: talk.says("ana"),
    "another": lambda talk: talk.says("elisa"),
    "unusable": lambda talk: talk.says("two words"),
    "again": lambda talk: talk.says("ana", opens="rasas"),
}
"""What may be found. For none and again, another session begins first: what arrived before belongs
to the one that ended."""


def talk_with(held: str, found: str) -> Talk:
    """Return a conversation right before a run: what is held, and what came."""
    talk = Talk()
    HELD[held](talk)
    FOUND[found](talk)
    return talk
