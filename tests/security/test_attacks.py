"""Attacks in a conversation, each of a kind: nobody is served as a customer who did not arrive.

After each of them the slots are exactly what PS7 said about the contextId that the channel brought
last in this session, or the status is not `ok` and every slot of a customer is null; and an action
of the bot that reads the seal is told of no other customer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest

from actions.ps7.testing import PERSONAS
from tests.security.attacking import (
    ANA,
    CONTEXT_IDS,
    CUSTOMER_SLOTS,
    DIEGO,
    FOREIGN_ARRIVAL_KEY,
    FOREIGN_SEAL_KEY,
    FORGED,
    NOTE,
    SEAL,
    SEAL_KEY,
    STATUS,
    WITNESS,
    Bank,
    Step,
    Talk,
    arrives,
    brings,
    claims,
    comes_back,
    genuine,
    restores_hers,
    runs,
    said_of,
    says,
    sealed_by,
    seals,
    stolen,
    token,
    writes,
)
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

pytestmark = pytest.mark.slow

BACK, AGAIN = "the user comes back", "who was known arrives again"
PLANS = (
    (WITNESS, VERIFY, WITNESS, BACK, LOOK_UP, WITNESS),
    (LOOK_UP, VERIFY, WITNESS),
    (FORGET, AGAIN, LOOK_UP, WITNESS),
)
"""A sensitive step, and the next session; a turn; and after a log-out."""
SETUPS: dict[str, tuple[Step, ...]] = {
    "stranger": (),
    "ana": arrives("ana"),
    "ana is carried over": (*arrives("ana"), comes_back),
    "diego after ana": (*arrives("ana"), *arrives("diego")),
    "logged out": (*arrives("ana"), runs(FORGET)),
    "logged out, a session ago": (*arrives("ana"), runs(FORGET), comes_back),
}


class Must(NamedTuple):
    """What must come of an attack."""

    truth: str | None
    """Whom PS7 names for the contextId that the channel brought last: no other may appear."""
    status: str
    """What the next look-up leaves."""


STILL_ANA, DIEGO_COMES = Must("ana", "ok"), Must("diego", "ok")
TAMPERED, OVER, NOBODY = (Must(None, status) for status in ("tampered", "expired", "missing"))
ANA_GOES = Must(None, "invalid")
"""Something else came that is of no use: it is not Ana's turn any more."""


def attack(setup: str, name: str, must: Must, *tried: Step, signed: bool = False) -> Any:  # noqa: ANN401 - pytest's own
    """Return an attack, by name, on a conversation in which something has happened."""
    steps = (*SETUPS[setup], *tried)
    return pytest.param(steps, must, signed, id=f"{setup}: {name}{', signed' * signed}")


attack_signed = partial(attack, signed=True)
LOG_OUT, HERS, WIPES = runs(FORGET), brings(ANA), seals(None, None)
LINE = f"1\nINFO outcome=ok {FORGED}"
ATTACKS = [
    # Slots
    attack("ana", "every slot is another customer's", STILL_ANA, claims("diego")),
    attack("stranger", "every slot is a customer's", TAMPERED, claims("ana")),
    attack("logged out", "every slot is a customer's", NOBODY, claims("ana")),
    # Seals
    attack("stranger", "another conversation's", TAMPERED, claims("ana"), seals(stolen)),
    attack("ana", "another conversation's seal", STILL_ANA, seals(stolen)),
    attack("ana", "a seal by an attacker's key", STILL_ANA, seals(sealed_by(FOREIGN_SEAL_KEY))),
    attack("diego after ana", "all slots of before", DIEGO_COMES, restores_hers),
    attack("ana is carried over", "all slots of before", OVER, restores_hers),
    # Log-outs
    attack("ana", "`undefined` and a log-out", NOBODY, brings("undefined"), LOG_OUT, HERS),
    attack("diego after ana", "a log-out, and her contextId", NOBODY, LOG_OUT, HERS),
    attack("logged out", "all slots of before", NOBODY, restores_hers),
    attack("logged out", "the contextId, and the seal wiped", NOBODY, WIPES, HERS),
    attack("logged out, a session ago", "the contextId", NOBODY, HERS),
    # Messages
    attack("ana", "her contextId in a list", ANA_GOES, brings([ANA])),
    attack("ana", "her contextId and a line of the log", ANA_GOES, brings(f"{ANA}{LINE}")),
    attack(
        "stranger", "the note of a session", NOBODY, says(), writes(**{NOTE: {"contextId": ANA}})
    ),
    attack("stranger", "a contextId of the session before", NOBODY, HERS, comes_back),
    attack(
        "stranger", "a line beside it", DIEGO_COMES, brings(DIEGO, correlationId=LINE, flowId=LINE)
    ),
    # Tokens
    attack_signed("ana", "no token", ANA_GOES, brings(DIEGO)),
    attack_signed("ana", "an attacker's key", ANA_GOES, brings(token(key=FOREIGN_ARRIVAL_KEY))),
    attack_signed("ana", "another conversation's", ANA_GOES, brings(token(sub=f"{FORGED}-1"))),
    attack_signed("ana", "one that is over", ANA_GOES, brings(token(made=-121))),
    # What the plugin cannot prevent: who has what it takes is served as the customer
    attack("stranger", "a contextId, and no PS7_ARRIVAL_KEYS", STILL_ANA, HERS),
    attack_signed(
        *("stranger", "a token in time with its sender id, or an arrival key", STILL_ANA),
        brings(token("ana")),
    ),
    attack_signed(
        *("stranger", "a seal key, and a way to write ps7_context", STILL_ANA),
        *(says(), seals(sealed_by(SEAL_KEY))),
    ),
]
"""Also what must go on working, so that no attack fails since everything is refused."""


