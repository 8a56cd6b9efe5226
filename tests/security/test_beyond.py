"""What is limited, and what the plugin cannot prevent: such an attack succeeds, as its name says.

So that the list of what a bank has to look after stays true.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import pytest

from actions.ps7.testing import PERSONAS
from tests.security.attacking import (
    ANA,
    LISTEN,
    NOTE,
    SEAL_KEY,
    SESSION_START,
    STATUS,
    WITNESS,
    Bank,
    Step,
    Talk,
    arrives,
    brings,
    comes_back,
    happens,
    runs,
    says,
    sealed_by,
    seals,
    token,
    writes,
)
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

NOTED = (says(), runs(LISTEN), writes(**{NOTE: {"contextId": ANA}}), runs(SESSION_START))


class Success(NamedTuple):
    """What is done, and to which bot."""

    steps: tuple[Step, ...]
    signed: bool = False
    starts: bool = False
    carries: bool = True


SUCCESSES = {
    "a contextId, and no PS7_ARRIVAL_KEYS": Success((brings(ANA),)),
    "the same through Rasa's API": Success(
        (happens("user", text="oi", metadata={"contextId": ANA}),)
    ),
    "the same, right before a session starts": Success(NOTED, starts=True),
    "a token within its 120 s and its sender id, or an arrival key": Success(
        (brings(token("ana")),), signed=True
    ),
    "a seal key, and a way to write ps7_context": Success(
        (says(), seals(sealed_by(SEAL_KEY))), signed=True
    ),
    "the sender id of a conversation that goes on": Success((*arrives("ana"), says()), signed=True),
    "the contextId, and a session that Rasa starts and carries nothing over": Success(
        (*arrives("ana"), runs(FORGET), comes_back, brings(ANA)), carries=False
    ),
}


@pytest.mark.parametrize("success", SUCCESSES.values(), ids=SUCCESSES)
async def test_who_has_what_it_takes_is_served_as_the_customer(
    bank: Bank, success: Success
) -> None:
    """With the slots, the status, and in the eyes of the bot's own actions."""
    await bank.opens(signed=success.signed)
    talk = Talk(bank, starts=success.starts, carries=success.carries)
    await talk.after(*success.steps)
    for action in (LOOK_UP, VERIFY, WITNESS):
        await talk.run(action)
        assert (talk.slots[STATUS], talk.slots["cpf"]) == ("ok", PERSONAS["ana"].slots["cpf"])
    assert talk.slots["verified"] == PERSONAS["ana"].payload["u_cpf"]


WAYS: dict[str, tuple[Step, ...]] = {
    "the seal wiped": (seals(None, None),),
    "the turn rewound": (happens("rewind"),),
    "something unusable in between": (brings(["ctx"]), runs(LOOK_UP)),
    "a log-out in between": (runs(FORGET),),
}
"""What is done between two guesses."""


@pytest.mark.parametrize("between", WAYS.values(), ids=WAYS)
async def test_the_next_guess_is_not_asked_about(bank: Bank, between: tuple[Step, ...]) -> None:
    """One session asks about five contextIds (`PS7_MAX_CONTEXTS`), however right the next is."""
    talk = Talk(bank)
    guesses = [f"ctx-{secrets.token_hex(8)}" for _ in range(5)]
    for guess in (*guesses, ANA):
        await talk.user("oi", metadata={"contextId": guess})
        await talk.run(LOOK_UP)
        assert talk.slots[STATUS] == "rejected"
        for step in between:
            await step(talk)
    assert [request.json["contextId"] for request in bank.ps7.requests] == guesses
