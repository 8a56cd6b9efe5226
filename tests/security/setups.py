"""The conversations that attacks begin with, and how they would go on without an attack."""

from __future__ import annotations

from dataclasses import dataclass

from tests.security.conversation import SESSION_START, STATUS, Conversation
from tests.security.steps import Step, brings, comes_back, notes, runs, seals
from tests.security.values import BRIEF, LONGEST, Value, genuine
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY


def _genuine(who: str) -> Value:
    # Bruno's token is over with his context, so that both can be attacked.
    return genuine(who, made=BRIEF - LONGEST if who == "bruno" else 0.0)


def arrives(who: str) -> Step:
    """Bring a customer's contextId, and look it up."""

    async def step(conversation: Conversation) -> None:
        await brings(_genuine(who))(conversation)
        await conversation.run(LOOK_UP)
        assert conversation.slots[STATUS] == ("invalid" if who == "refused" else "ok")

    return step


def opens_a_session(who: str) -> Step:
    """Start a session with a customer's contextId, which no message of it brings."""

    async def step(conversation: Conversation) -> None:
        await notes(_genuine(who))(conversation)
        before = len(conversation.events)
        await conversation.run(SESSION_START)
        del conversation.events[:before]  # a tracker store loads no more than this session
        assert conversation.slots[STATUS] == "ok"

    return step


@dataclass(frozen=True)
class Setup:
    """A conversation as far as it has come."""

    steps: tuple[Step, ...] = ()
    truth: str | None = None
    """Whom PS7 names for the contextId that counts here."""
    at_hand: str | None = None
    """Whose contextId arrived in this session, in a message of it or as what opened it."""
    verify: str | None = None
    """The status after `action_ps7_verify`."""
    look_up: str = "missing"
    """The status after `action_ps7_context`."""
    asks: str | None = None
    """Whose contextId that asks PS7 about."""


_LOGGED_OUT = (arrives("ana"), runs(FORGET))
_DIEGO = ("diego", "diego", "ok", "ok")
SETUPS = {
    "stranger": Setup(),
    "ana": Setup((arrives("ana"),), "ana", "ana", "ok", "ok"),
    "ana is carried over": Setup((arrives("ana"), comes_back), verify="expired", look_up="expired"),
    "ana is gone": Setup(
        (arrives("ana"), brings("two words"), runs(VERIFY)), verify="missing", look_up="invalid"
    ),
    "diego after ana": Setup((arrives("ana"), arrives("diego")), *_DIEGO),
    "diego, a session after ana": Setup((arrives("ana"), comes_back, arrives("diego")), *_DIEGO),
    "diego after ana, unsaid": Setup((opens_a_session("ana"), opens_a_session("diego")), *_DIEGO),
    "diego after a log-out": Setup((*_LOGGED_OUT, arrives("diego")), *_DIEGO),
    "logged out": Setup(_LOGGED_OUT, at_hand="ana", verify="missing"),
    "logged out, a session ago": Setup((*_LOGGED_OUT, comes_back), verify="missing"),
    "refused": Setup((arrives("refused"),), None, "refused", "invalid", "invalid"),
    "tampered": Setup((seals("broken"), runs(VERIFY)), verify="tampered", look_up="tampered"),
    "expired": Setup((arrives("bruno"),), "bruno", "bruno", "expired", "ok", "bruno"),
}
"""Bruno's first context is over when the attacks begin; what PS7 says of him later is not."""
