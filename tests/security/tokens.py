"""Arrival tokens by hand: good ones, and every kind that a library would refuse to make.

JWS compact serialisation (RFC 7515) with HMAC (RFC 7518, section 3.2), written out, so that the
library that reads tokens does not also write those that it is tested with.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

from tests.security.moves import given
from tests.security.planted import ARRIVAL_KEY, CONTEXT_IDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.security.moves import Given
    from tests.security.talk import Talk
    from tests.security.world import World

ABSENT: Any = ...
"""Instead of a value: the claim or the header parameter is not there."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
"""Of Base64, as tokens and seals write it."""
LONGEST = 120.0
"""Seconds from `iat` to `exp`."""


def encoded(part: bytes) -> str:
    """Give Base64 as tokens write it."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def written(part: object) -> str:
    """Give a part of a token: bytes as they are, all else as JSON."""
    return encoded(part if isinstance(part, bytes) else json.dumps(part).encode())


def signed(header: object, payload: object, key: str, digest: str = "sha256") -> str:
    """Give a token."""
    text = f"{written(header)}.{written(payload)}"
    return f"{text}.{encoded(hmac.digest(key.encode(), text.encode(), digest))}"


def token(
    who: str = "diego",
    *,
    key: str = ARRIVAL_KEY,
    digest: str = "sha256",
    header: dict[str, Any] | None = None,
    made: float = 0.0,
    lasts: float = LONGEST,
    **claims: object,
) -> Given:
    """Give a token for a customer of this conversation, with changes.

    `made` is when, in seconds from now, and `lasts` from then how long; `claims` replace or add.
    """

    def make(talk: Talk, world: World) -> str:
        iat = time.time() + made
        said = {
            "contextId": CONTEXT_IDS[who],
            "sub": talk.sender_id,
            "iat": iat,
            "exp": iat + lasts,
            **{name: given(value, talk, world) for name, value in claims.items()},
        }
        head = {"alg": "HS256", "typ": "JWT", **(header or {})}
        return signed(_present(head), _present(said), key, digest)

    return make


def reworked(how: Callable[[str, str, str], object], **options: Any) -> Given:  # noqa: ANN401
    """Give a token after something was done to its three parts."""
    make = token(**options)

    def rework(talk: Talk, world: World) -> object:
        header, payload, signature = str(make(talk, world)).split(".")
        return how(header, payload, signature)

    return rework


def elsewhere(who: str) -> Given:
    """Give the `sender_id` of a customer's own conversation."""
    return lambda _, world: world.elsewhere[who].sender_id


def _present(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not ABSENT}
