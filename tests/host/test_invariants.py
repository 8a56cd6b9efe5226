"""Whatever happens in a conversation, and in whatever order: what always holds after a run."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from cryptography.fernet import Fernet
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify, Outcome
from actions.ps7.testing import Conversation, Simulator
from tests.support.clock import Clock
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pytest

_T = TypeVar("_T")

SHOWN = ("cpf", "agency", "segment", "token_status", "u_ion")
SLOTS = ("ps7_status", "ps7_context", *SHOWN)
DOMAIN = {
    "actions": [LOOK_UP, VERIFY, FORGET],
    "slots": {name: {"type": "any", "mappings": [{"type": "custom"}]} for name in SLOTS},
}
CUSTOMERS: dict[str, dict[str, str | None]] = {
    "C1": {
        "cpf": "52998224725",
        "agency": "0001",
        "segment": "Private",
        "token_status": "valid",
        "u_ion": "1",
    },
    "C2": {
        "cpf": "11144477735",
        "agency": None,
        "segment": "Varejo",
        "token_status": "invalid",
        "u_ion": None,
    },
    "C3": {
        "cpf": None,
        "agency": "0003",
        "segment": None,
        "token_status": "absent",
        "u_ion": "3",
    },
}
_DEVICES = {"valid": ("Token", "S"), "invalid": ("CSI", "N"), "absent": ("none", None)}
ANSWERS = ("ok", "short", "code", "empty", 400, 401, 500, 503)
TYPED = ("typed", "typed too")
"""What users, forms and attackers write into slots: never what PS7 says of a customer."""

context_ids = st.sampled_from([None, *CUSTOMERS])
unusable = st.sampled_from([["C1"], "two words", True])


def payload(customer: dict[str, str | None]) -> dict[str, str | None]:
    device, accepted = _DEVICES[customer["token_status"] or ""]
    return {
        "u_cpf": customer["cpf"],
        "u_ag": customer["agency"],
        "u_seg": customer["segment"],
        "u_ion": customer["u_ion"],
        "u_dseg": device,
        "u_dsok": accepted,
    }


class Talk(RuleBasedStateMachine):
    """One conversation, with everything that can happen to it between two runs."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    ps7: ClassVar[Simulator]
    clock: ClassVar[Clock]

    current: object
    """The contextId that came last: no other may count."""

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        """Start with an anonymous user, and with a PS7 that knows everybody."""
        self.bot = Conversation(DOMAIN, [ActionPS7Context, ActionPS7Verify, ActionPS7Forget])
        self.current = None
        for context_id in CUSTOMERS:
            self.ps7_answers(context_id, "ok")
        self.says(None)

    @rule(context_id=st.sampled_from(sorted(CUSTOMERS)), answer=st.sampled_from(ANSWERS))
    def ps7_answers(self, context_id: str, answer: object) -> None:
        """PS7 changes its mind about a contextId."""
        body: dict[str, Any] = {"payload": payload(CUSTOMERS[context_id])}
        if answer == "short":
            body["expireIn"] = 20
        elif answer == "code":
            body["code"] = "1"
        elif answer == "empty":
            body["payload"] = {}
        status = answer if isinstance(answer, int) else 200
        self.ps7.answer(context_id, status=status, body=body)

    @rule(context_id=context_ids | unusable)
    def says(self, context_id: object) -> None:
        """The user writes, and the channel may name a customer."""
        metadata = None if context_id is None else {"contextId": context_id}
        self.wait(self.bot.user("oi", metadata=metadata))
        if metadata:
            self.current = context_id
        self.runs()

    @rule()
    def runs(self) -> None:
        """The action runs, and everything that must hold is looked at."""
        self.wait(self.bot.run(LOOK_UP))
        self.holds()
        asked = len(self.ps7.requests)
        again = self.wait(self.bot.run(LOOK_UP))
        assert again.events == []
        assert len(self.ps7.requests) == asked

    def holds(self) -> None:
        """Look at the slots after a run."""
        slots = self.bot.slots
        shown = {name: slots[name] for name in SHOWN}
        assert slots["ps7_status"] in {outcome.value for outcome in Outcome}
        if slots["ps7_status"] != "ok":
            assert set(shown.values()) <= {None, *TYPED}
        else:
            assert shown == CUSTOMERS[str(self.current)]

    @rule(name=st.sampled_from(SHOWN), value=st.sampled_from([None, *TYPED]))
    def somebody_writes_a_slot(self, name: str, value: str | None) -> None:
        """A form, an entity, the API or an attacker."""
        self.wait(self.bot.set_slot(name, value))

    @rule(value=st.sampled_from([None, "ok", "missing", "nonsense"]))
    def somebody_writes_the_status(self, value: str | None) -> None:
        """The claim that is worth most."""
        self.wait(self.bot.set_slot("ps7_status", value))

    @rule()
    def somebody_breaks_the_seal(self) -> None:
        """Or writes a text of their own into its slot."""
        self.wait(self.bot.set_slot("ps7_context", "gAAAAABbroken"))

    @rule()
    def verifies(self) -> None:
        """Before a sensitive step: the slots are the seal's, or nothing is claimed."""
        asked = len(self.ps7.requests)
        self.wait(self.bot.run(VERIFY))
        slots = self.bot.slots
        assert len(self.ps7.requests) == asked
        if slots["ps7_status"] == "ok":
            assert {name: slots[name] for name in SHOWN} == CUSTOMERS[str(self.current)]

    @rule()
    def forgets(self) -> None:
        """The customer logs out. What is no contextId cannot be logged out, and stays invalid."""
        self.wait(self.bot.run(FORGET))
        slots = self.bot.slots
        assert {slots[name] for name in SHOWN} == {None}
        self.runs()
        unusable = self.current not in (None, *CUSTOMERS)
        assert self.bot.slots["ps7_status"] in {"missing", "invalid" if unusable else "missing"}

    @rule()
    def the_turn_is_taken_back(self) -> None:
        """As a fallback does, with all that the turn set; what it brought still counts."""
        self.wait(self.bot.rewind())

    @rule()
    def the_session_ends(self) -> None:
        """The user comes back after an hour; the slots are carried over."""
        self.bot.expire_session()

    @rule(seconds=st.sampled_from([1, 19, 20, 29, 30, 3599, 3600, -1, -40]))
    def time_passes(self, seconds: int) -> None:
        """Or a server's clock is put right."""
        self.clock.move(seconds)

    @invariant()
    def every_slot_is_declared(self) -> None:
        """No run sets what the domain does not declare."""
        if hasattr(self, "bot"):
            assert set(self.bot.slots) == {*SLOTS, "session_started_metadata"}


def test_what_always_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run the slots show the current customer or nobody, whatever came before."""
    loop = Talk.loop = asyncio.new_event_loop()
    Talk.clock = Clock(monkeypatch)
    Talk.ps7 = Simulator()
    loop.run_until_complete(Talk.ps7.start())
    for name, value in Talk.ps7.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode()]))
    # What is held is looked at here, not how often PS7 is asked.
    monkeypatch.setenv("PS7_ATTEMPTS", "1")
    monkeypatch.setenv("PS7_BREAKER_FAILURES", "1000")
    try:
        machine = Talk.TestCase
        machine.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
        machine("runTest").runTest()
    finally:
        client = ActionPS7Context().runtime.client
        loop.run_until_complete(client.close())
        loop.run_until_complete(Talk.ps7.stop())
        loop.close()
