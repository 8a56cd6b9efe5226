"""Arrival tokens that nobody of the bank made, or made for something else.

Wherever one is refused, PS7 is not asked and nobody is there, whoever was there before.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tests.security.attack import At, Attack, Attacker, Must
from tests.security.moves import brings
from tests.security.planted import (
    ARRIVAL_KEY,
    CONTEXT_IDS,
    FOREIGN_ARRIVAL_KEY,
    FORGED,
    OLDER_ARRIVAL_KEY,
    RETIRED_ARRIVAL_KEY,
    SEAL_KEY,
)
from tests.security.tokens import (
    ABSENT,
    LETTERS,
    elsewhere,
    encoded,
    reworked,
    signed,
    token,
    written,
)
from tests.security.world import DOOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.moves import Move

CHANNEL, READER, BUILDER = Attacker.CHANNEL, Attacker.READER, Attacker.BUILDER
_door = At(DOOR)

NOT_LET_IN = Must(look_up="invalid")
ANA_GOES = Must(verify="missing", look_up="invalid")
"""Another contextId came, if only in a token that nobody takes: it is not Ana's turn any more."""


def _everywhere(attacker: Attacker, name: str, *tried: Move) -> tuple[Attack, Attack]:
    """Try it as a stranger, and in Ana's conversation."""
    return (
        _door((attacker, "stranger"), name, *tried, must=NOT_LET_IN),
        _door((attacker, "ana"), f"{name}, after Ana", *tried, must=ANA_GOES),
    )


_HEADER = {"alg": "HS256"}
_NONE = {"alg": "none"}
_JWK = {"kty": "oct", "k": encoded(FOREIGN_ARRIVAL_KEY.encode()), "alg": "HS256"}
_DEEP = b"[" * 1400 + b"]" * 1400

SIGNATURES = {
    "no token but the contextId": CONTEXT_IDS["diego"],
    "no signature": reworked(lambda head, payload, _: f"{head}.{payload}."),
    "no signature and no dot": reworked(lambda head, payload, _: f"{head}.{payload}"),
    "no header": reworked(lambda _, payload, sign: f".{payload}.{sign}"),
    "the payload alone": reworked(lambda _, payload, __: payload),
    "alg none": reworked(lambda head, payload, _: f"{head}.{payload}.", header=_NONE),
    "alg none, signed": token(header=_NONE),
    "alg None": reworked(lambda head, payload, _: f"{head}.{payload}.", header={"alg": "None"}),
    "alg nOnE": reworked(lambda head, payload, _: f"{head}.{payload}.", header={"alg": "nOnE"}),
    "alg null": token(header={"alg": None}),
    "alg absent": token(header={"alg": ABSENT}),
    "alg blank": token(header={"alg": ""}),
    "alg in a list": token(header={"alg": ["HS256"]}),
    "alg in small letters": token(header={"alg": "hs256"}),
    "alg HS384, by the right key": token(header={"alg": "HS384"}, digest="sha384"),
    "alg HS512, by the right key": token(header={"alg": "HS512"}, digest="sha512"),
    "alg HS256, signed as HS512": token(digest="sha512"),
    "alg RS256, signed as HS256": token(header={"alg": "RS256"}),
    "alg ES256, signed as HS256": token(header={"alg": "ES256"}),
    "alg EdDSA, signed as HS256": token(header={"alg": "EdDSA"}),
    "an attacker's key": token(key=FOREIGN_ARRIVAL_KEY),
    "an attacker's key, sent along": token(key=FOREIGN_ARRIVAL_KEY, header={"jwk": _JWK}),
    "an attacker's key, linked": token(
        key=FOREIGN_ARRIVAL_KEY, header={"jku": "http://127.0.0.1:9/jwks.json", "kid": "1"}
    ),
    "an attacker's key, certified": token(key=FOREIGN_ARRIVAL_KEY, header={"x5c": ["MIIB"]}),
    "an empty file as the key": token(key="", header={"kid": "../../../../dev/null"}),
    "an empty key": token(key=""),
    "the contextId as the key": token(key=CONTEXT_IDS["diego"]),
    "the seal's key": token(key=SEAL_KEY),
    "the key in Base64": token(key=encoded(ARRIVAL_KEY.encode())),
    "the list of keys as the key": token(key=json.dumps([ARRIVAL_KEY, OLDER_ARRIVAL_KEY])),
    "an extension that must be known": token(header={"crit": [FORGED], FORGED: 1}),
    "a payload that stands elsewhere": reworked(
        lambda head, _, sign: f"{head}..{sign}", header={"b64": False, "crit": ["b64"]}
    ),
    "a header that is no object": lambda *_: signed([], {}, ARRIVAL_KEY),
    "a header that is no JSON": lambda *_: signed(b"{", {}, ARRIVAL_KEY),
    "in a list": lambda talk, world: [token()(talk, world)],
    "in an object": lambda talk, world: {"token": token()(talk, world)},
    "as JSON serialisation": reworked(
        lambda head, payload, sign: {"protected": head, "payload": payload, "signature": sign}
    ),
    "as the text of JSON serialisation": reworked(
        lambda head, payload, sign: json.dumps(
            {"protected": head, "payload": payload, "signature": sign}
        )
    ),
    "as a JSON text": lambda talk, world: json.dumps(token()(talk, world)),
    "behind Bearer": lambda talk, world: f"Bearer {token()(talk, world)}",
    "with blanks around": lambda talk, world: f" {token()(talk, world)} ",
    "twice": lambda talk, world: f"{token()(talk, world)}.{token()(talk, world)}",
    "of five parts": reworked(lambda head, payload, sign: f"{head}.{payload}..{payload}.{sign}"),
    "with the claims of another": reworked(
        lambda head, _, sign: f"{head}.{written({'contextId': CONTEXT_IDS['ana']})}.{sign}"
    ),
    "longer than any": token(more=FORGED * 1000),
    "a text of surrogates": "\ud800.\ud800.\ud800",
    "dots alone": "..",
    "a number": 123456789,
    "true": True,
}
"""What is refused whatever it says."""

