"""Where arrivals are signed, none counts without a token of the bank's for this conversation.

Wherever a token is refused, PS7 is not asked and no customer is known, whoever was there before.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.conversation import Conversation
from tests.security.planted import (
    ARRIVAL_KEY,
    CONTEXT_IDS,
    FOREIGN_ARRIVAL_KEY,
    FORGED,
    OLDER_ARRIVAL_KEY,
    RETIRED_ARRIVAL_KEY,
    SEAL_KEY,
)
from tests.security.runner import OURS, Attack, Must, each, rows, succeeded
from tests.security.servers import Servers
from tests.security.steps import brings, happens, notes, seals
from tests.security.values import (
    ABSENT,
    SIGNED,
    encoded,
    reworked,
    sender_of,
    signed,
    token,
    written,
)
from tests.support.clock import now

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANA, BRUNO, DIEGO = (CONTEXT_IDS[who] for who in ("ana", "bruno", "diego"))
_NONE = {"alg": "none"}
_JWK = {"kty": "oct", "k": encoded(FOREIGN_ARRIVAL_KEY.encode()), "alg": "HS256"}
_DEEP = b"[" * 1400 + b"]" * 1400
_good = token("diego")

REFUSED = Must(look_up="invalid")
ANA_GOES = Must(verify="missing", look_up="invalid")
"""Another contextId came, if only in a token that is refused: it is not Ana's turn any more."""
NOTHING_FOUND = Must(look_up="missing")
STILL_ANA = Must("ana", "ok", "ok")
LOOKED_UP = Must("diego", look_up="ok", asks="diego")

SIGNATURES: dict[str, Any] = {
    "the contextId itself": DIEGO,
    "no signature": reworked(lambda head, payload, _: f"{head}.{payload}."),
    "no signature and no dot": reworked(lambda head, payload, _: f"{head}.{payload}"),
    "no header": reworked(lambda _, payload, sign: f".{payload}.{sign}"),
    "the payload alone": reworked(lambda _, payload, __: payload),
    "alg none": reworked(lambda head, payload, _: f"{head}.{payload}.", header=_NONE),
    "alg none, signed": token(header=_NONE),
    "alg nOnE": reworked(lambda head, payload, _: f"{head}.{payload}.", header={"alg": "nOnE"}),
    "alg absent": token(header={"alg": ABSENT}),
    "alg in a list": token(header={"alg": ["HS256"]}),
    "alg in small letters": token(header={"alg": "hs256"}),
    "alg HS512, by the right key": token(header={"alg": "HS512"}, digest="sha512"),
    "alg HS256, signed as HS512": token(digest="sha512"),
    "alg RS256, signed as HS256": token(header={"alg": "RS256"}),
    "an attacker's key": token(key=FOREIGN_ARRIVAL_KEY),
    "an attacker's key, sent along": token(key=FOREIGN_ARRIVAL_KEY, header={"jwk": _JWK}),
    "an attacker's key, linked": token(
        key=FOREIGN_ARRIVAL_KEY, header={"jku": "http://127.0.0.1:9/jwks.json", "kid": "1"}
    ),
    "an empty file as the key": token(key="", header={"kid": "../../../../dev/null"}),
    "the contextId as the key": token(key=DIEGO),
    "the seal's key": token(key=SEAL_KEY),
    "the key in Base64": token(key=encoded(ARRIVAL_KEY.encode())),
    "the list of keys as the key": token(key=json.dumps([ARRIVAL_KEY, OLDER_ARRIVAL_KEY])),
    "an extension that must be known": token(header={"crit": [FORGED], FORGED: 1}),
    "a payload that stands elsewhere": reworked(
        lambda head, _, sign: f"{head}..{sign}", header={"b64": False, "crit": ["b64"]}
    ),
    "a header that is no object": lambda _: signed([], {}),
    "a header that is no JSON": lambda _: signed(b"{", {}),
    "in a list": lambda conversation: [_good(conversation)],
    "in an object": lambda conversation: {"token": _good(conversation)},
    "as JSON serialisation": reworked(
        lambda head, payload, sign: {"protected": head, "payload": payload, "signature": sign}
    ),
    "as a JSON text": lambda conversation: json.dumps(_good(conversation)),
    "behind Bearer": lambda conversation: f"Bearer {_good(conversation)}",
    "with blanks around": lambda conversation: f" {_good(conversation)} ",
    "twice": lambda conversation: f"{_good(conversation)}.{_good(conversation)}",
    "of five parts": reworked(lambda head, payload, sign: f"{head}.{payload}..{payload}.{sign}"),
    "with the claims of another": reworked(
        lambda head, _, sign: f"{head}.{written({'contextId': ANA})}.{sign}"
    ),
    "longer than any": token(more=FORGED * 1000),
    "a text of surrogates": "\ud800.\ud800.\ud800",
    "a number": 123456789,
}
"""What is refused whatever it says."""

