"""The conversations that attacks begin with, and how they would go on without an attack."""

from __future__ import annotations

from dataclasses import dataclass

from tests.security.conversation import SEAL, SESSION_START, STATUS, Conversation
from tests.security.planted import CONTEXT_IDS
from tests.security.steps import Step, brings, comes_back, notes, runs, writes
from tests.security.values import BRIEF, LONGEST, SIGNED, Value, token
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY


def _genuine(who: str) -> Value:
    """Return what the bank's own channel sends for a customer of this conversation."""
    # Bruno's token is over with his context, so that both can be attacked.
    signed = token(who, made=BRIEF - LONGEST if who == "bruno" else 0.0)
    return lambda conversation: (
        signed(conversation) if conversation.server == SIGNED else CONTEXT_IDS[who]
    )


async def _goes_on(conversation: Conversation) -> None:
    """Run what a bot always runs on a copy, so that the server may remember to have seen it."""
    for action in (LOOK_UP, VERIFY):
        await conversation.copy().run(action)


def arrives(who: str) -> Step:
    """Bring a customer's contextId, and look it up."""

    async def step(conversation: Conversation) -> None:
        await brings(_genuine(who))(conversation)
        await conversation.run(LOOK_UP)
        assert conversation.slots[STATUS] == ("invalid" if who == "refused" else "ok")
        await _goes_on(conversation)

    return step


def opens_a_session(who: str) -> Step:
    """Start a session with a customer's contextId, which no message of it brings."""

    async def step(conversation: Conversation) -> None:
        await notes(_genuine(who))(conversation)
        before = len(conversation.events)
        await conversation.run(SESSION_START)
        del conversation.events[:before]  # a tracker store loads no more than this session
        assert conversation.slots[STATUS] == "ok"
        await _goes_on(conversation)

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


_ANA_THEN_DIEGO = (arrives("ana"), arrives("diego"))
STALE = "diego is back, ana's note is stale"
SETUPS = {
    "stranger": Setup(),
    "ana": Setup((arrives("ana"),), "ana", "ana", "ok", "ok"),
    "ana is back": Setup((arrives("ana"), comes_back), "ana", None, "ok", "ok"),
    "diego after ana": Setup(_ANA_THEN_DIEGO, "diego", "diego", "ok", "ok"),
    "diego is back": Setup((*_ANA_THEN_DIEGO, comes_back), "diego", None, "ok", "ok"),
    STALE: Setup(
        (*_ANA_THEN_DIEGO, comes_back, notes(_genuine("ana")), _goes_on),
        *("diego", None, "ok", "ok"),
    ),
    "diego after ana, unsaid": Setup(
        (opens_a_session("ana"), opens_a_session("diego")), "diego", "diego", "ok", "ok"
    ),
    "refused": Setup((arrives("refused"),), None, "refused", "invalid", "invalid"),
    "diego after a log-out": Setup(
        (arrives("ana"), runs(FORGET), arrives("diego")), "diego", "diego", "ok", "ok"
    ),
    "logged out": Setup((arrives("ana"), runs(FORGET)), None, "ana", "missing", "missing"),
    "cleared": Setup(
        (arrives("ana"), comes_back, writes(**{SEAL: "broken"}), runs(VERIFY)),
        *(None, None, "tampered", "tampered"),
    ),
    "expired": Setup((arrives("bruno"), comes_back), None, None, "expired", "expired"),
    "expired, at hand": Setup((arrives("bruno"),), "bruno", "bruno", "expired", "ok", "bruno"),
}
"""Bruno's first context is over when the attacks begin; what PS7 says of him later is not."""