COPIED = {
    "for another conversation": token(sub=elsewhere("diego")),
    "for a sender whose id ends alike": token(sub=lambda talk, _: f"1{talk.sender_id}"),
    "for a sender in capitals": token(sub=lambda talk, _: talk.sender_id.upper()),
    "for a sender and a blank": token(sub=lambda talk, _: f"{talk.sender_id} "),
    "that is over": token(made=-200.0),
    "that is just over": token(made=-120.5),
    "of the next minute": token(made=60.0),
    "of a retired key": token(key=RETIRED_ARRIVAL_KEY),
}
"""What was a good token once, or somewhere else."""

CARELESS = {
    "for a list of senders": token(sub=lambda talk, _: [talk.sender_id]),
    "for everybody": token(sub="*"),
    "for a blank": token(sub=""),
    "for null": token(sub=None),
    "for nobody": token(sub=ABSENT),
    "for another audience": token(aud=FORGED),
    "that was over at once": token(lasts=0.0),
    "that was over before": token(lasts=-60.0),
    "not to be used for years": token(nbf=2**33),
    "that lasts a second too long": token(lasts=121.0),
    "that lasts for years": token(lasts=1e9),
    "that lasts too long, and began long ago": token(made=-120.0, lasts=180.0),
    "that lasts for ever": token(exp=float("inf")),
    "that ends at no number": token(exp=float("nan")),
    "that ends beyond any clock": token(exp=10**400),
    "that began in 1970": token(iat=0),
    "that began before time": token(iat=float("-inf")),
    "without iat": token(iat=ABSENT),
    "without exp": token(exp=ABSENT),
    "without a contextId": token(contextId=ABSENT),
    "with iat as text": token(iat=lambda *_: str(time.time())),
    "with iat null": token(iat=None),
    "with iat true": token(iat=True),
    "with exp as text": token(exp=lambda *_: str(time.time() + 60)),
    "with exp null": token(exp=None),
    "with exp true": token(exp=True),
    "with exp in a list": token(exp=lambda *_: [time.time() + 60]),
    "with the contextId null": token(contextId=None),
    "with the contextId blank": token(contextId=" "),
    "with the contextId in a list": token(contextId=[CONTEXT_IDS["diego"]]),
    "with the contextId in an object": token(contextId={"contextId": CONTEXT_IDS["diego"]}),
    "with the contextId true": token(contextId=True),
    "with the contextId and another word": token(contextId=f"{CONTEXT_IDS['diego']} x"),
    "with the contextId and a line": token(contextId=f"{CONTEXT_IDS['diego']}\r\nX-Forged: 1"),
    "with a contextId that is too long": token(contextId="9" * 257),
    "whose payload is a list": lambda *_: signed(_HEADER, [], ARRIVAL_KEY),
    "whose payload is a text": lambda *_: signed(_HEADER, CONTEXT_IDS["diego"], ARRIVAL_KEY),
    "whose payload is no JSON": lambda *_: signed(_HEADER, b"{", ARRIVAL_KEY),
    "whose payload is no text": lambda *_: signed(_HEADER, b'"\xff"', ARRIVAL_KEY),
    "whose payload is too deep": lambda *_: signed(_HEADER, _DEEP, ARRIVAL_KEY),
}
"""What a back-end may sign by mistake."""


TOKENS = (
    *(row for name, it in SIGNATURES.items() for row in _everywhere(CHANNEL, name, brings(it))),
    *(row for name, it in COPIED.items() for row in _everywhere(READER, name, brings(it))),
    *(row for name, it in CARELESS.items() for row in _everywhere(BUILDER, name, brings(it))),
)


def cut(good: str) -> Iterator[Attack]:
    """Cut a token at every length."""
    for length in range(1, len(good)):
        yield _changed(f"a token of {length} characters", good[:length])


def flipped(good: str) -> Iterator[Attack]:
    """Flip one bit of every character; not the last two, which may stand for no bit at all."""
    for place, letter in enumerate(good):
        value = LETTERS.find(letter) ^ (4 << place % 4)
        text = good[:place] + LETTERS[value] + good[place + 1 :]
        yield _changed(f"a token with a bit flipped at {place}", text)


def _changed(name: str, text: str) -> Attack:
    return _door((CHANNEL, "stranger"), name, brings(text), must=NOT_LET_IN)
