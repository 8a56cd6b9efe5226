"""What comes with a message counts where it is documented, as it is documented, or not at all."""

from __future__ import annotations

import json

import pytest

from tests.security.conversation import SEAL, SESSION_METADATA, STATUS
from tests.security.planted import CONTEXT_IDS, CUSTOMERS, FORGED
from tests.security.runner import Attack, Must, each, rows, succeeded
from tests.security.servers import Servers
from tests.security.steps import (
    brings,
    claims,
    comes_back,
    drops,
    happens,
    notes,
    says,
    seals,
    writes,
)
from tests.security.values import stolen

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANA, DIEGO = CONTEXT_IDS["ana"], CONTEXT_IDS["diego"]
NOTHING_FOUND = Must(look_up="missing")
STILL_ANA, STILL_DIEGO = (Must(who, "ok", "ok") for who in ("ana", "diego"))
DIEGO_COMES = Must("diego", "missing", "ok", "diego")
ANA_GOES = Must(verify="missing", look_up="invalid")
"""Another contextId came, and it is none: no customer is known."""
LOOKED_UP = Must("diego", look_up="ok", asks="diego")

UNUSABLE = rows(
    "ana",
    ANA_GOES,
    {
        f"a contextId that is {name}": brings(value)
        for name, value in {
            "hers in a list": [ANA],
            "hers in an object": {"$eq": ANA},
            "hers and a blank": f"{ANA} ",
            "hers and a line": f"{ANA}\nINFO PS7 lookup: outcome=ok",
            "hers and a NUL": f"{ANA}\x00",
            "hers and an invisible character": f"{ANA}\u200b",
            "true": True,
            "a real number": 0.5,
            "too long": "9" * 257,
        }.items()
    },
)
"""None of them is Ana's, and PS7 is asked about none."""

NOTE = [
    *rows(
        "stranger",
        NOTHING_FOUND,
        {
            f"the note of a session is {name}": writes(**{SESSION_METADATA: value})
            for name, value in {
                "metadata": {"contextId": ANA},
                "a contextId": ANA,
                "metadata as text": json.dumps({"contextId": ANA}),
                "a list of metadata": [{"contextId": ANA}],
                "metadata in metadata": {"metadata": {"contextId": ANA}},
                "a key in capitals": {"CONTEXTID": ANA},
            }.items()
        },
    ),
    *rows("diego after ana", STILL_DIEGO, {"Ana's note, after Diego came": notes(ANA)}),
    *rows("diego after ana, unsaid", STILL_DIEGO, {"Ana's note": notes(ANA)}),
    *rows("ana", STILL_ANA, {"Diego's note": notes(DIEGO)}),
]
"""`session_started_metadata`, where Rasa notes what opened a session."""

BESIDE = [
    *rows(
        "stranger",
        LOOKED_UP,
        {
            "the contextId as the correlation id": brings(DIEGO, correlationId=DIEGO, flowId=DIEGO),
            "a CPF as the correlation id": brings(
                DIEGO, correlationId=CUSTOMERS["diego"].slots["cpf"]
            ),
            "the sender id as the correlation id": brings(
                DIEGO, correlationId=lambda conversation: conversation.sender_id
            ),
            "a line of the log as the correlation id": brings(
                DIEGO, correlationId=f"1\nINFO {FORGED}", flowId=f"1\r\nX-{FORGED}: 1"
            ),
            "another contextId beside the first": brings(
                DIEGO, contextid=ANA, context_id=ANA, context={"contextId": ANA}
            ),
        },
    ),
    *rows(
        "stranger",
        NOTHING_FOUND,
        {
            "slots in the metadata": says(
                ps7_status="ok", cpf=FORGED, slots={"ps7_status": "ok", "cpf": FORGED}
            )
        },
    ),
]

EVENTS = [
    *rows(
        "stranger",
        NOTHING_FOUND,
        {
            f"a contextId with an event that is no message: {event}": happens(
                event, metadata={"contextId": ANA}, value={"contextId": ANA}, name=name
            )
            for event, name in (
                ("bot", None),
                ("action", "action_listen"),
                ("slot", SESSION_METADATA),
                ("user_featurization", None),
                ("USER", None),
                ("", None),
            )
        },
    ),
    *rows(
        "stranger",
        NOTHING_FOUND,
        {
            "a contextId of the session before": (brings(ANA), comes_back, says()),
            "the same, which Rasa still sends": (brings(ANA), happens("session_started"), says()),
            "a contextId before a restart": (brings(ANA), happens("restart"), says()),
        },
    ),
    *rows("ana", DIEGO_COMES, {"a contextId, then a message without": (brings(DIEGO), says())}),
    *rows("ana", ANA_GOES, {"no usable one, then a message": (brings([DIEGO]), says())}),
    *rows(
        "diego after ana",
        STILL_DIEGO,
        {
            "slot events of another customer": (
                happens("slot", name="cpf", value=FORGED),
                happens("slot", name=STATUS, value="ok"),
            ),
            "Diego's turn is rewound": happens("rewind"),
        },
    ),
]

DOMAIN = [
    *rows(
        "ana",
        STILL_ANA,
        {
            "slots dropped": drops("cpf", "account", "ps7_expires_at", "u_cpf"),
            "slots dropped and added with values": (
                drops("cpf", "account"),
                writes(cpf=FORGED, account=FORGED),
            ),
            "a field of the wire added with a value": writes(u_ag=FORGED),
        },
    ),
    *rows(
        "ana",
        Must("ana", "tampered", "ok", "ana"),
        {"the seal dropped": (claims("diego"), drops(SEAL))},
    ),
    *rows(
        "stranger",
        Must(None, "tampered", "tampered"),
        {"the seal dropped": (claims("diego"), drops(SEAL))},
    ),
    *rows("ana", Must("ana"), {"the status dropped": (claims("diego"), drops(STATUS))}),
    *rows(
        "stranger",
        Must(),
        {"a copied seal, no status": (claims("ana"), seals(stolen("ana")), drops(STATUS))},
    ),
]
"""Slots that come into the bot's domain, and go."""


@each([*UNUSABLE, *NOTE, *BESIDE, *EVENTS, *DOMAIN])
async def test_messages_events_and_the_domain(servers: Servers, attack: Attack) -> None:
    """ContextIds of no use, in the wrong place, of before; slots that come and go."""
    assert await succeeded(servers, [attack]) == []
