"""A conversation whose runs are decided in plain values, with PS7 beside it: for tests of one run.

It is in the words of the test kit; what a run is to set is set at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
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
from actions.ps7.conversation.history import NONCE, NewSession, TrackerLike
from actions.ps7.conversation.seal import Contents
from actions.ps7.conversation.state import Bot, State
from actions.ps7.customer import SESSION_ACTION
from actions.ps7.settings import PS7Settings
from actions.ps7.testing.rasa_in_memory import LISTEN
from tests.support.conversation import PlainConversation
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
SLOTS = ("ps7_status", "ps7_context", "cpf", "agency", "balance")
ANA, DIEGO, ELISA = (fingerprint(name) for name in ("ana", "diego", "elisa"))
Decide = Callable[[State], Decision | Question]
_DECIDE: dict[str, Decide] = {LOOK_UP: look_up, VERIFY: verify, FORGET: forget}
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


class Talk(PlainConversation):
    """One conversation with a bot that has this plugin.

    It is in a session that Rasa began, unless the bot has a `PS7SessionStart`.
    """

    expires_after = math.inf

    def __init__(
        self,
        bot: Bot | None = None,
        *,
        sender_id: str = "sender-1",
        session_start: bool = False,
        **options: Any,  # noqa: ANN401 - handed on
    ) -> None:
        super().__init__(sender_id, SLOTS, NOW.timestamp(), **options)
        self.bot = bot or a_bot()
        self.session_start = session_start
        """Whether the bot has a `PS7SessionStart`."""
        self.ps7: dict[str, Outcome] = dict.fromkeys(CPF, Outcome.OK)
        self.asked: list[str] = []
        """What PS7 was asked about."""
        self.rule = ""
        """The rule that decided the last run."""
        self.noted: set[str] = set()
        """What was warned of."""
        if not session_start:
            super().start_session()
        self.later(seconds=1)

    # What the kit has too

    @property
    def tracker(self) -> TrackerLike:
        """What an action is called with."""
        message = self.state_of_rasa.latest_message
        return Snapshot(self.sender_id, self.slots, message, list(self.events))

    def begin_turn(self) -> None:
        """End the turn before, and load what Rasa's memory hands out."""
        if self.events and self.events[-1].get("name") != LISTEN:
            self.happens("action", name=LISTEN)
        super().begin_turn()

    def set_slots(self, **slots: object) -> Talk:
        """Set slots, as anything may."""
        for name, value in slots.items():
            self.set_slot(name, value)
        return self

    def start_session(self) -> None:
        """Run the bot's session start, or Rasa's own."""
        if not self.session_start:
            return super().start_session()
        session = NewSession(self.tracker, self.config)
        decision = self.decides(look_up, session)
        decision.report.tell(SESSION_ACTION, self.noted)
        self.happens("action", name=SESSION_ACTION)
        self.happens("session_started", metadata={NONCE: session.mark})
        self.set_slots(**session.to_set(decision.slots))
        return self.happens("action", name=LISTEN)

    def brings(self, context_id: object = None, **beside: object) -> Talk:
        """Send a message, with which the channel may name a customer."""
        return self.user(metadata={} if context_id is None else {"contextId": context_id, **beside})

    def comes_back(self, context_id: object = None, **beside: object) -> Talk:
        """Open another session with such a message."""
        return self.expire_session().brings(context_id, **beside)

    def arrives(
        self, context_id: object = None, outcome: Outcome | None = None, **beside: object
    ) -> Talk:
        """Bring that and look it up, as on every turn: from now on as `outcome`, if given."""
        if outcome is not None:
            self.ps7[str(context_id)] = outcome
        self.brings(context_id, **beside).look_up()
        return self

    def look_up(self) -> dict[str, Any]:
        """Run the lookup, as on every turn; return the slots that it set."""
        return self._ends(self.decides(look_up))

    def run(self, action: str) -> dict[str, Any]:
        """Run an action of the plugin by its name; return the slots that it set."""
        self.happens("action", name=action)
        return self._ends(self.decides(_DECIDE[action]))

    def rewind(self) -> None:
        """Run a fallback, which reverts the turn."""
        self.run_of_rasa("action_default_fallback")

    # What the plugin does

    @property
    def state(self) -> State:
        """What a run would find."""
        return self.found_in(self.tracker)

    def found_in(self, tracker: TrackerLike, domain: object = None) -> State:
        """Return what a run would find in a tracker."""
        return State(tracker, self.bot.slots_of(tracker, domain), self.bot, self.utc_now)

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
        self.set_slots(**decision.slots)
        self.rule = decision.rule.value
        said = self.slots["ps7_status"]
        assert decision.outcome == (said if said in {*Outcome} else Outcome.MISSING)
        return decision.slots

    def is_sealed_by_two(self, **of_the_other: object) -> Contents:
        """Let another server seal as well, right before; return the seal in the slot."""
        last = self.seal
        for seal in (last.model_copy(update=of_the_other), last):
            self.set_slot("ps7_context", self.bot.sealer.close(seal, self.sender_id))
        return last

    def customer(self, context_id: str, **more: object) -> CustomerContext:
        """Return the customer whom PS7 knows by a contextId."""
        ends = self.utc_now + timedelta(hours=1)
        known = CustomerContext(cpf=CPF[context_id], agency="0001", expires_at=ends)
        return known.model_copy(update=more)

    def token(self, context_id: str, seconds: int = 120, ago: int = 0) -> str:
        """Sign a contextId for this conversation, as a back-end does."""
        made = int(self.now) - ago
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
