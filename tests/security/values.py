"""Seals and arrival tokens: good ones, and those that only an attacker makes.

A value is what it is, or a function of the conversation, for what is known only then, such as a
seal. Tokens are written by hand: JWS compact serialisation (RFC 7515) with HMAC (RFC 7518, section
3.2), so that the library that reads tokens does not also write those that it is tested with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from cryptography.fernet import Fernet

from tests.security.conversation import CUSTOMER_SLOTS, SEAL, Conversation
from tests.security.planted import (
    ARRIVAL_KEY,
    CONTEXT_IDS,
    CUSTOMERS,
    FOREIGN_SEAL_KEY,
    FORGED,
    OLDER_SEAL_KEY,
)

Value = Callable[["Conversation"], object]

UNSIGNED, SIGNED = "unsigned", "signed"
"""Names of servers: see `servers`."""
BRIEF = 2
"""Seconds for which Bruno's first context holds."""
ABSENT: Any = ...
"""Instead of a value: the claim or the header parameter is not there."""
LONGEST = 120.0
"""Seconds from `iat` to `exp`."""


def value_of(value: object, conversation: Conversation) -> Any:  # noqa: ANN401 - any JSON
    """Return the value that is meant."""
    return value(conversation) if callable(value) else deepcopy(value)


def said_of(who: str, slots: Iterable[str] = CUSTOMER_SLOTS) -> dict[str, Any]:
    """Return what PS7 says of a customer, by slot."""
    customer = CUSTOMERS[who]
    known = {**customer.payload, **customer.slots, "ps7_payload": customer.payload}
    return {slot: known.get(slot) for slot in slots if slot != "ps7_expires_at"}


# Seals


def present(conversation: Conversation) -> str:
    """Return the seal in the slot."""
    return str(conversation.slots[SEAL])


def kept(who: str) -> Value:
    """Return the seal that this conversation had for a customer, or for a status, before."""

    def seal(conversation: Conversation) -> str:
        return next(
            text
            for text, said in conversation.seals.items()
            if who in (said["ps7_status"], said["ps7_decoded_context_id"])
        )

    return seal


def stolen(who: str) -> Value:
    """Return the seal of a customer in another conversation."""
    return lambda conversation: next(iter(conversation.servers.elsewhere[who].seals))


def sealed_by(key: str, seal: Value) -> Value:
    """Return what a seal says, bound to this conversation and sealed by a key of choice.

    It takes the key of `unsigned` to read it: an attacker without it can do less. It names the
    session that the tracker is in.
    """

    def forged(conversation: Conversation) -> str:
        plain = Fernet(OLDER_SEAL_KEY).decrypt(str(seal(conversation)))
        sender = hashlib.sha256(conversation.sender_id.encode()).digest()
        said = {**json.loads(plain[len(sender) :]), "session": conversation.mark}
        return Fernet(key).encrypt(sender + json.dumps(said).encode()).decode()

    return forged


def foreign(_: Conversation) -> str:
    """Return what an attacker encrypted."""
    return Fernet(FOREIGN_SEAL_KEY).encrypt(FORGED.encode()).decode()


# Arrival tokens


def encoded(part: bytes) -> str:
    """Return Base64 as tokens write it."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def written(part: object) -> str:
    """Return a part of a token: bytes as they are, all else as compact JSON."""
    text = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return encoded(text)


def signed(header: object, payload: object, key: str = ARRIVAL_KEY, digest: str = "sha256") -> str:
    """Return a token."""
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
) -> Value:
    """Return a token for a customer of this conversation, with changes.

    `made` is when, in seconds from now, and `lasts` from then how long; `claims` replace or add.
    """

    def make(conversation: Conversation) -> str:
        iat = int(time.time() + made)
        said = {
            "contextId": CONTEXT_IDS[who],
            "sub": conversation.sender_id,
            "iat": iat,
            "exp": iat + lasts,
            **{name: value_of(value, conversation) for name, value in claims.items()},
        }
        head = {"alg": "HS256", "typ": "JWT", **(header or {})}
        return signed(_present(head), _present(said), key, digest)

    return make


def reworked(change: Callable[[str, str, str], object], **options: Any) -> Value:  # noqa: ANN401
    """Return a token after its three parts were changed."""
    make = token(**options)
    return lambda conversation: change(*str(make(conversation)).split("."))


def genuine(who: str, made: float = 0.0) -> Value:
    """Return what the bank's own channel sends for a customer of this conversation."""
    in_token = token(who, made=made)
    return lambda conversation: (
        in_token(conversation) if conversation.server == SIGNED else CONTEXT_IDS[who]
    )


def brings_to(value: object) -> object:
    """Return the contextId that a value is, or that its payload claims, whoever signed it."""
    if not isinstance(value, str) or value.count(".") != 2:
        return value
    payload = value.split(".")[1]
    try:
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return value
    return said.get("contextId") if isinstance(said, dict) else value


def sender_of(who: str) -> Value:
    """Return the `sender_id` of a customer's own conversation."""
    return lambda conversation: conversation.servers.elsewhere[who].sender_id


def _present(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not ABSENT}