@pytest.mark.parametrize(("steps", "must", "signed"), ATTACKS)
@pytest.mark.parametrize("plan", PLANS, ids=" > ".join)
async def test_no_attack_makes_a_customer(
    bank: Bank, plan: tuple[str, ...], steps: tuple[Step, ...], must: Must, signed: bool
) -> None:
    """Whatever the bot runs next."""
    await bank.opens(signed=signed)
    talk = await Talk(bank).after(*steps)
    known, truth = shown(talk), None if plan[0] == FORGET else must.truth
    for action in plan:
        if action == BACK:
            await comes_back(talk)
            truth = None
        elif action == AGAIN:
            for who in known:
                await brings(genuine(who))(talk)
        else:
            await talk.run(action)
            assert [*wrong(action, talk.slots, truth)] == [], action
        if action == plan[0] == LOOK_UP:
            assert talk.slots[STATUS] == must.status


@pytest.mark.parametrize("between", [WIPES, LOG_OUT])
async def test_the_sixth_context_id_is_rejected(bank: Bank, between: Step) -> None:
    """One session asks about five contextIds (`PS7_MAX_CONTEXTS`), however right the next is."""
    talk = Talk(bank)
    guesses = [f"ctx-{number}" for number in range(5)]
    for guess in (*guesses, ANA):
        await talk.user("oi", metadata={"contextId": guess})
        await talk.run(LOOK_UP)
        assert talk.slots[STATUS] == "rejected"
        await between(talk)
    assert [request.json["contextId"] for request in bank.ps7.requests] == guesses


def shown(talk: Talk) -> list[str]:
    """Return the customers of the seals that the host shows."""
    values = [event.get("value") for event in talk.tracker.events if event.get("name") == SEAL]
    cpfs = {said["cpf"] for seal, said in talk.seals.items() if seal in values}
    return [who for who in CONTEXT_IDS if PERSONAS[who].slots["cpf"] in cpfs]


def wrong(action: str, slots: dict[str, Any], truth: str | None) -> Iterator[str]:
    """Return what a run left that must not be there, without a value of it."""
    if action == WITNESS:
        if slots["who"] not in (None, truth and PERSONAS[truth].slots["cpf"]):
            yield "an action of the bot is told of another customer"
        return
    said = said_of(truth) if truth else {}
    if truth and json.dumps({name: slots[name] for name in said}) == json.dumps(said):
        return
    # A categorical slot compares in lower case, and a response's condition in folded case.
    if "ok" in (str(slots[STATUS]).lower(), str(slots[STATUS]).casefold()):
        yield "the status is ok, and the slots are not what PS7 said"
    yield from (f"{name} is not null" for name in CUSTOMER_SLOTS if slots[name] is not None)
