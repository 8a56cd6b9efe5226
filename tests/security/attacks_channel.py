"""What comes with a message or opens a session, where there is no door."""

from __future__ import annotations

import json

from tests.security.attack import At, Attacker, Must
from tests.security.moves import brings, says, writes
from tests.security.planted import CONTEXT_IDS, CUSTOMERS, FORGED
from tests.security.scenes import LEFT_OVER
from tests.security.talk import SESSION_METADATA

USER, CHANNEL, WRITER = Attacker.USER, Attacker.CHANNEL, Attacker.WRITER
_open = At()

ANA, DIEGO = CONTEXT_IDS["ana"], CONTEXT_IDS["diego"]
NOTHING_FOUND = Must(look_up="missing")
STILL_ANA = Must("ana", "ok", "ok")
STILL_DIEGO = Must("diego", "ok", "ok")
ANA_GOES = Must(verify="missing", look_up="invalid")
"""Another contextId came, and it is none: nobody is there."""
LOOKED_UP = Must("diego", look_up="ok", asks="diego")

UNUSABLE = tuple(
    _open((CHANNEL, "ana"), f"a contextId that is {name}", brings(value), must=ANA_GOES)
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
)
"""None of them is Ana's, and PS7 is asked about none."""

SESSION_SLOT = (
    *(
        _open(
            (USER, "stranger"),
            f"what opened the session is {name}",
            writes(**{SESSION_METADATA: value}),
            must=NOTHING_FOUND,
        )
        for name, value in {
            "a contextId": ANA,
            "metadata as text": json.dumps({"contextId": ANA}),
            "a list of metadata": [{"contextId": ANA}],
            "metadata in metadata": {"metadata": {"contextId": ANA}},
            "a key in capitals": {"CONTEXTID": ANA},
        }.items()
    ),
    _open(
        (WRITER, "diego after ana"),
        "Ana opened the session, after Diego came",
        writes(**{SESSION_METADATA: {"contextId": ANA}}),
        must=STILL_DIEGO,
    ),
    _open(
        (WRITER, "diego is back"),
        "Ana opened the session, which Diego did not name",
        writes(**{SESSION_METADATA: {"contextId": ANA}}),
        must=STILL_DIEGO,
    ),
    _open(
        (CHANNEL, LEFT_OVER),
        "Ana, who opened the session, comes again",
        brings(ANA),
        must=Must("ana", "missing", "ok", "ana"),
    ),
    _open(
        (WRITER, "diego after ana, unsaid"),
        "Ana opened the session, before Diego",
        writes(**{SESSION_METADATA: {"contextId": ANA}}),
        must=STILL_DIEGO,
    ),
    _open(
        (WRITER, "ana"),
        "Diego opened the session, in which Ana came",
        writes(**{SESSION_METADATA: {"contextId": DIEGO}}),
        must=STILL_ANA,
    ),
)

BESIDE = (
    _open(
        (CHANNEL, "stranger"),
        "the contextId as the correlation id",
        brings(DIEGO, correlationId=DIEGO, flowId=DIEGO),
        must=LOOKED_UP,
    ),
    _open(
        (CHANNEL, "stranger"),
        "a CPF as the correlation id",
        brings(DIEGO, correlationId=CUSTOMERS["diego"].slots["cpf"]),
        must=LOOKED_UP,
    ),
    _open(
        (CHANNEL, "stranger"),
        "the sender id as the correlation id",
        brings(DIEGO, correlationId=lambda talk, _: talk.sender_id),
        must=LOOKED_UP,
    ),
    _open(
        (CHANNEL, "stranger"),
        "a line of the log as the correlation id",
        brings(DIEGO, correlationId=f"1\nINFO {FORGED}", flowId=f"1\r\nX-{FORGED}: 1"),
        must=LOOKED_UP,
    ),
    _open(
        (CHANNEL, "stranger"),
        "another contextId beside the first",
        brings(DIEGO, contextid=ANA, context_id=ANA, context={"contextId": ANA}),
        must=LOOKED_UP,
    ),
    _open(
        (CHANNEL, "stranger"),
        "slots in the metadata",
        says({"ps7_status": "ok", "cpf": FORGED, "slots": {"ps7_status": "ok", "cpf": FORGED}}),
        must=NOTHING_FOUND,
    ),
)
MESSAGES = (*UNUSABLE, *SESSION_SLOT, *BESIDE)
