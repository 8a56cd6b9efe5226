"""Attacks in a conversation, each of a kind: nobody is served as a customer who did not arrive.

After each of them the slots are exactly what PS7 said about the contextId that the channel brought
last in this session, or the status is not `ok` and every slot of a customer is null; and an action
of the bot that reads the seal is told of no other customer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
    MAX_AGE,
    NOTE,
    OLDER_ARRIVAL_KEY,
    SEAL,
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
    happens,
    kept,
    passes,
    present,
    restores,
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

BACK, AGAIN = "the user comes back", "who was known arrives again"
PLANS = (
    (WITNESS,),
    (VERIFY, WITNESS),
    (LOOK_UP, VERIFY, WITNESS),
    (VERIFY, BACK, LOOK_UP, WITNESS),
    (FORGET, AGAIN, LOOK_UP, WITNESS),
)
"""An action of the bot's own, a sensitive step, a turn; the next session, and after a log-out."""
SETUPS: dict[str, tuple[Step, ...]] = {
    "stranger": (),
    "ana": arrives("ana"),
    "ana is carried over": (*arrives("ana"), comes_back),
    "ana's time is over": (*arrives("ana"), passes(MAX_AGE)),
    "diego after ana": (*arrives("ana"), *arrives("diego")),
    "logged out": (*arrives("ana"), runs(FORGET)),
    "logged out, a session ago": (*arrives("ana"), runs(FORGET), comes_back),
}


class Must(NamedTuple):
    """What must come of an attack."""

    truth: str | None = None
    """Whom PS7 names for the contextId that the channel brought last: no other may appear."""
    verify: str | None = None
    """The status that `action_ps7_verify` leaves."""
    look_up: str = "missing"
    """The status that `action_ps7_context` leaves."""
    asks: str | None = None
    """About whose contextId `action_ps7_context` asks PS7, once; nothing else ever asks."""


NOBODY = Must()
TAMPERED, OVER = Must(None, "tampered", "tampered"), Must(None, "expired", "expired")
STILL_ANA = Must("ana", "ok", "ok")
ANA_ANEW, DIEGO_ANEW = (Must(who, "tampered", "ok", who) for who in ("ana", "diego"))
ANA_GOES = Must(None, "missing", "invalid")
"""Something else came that is of no use: it is not Ana's turn any more."""
STAYS_OUT = Must(None, "missing")
DIEGO_COMES = Must("diego", None, "ok", "diego")


def rows(
    setup: str, must: Must, attacks: Mapping[str, Step | tuple[Step, ...]], *, signed: bool = False
) -> list[Any]:
    """Return the attacks that begin in one conversation and end in one way, by name."""
    return [
        pytest.param(
            (*SETUPS[setup], *(tried if isinstance(tried, tuple) else (tried,))),
            *(must, signed),
            id=f"{setup}: {name}{', signed' if signed else ''}",
        )
        for name, tried in attacks.items()
    ]