COPIED: dict[str, Any] = {
    "for another conversation": token(sub=sender_of("diego")),
    "for a sender whose id ends alike": token(sub=lambda talk: f"1{talk.sender_id}"),
    "for a sender in capitals": token(sub=lambda talk: talk.sender_id.upper()),
    "for a sender and a blank": token(sub=lambda talk: f"{talk.sender_id} "),
    "that is just over": token(made=-120.5),
    "of the next minute": token(made=60.0),
    "of a retired key": token(key=RETIRED_ARRIVAL_KEY),
}
"""What was a good token once, or in another conversation."""

CARELESS: dict[str, Any] = {
    "for a list of senders": token(sub=lambda talk: [talk.sender_id]),
    "for a number": token(sub=5511),
    "for all": token(sub="*"),
    "for null": token(sub=None),
    "for no sender": token(sub=ABSENT),
    "for another audience": token(aud=FORGED),
    "that was over at once": token(lasts=0.0),
    "not to be used for years": token(nbf=2**33),
    "that lasts a second too long": token(lasts=121.0),
    "that lasts too long, and began long ago": token(made=-120.0, lasts=180.0),
    "that lasts for ever": token(exp=float("inf")),
    "that ends at no number": token(exp=float("nan")),
    "that ends beyond any clock": token(exp=10**400),
    "that began in 1970": token(iat=0),
    "that began before time": token(iat=float("-inf")),
    "without iat": token(iat=ABSENT),
    "without exp": token(exp=ABSENT),
    "without a contextId": token(contextId=ABSENT),
    "with iat true": token(iat=True),
    "with exp as text": token(exp=lambda _: str(time.time() + 60)),
    "with exp null": token(exp=None),
    "with the contextId in a list": token(contextId=[DIEGO]),
    "with the contextId in an object": token(contextId={"contextId": DIEGO}),
    "with the contextId and a line": token(contextId=f"{DIEGO}\r\nX-Forged: 1"),
    "with a contextId that is too long": token(contextId="9" * 257),
    "whose payload is a list": lambda _: signed({"alg": "HS256"}, []),
    "whose payload is no JSON": lambda _: signed({"alg": "HS256"}, b"{"),
    "whose payload is no text": lambda _: signed({"alg": "HS256"}, b'"\xff"'),
    "whose payload is too deep": lambda _: signed({"alg": "HS256"}, _DEEP),
}
"""What a back-end may sign by mistake."""

_BROUGHT = {name: brings(it) for name, it in (SIGNATURES | COPIED | CARELESS).items()}
TOKENS = rows("ana", ANA_GOES, _BROUGHT, SIGNED)

_old = token("ana", made=-130.0)
_elsewhere = token("diego", sub=sender_of("diego"))


def _before_the_newest(conversation: Conversation) -> dict[str, object]:
    """Return the metadata of a message that claims an earlier time, with a token of that time."""
    made = float(conversation.events[-1]["timestamp"]) - 200 - now()
    return {"contextId": token("ana", made=made)(conversation)}


def _earlier(conversation: Conversation) -> float:
    return float(conversation.events[-1]["timestamp"]) - 150