_wiped = seals(None, None)
SEALS = [
    *rows("stranger", TAMPERED, {"a seal of another conversation": (claims("ana"), seals(stolen))}),
    *rows(
        "ana",
        ANA_ANEW,
        {
            "a seal of another conversation": seals(stolen),
            "a seal by an attacker's key": seals(sealed_by(FOREIGN_SEAL_KEY)),
            "her seal with a piece cut out": seals(present(lambda seal: seal[:80] + seal[96:])),
            "her seal in a list": seals(present(lambda seal: [seal])),
        },
    ),
    *rows(
        "diego after ana",
        DIEGO_ANEW,
        {
            "the seal of before": seals(kept("ana")),
            "all slots of before": restores("ana"),
        },
    ),
    *rows(
        "ana is carried over",
        OVER,
        {
            "all slots of before": restores("ana"),
            "the seal wiped": (claims("ana"), seals(None)),
        },
    ),
    *rows("ana's time is over", Must("ana", "expired", "ok", "ana"), {"her slots": claims("ana")}),
]
SLOTS = [
    *rows(
        "ana",
        STILL_ANA,
        {
            "every slot is another customer's": claims("diego"),
            "every slot is of another type": writes(**{name: [1] for name in CUSTOMER_SLOTS}),
        },
    ),
    *rows("stranger", TAMPERED, {"every slot is a customer's": claims("ana")}),
    *rows("logged out", Must(None, "missing"), {"every slot is a customer's": claims("ana")}),
]
LOG_OUTS = [
    *rows(
        "ana",
        STAYS_OUT,
        {
            "`undefined` comes with the log-out": (brings("undefined"), runs(FORGET), brings(ANA)),
        },
    ),
    *rows("diego after ana", STAYS_OUT, {"her contextId again": (runs(FORGET), brings(ANA))}),
    *rows(
        "logged out",
        STAYS_OUT,
        {
            "the contextId, with `encoded` 0": brings(ANA, encoded="0"),
            "all slots of before": restores("ana"),
        },
    ),
    *rows("logged out", NOBODY, {"the contextId, and the seal wiped": (_wiped, brings(ANA))}),
    *rows("logged out, a session ago", STAYS_OUT, {"the contextId": brings(ANA)}),
    *rows(
        "ana",
        STAYS_OUT,
        {
            "another's token comes with the log-out": (
                *(brings(token(sub="another conversation")), runs(FORGET), passes(130)),
                brings(token("ana")),
            )
        },
        signed=True,
    ),
]
MESSAGES = [
    *rows(
        "ana",
        ANA_GOES,
        {
            "her contextId in a list": brings([ANA]),
            "her contextId and a line of the log": brings(f"{ANA}\nINFO outcome=ok {FORGED}"),
        },
    ),
    *rows(
        "stranger",
        NOBODY,
        {
            "the note of a session that goes on": (says(), writes(**{NOTE: {"contextId": ANA}})),
            "an event that is no message": happens("bot", text="", metadata={"contextId": ANA}),
            "slots in the metadata": says(ps7_status="ok", slots={"ps7_status": "ok", "cpf": "1"}),
            "a contextId of the session before": (brings(ANA), comes_back),
        },
    ),
    *rows(
        "stranger",
        DIEGO_COMES,
        {
            "his contextId as the correlation id": brings(DIEGO, correlationId=DIEGO, flowId=DIEGO),
            "a line of the log as the correlation id": brings(
                DIEGO, correlationId=f"1\nINFO {FORGED}", flowId=f"1\r\nX-{FORGED}: 1"
            ),
        },
    ),
    *rows(
        "diego after ana",
        Must("diego", "expired", "ok", "diego"),
        {"his turn is rewound": happens("rewind")},
    ),
]
TOKENS = [
    *rows(
        "ana",
        ANA_GOES,
        {
            "no token": brings(DIEGO),
            "no signature": brings(lambda talk: token()(talk).rpartition(".")[0] + "."),
            "alg none": brings(token(header={"alg": "none"})),
            "an attacker's key, which comes along": brings(
                token(key=FOREIGN_ARRIVAL_KEY, header={"alg": "HS256", "jwk": FOREIGN_ARRIVAL_KEY})
            ),
            "another conversation's": brings(token(sub=f"{FORGED}-1")),
            "one that is over": brings(token(made=-121)),
            "one of the next minute": brings(token(made=60)),
            "one that is for all": brings(token(sub="*")),
            "one that never ends": brings(token(exp=2**33)),
        },
        signed=True,
    ),
    *rows("ana", STILL_ANA, {"hers, which is over": brings(token("ana", made=-130))}, signed=True),
    *rows(
        "stranger",
        DIEGO_COMES,
        {
            "a good one": brings(token()),
            "a good one by an older key": brings(token(key=OLDER_ARRIVAL_KEY)),
        },
        signed=True,
    ),
]
"""Also what must go on working, so that no attack fails since everything is refused."""


@pytest.mark.parametrize(
    ("steps", "must", "signed"), [*SEALS, *SLOTS, *LOG_OUTS, *MESSAGES, *TOKENS]
)
@pytest.mark.parametrize("plan", PLANS, ids=" > ".join)
async def test_no_attack_makes_a_customer(
    bank: Bank, plan: tuple[str, ...], steps: tuple[Step, ...], must: Must, signed: bool
) -> None:
    """Whatever the bot runs next."""
    await bank.opens(signed=signed)
    talk = await Talk(bank).after(*steps)
    truth = None if plan[0] == FORGET else must.truth
    known = shown(talk)
    for action in plan:
        if action == BACK:
            await comes_back(talk)
            truth = None
        elif action == AGAIN:
            for who in known:
                await brings(genuine(who))(talk)
        else:
            assert [*wrong(action, await talk.run(action), truth)] == [], action
        due = {VERIFY: must.verify, LOOK_UP: must.look_up}
        if action == plan[0] and action in due:
            assert talk.bot.slots[STATUS] == due[action]
    asked = [request.json["contextId"] for request in bank.ps7.requests]
    assert asked == ([CONTEXT_IDS[must.asks]] if must.asks and plan[0] == LOOK_UP else [])


def shown(talk: Talk) -> list[str]:
    """Return the customers of the seals that the host shows."""
    values = [event.get("value") for event in talk.bot.tracker.events if event.get("name") == SEAL]
    cpfs = {said["cpf"] for seal, said in talk.seals.items() if seal in values}
    return [who for who in CONTEXT_IDS if PERSONAS[who].slots["cpf"] in cpfs]


def wrong(action: str, slots: dict[str, Any], truth: str | None) -> Iterator[str]:
    """Return what a run left that must not be there, without a value of it."""
    if action == WITNESS:
        if slots["verified"] not in (None, truth and PERSONAS[truth].payload["u_cpf"]):
            yield "an action of the bot is told of another customer"
        return
    said = said_of(truth) if truth else {}
    if truth and json.dumps({name: slots[name] for name in said}) == json.dumps(said):
        return
    # A categorical slot compares in lower case, and a response's condition in folded case.
    if "ok" in (str(slots[STATUS]).lower(), str(slots[STATUS]).casefold()):
        yield "the status is ok, and the slots are not what PS7 said"
    yield from (f"{name} is not null" for name in CUSTOMER_SLOTS if slots[name] is not None)