REPLAYED = [
    *rows(
        "diego after ana",
        ANA_GOES,
        {
            "an old token of before": brings(_old),
            "an old token in a message that claims an earlier time": happens(
                "user", metadata=_before_the_newest, timestamp=_earlier
            ),
        },
        SIGNED,
    ),
    *rows("diego, a session after ana", ANA_GOES, {"an old token of before": brings(_old)}, SIGNED),
    *rows(
        "expired",
        Must("bruno", look_up="ok", asks="bruno"),
        {"the seal wiped, for the token that came in time": seals(None, None)},
        SIGNED,
    ),
    *rows("ana", ANA_GOES, {"her own contextId in no token": brings(ANA)}, SIGNED),
    *rows("expired", ANA_GOES, {"his contextId in no token": brings(BRUNO)}, SIGNED),
    *rows(
        "stranger",
        NOTHING_FOUND,
        {
            "no token as the note of a session": notes(DIEGO),
            "another's token as the note": notes(_elsewhere),
            "a good token as the note of a session that goes on": notes(_good),
        },
        SIGNED,
    ),
    *rows(
        "stranger",
        REFUSED,
        {
            "no token, in an event": happens("user", metadata={"contextId": DIEGO}),
            "the contextId as the correlation id of another's token": brings(
                _elsewhere, correlationId=DIEGO, flowId=DIEGO
            ),
            "the contextId as the correlation id of an old token": brings(
                _old, correlationId=ANA, flowId=ANA
            ),
        },
        SIGNED,
    ),
    *rows(
        "stranger",
        LOOKED_UP,
        {
            "encoded beside a token": brings(_good, encoded="0"),
            "another contextId beside a token": brings(
                _good, contextid=ANA, context={"contextId": ANA}
            ),
            "the contextId as the correlation id": brings(_good, correlationId=DIEGO, flowId=DIEGO),
            "the sender id as the correlation id": brings(
                _good, correlationId=lambda conversation: conversation.sender_id
            ),
            "the token as the correlation id": brings(_good, correlationId=_good),
        },
        SIGNED,
    ),
]
GENUINE = [
    *rows(
        "stranger",
        LOOKED_UP,
        {
            "a good token": brings(_good),
            "of an older key that is in use": brings(token(key=OLDER_ARRIVAL_KEY)),
            "of a clock that is a little ahead": brings(token(made=5.0)),
            "with claims of its own": brings(token(jti="1", iss="bank")),
        },
        SIGNED,
    ),
    *rows("ana", Must("diego", "missing", "ok", "diego"), {"another": brings(_good)}, SIGNED),
    *rows(
        "ana",
        STILL_ANA,
        {"hers once more": brings(token("ana")), "hers once more, and over": brings(_old)},
        SIGNED,
    ),
    *rows(
        "diego after ana",
        Must("ana", "missing", "ok", "ana"),
        {"the one of before, which is not over": brings(token("ana"))},
        SIGNED,
    ),
]
"""No attacks: what must go on working, so that no attack fails since everything is refused."""


@each([*TOKENS, *REPLAYED])
async def test_a_token_that_is_none_of_ours(servers: Servers, attack: Attack) -> None:
    """Not signed, signed by another key, for another conversation, too old, or badly made."""
    assert await succeeded(servers, [attack]) == []


@each(GENUINE)
async def test_a_genuine_token_counts(servers: Servers, attack: Attack) -> None:
    """In its own conversation and its own time; a contextId that was here before, at any time."""
    assert await succeeded(servers, [attack]) == []


@settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 2000), bit=st.integers(0, 5), cut=st.booleans())
async def test_a_token_with_any_damage(
    servers: Servers, place: int, bit: int, *, cut: bool
) -> None:
    """Cut at any length, or with a bit flipped at any place."""
    good = str(_good(servers.set_up("stranger", SIGNED)))
    start = 1 + place % (len(good) - 2)  # the last character may say no bit at all
    changed = "" if cut else chr(ord(good[start]) ^ (1 << bit)) + good[start + 1 :]
    attacks = rows("stranger", REFUSED, {"damaged": brings(good[:start] + changed)}, SIGNED)
    assert await succeeded(servers, attacks, OURS) == []
