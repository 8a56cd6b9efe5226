"""What a message brings: a contextId, plain or inside a token that the bank's back-end signed.

Pure: metadata, keys and a sender id in, an `Arrival` out. `State` decides which messages are read.

On an open channel, a user can send any contextId. If `PS7_ARRIVAL_KEYS` is set, the channel sends
an arrival token instead (JWS with HS256, RFC 7515), with these claims:

    contextId   the contextId; `encoded` beside it, if PS7 needs it
    sub         the `sender_id` of the conversation that the token was made for
    iat, exp    when it was made and until when it may arrive (RFC 7519), at most 120 s apart
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from .. import clock
from ..customer import is_blank, is_written_as_cpf
from ..outcomes import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# A contextId

MAX_LENGTH = 256
_MAX_EXACT = 2**53
"""From here on a float no longer tells neighbouring whole numbers apart."""
_MAX_BITS = 900
"""An int of more bits has more than `MAX_LENGTH` digits; Python may refuse to write it at all."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_ENCODED: dict[str | None, int] = {"0": 0, "1": 1}
_FINGERPRINT_BYTES = 16
_URL_SAFE = str.maketrans("-_", "+/")
"""Base64 is read in its other alphabet too, and without its padding: who decodes it may do so."""


@dataclass(frozen=True)
class Arrival:
    """A contextId as it was found, and what came beside it. Its `repr` shows no value.

    One that is not usable, or was refused, has nothing but its value and fingerprint.
    """

    context_id: str | None = field(repr=False)
    """None: the value is not usable, or its arrival was refused."""
    fingerprint: str = field(repr=False)
    """Tells this contextId from any other, usable or not, and fits into a seal."""
    encoded: int | None = None
    """What goes to PS7: from beside the contextId, else `PS7_ENCODED`."""
    value: object = field(default=None, repr=False)
    """The value under the key, as it came."""
    correlation_id: str | None = field(default=None, repr=False)
    flow_id: str | None = field(default=None, repr=False)
    refused: Reason | None = None
    """Why its arrival was refused; None if it was not."""
    valid: tuple[float, float] | None = None
    """From when until when its token may arrive, in seconds since 1970; None: at any time."""

    def may_arrive_at(self, moment: float) -> bool:
        """Whether a message of that time may bring it."""
        return self.valid is None or self.valid[0] <= moment < self.valid[1]


class Hit(NamedTuple):
    """The value under one of the keys, and the object that has this key."""

    value: Any
    beside: Mapping[str, Any]


def look_in(metadata: object, paths: Sequence[Sequence[str]]) -> Hit | None:
    """Return the value of the first path that has one."""
    for *way, key in paths:
        beside = metadata
        for step in way:
            beside = beside.get(step) if isinstance(beside, dict) else None
        if isinstance(beside, dict) and not _is_no_value(value := beside.get(key)):
            return Hit(value, beside)
    return None


def _is_no_value(value: object) -> bool:
    """Whether a value is null, blank or empty: as if its key were not there."""
    return value is False or value in (None, [], {}) or is_blank(value)


def arrival_in(hit: Hit, default_encoded: int | None) -> Arrival:
    """Read a hit; `default_encoded` is the value of `PS7_ENCODED`.

    What came beside a value that is not usable is read too: it may be a token's.
    """
    context_id = usable(hit.value)
    encoded = encoding(hit.beside.get("encoded"), default_encoded)
    return Arrival(
        context_id=context_id,
        fingerprint=unusable(hit.value) if context_id is None else fingerprint(context_id, encoded),
        encoded=encoded,
        value=hit.value,
        correlation_id=well_formed(hit.beside.get("correlationId")),
        flow_id=well_formed(hit.beside.get("flowId")),
    )


def usable(value: object) -> str | None:
    """Return the contextId as text; None if it is not usable.

    Usable is text of 1 to 256 printable characters without white space. A whole number becomes its
    digits, also as a float, which is how numbers arrive over gRPC.
    """
    text = _text(value)
    if text is None or not 1 <= len(text) <= MAX_LENGTH:
        return None
    return text if text.isprintable() and " " not in text else None


def _text(value: object) -> str | None:
    """Return text as it is, and a whole number as its digits."""
    match value:
        case str():
            return value
        case bool():
            return None
        case float() if abs(value) < _MAX_EXACT and value.is_integer():
            return str(int(value))
        case int() if value.bit_length() <= _MAX_BITS:
            return str(value)
    return None


def encoding(value: object, default: int | None) -> int | None:
    """Read `encoded`: 0 or 1, and `default` if it is anything else."""
    return _ENCODED.get(_text(value), default)


def well_formed(value: object) -> str | None:
    """Read a correlation id or a flow id; None if it is not well formed.

    A CPF, however it is written, is not well formed: such ids are logged and sent.
    """
    match value:
        case str() if _ID.fullmatch(value) and not is_written_as_cpf(value):
            return value
    return None


def fingerprint(context_id: str, encoded: int | None = None) -> str:
    """Return 22 characters that tell this contextId from any other: 128 bits of SHA-256.

    PS7's gateway treats `encoded` 1 like none, so both have one fingerprint: that of the text. It
    is not keyed, since seals outlive a rotation of keys.
    """
    return _digest(f'["contextId", {json.dumps(context_id)}, {"0" if encoded == 0 else "null"}]')


def received_alike(context_id: str, encoded: int | None) -> Iterator[str]:
    """Yield the texts whose log-out logs this contextId out, beginning with its own.

    PS7 receives the text as it is if `encoded` is 0, else the text in Base64. A text is logged out
    whatever stands beside it, so what PS7 then received may be the text or its Base64.
    """
    yield context_id
    if encoded == 0:
        try:
            plain = base64.b64decode(
                context_id.translate(_URL_SAFE) + "=" * (-len(context_id) % 4), validate=True
            )
            yield plain.decode()
        except ValueError:
            pass  # it is not Base64 of any text
    else:
        yield base64.b64encode(context_id.encode()).decode()


def unusable(value: object) -> str:
    """Return the fingerprint of a value that is not usable, or was refused."""
    try:
        text = json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return _digest(json.dumps(["unusable", None, type(value).__name__]))
    return _digest(json.dumps(["unusable", text]))


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()[:_FINGERPRINT_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


# A signed arrival

ALGORITHM = "HS256"
MAX_SECONDS = 120
"""From `iat` to `exp`: time enough for a page to open a chat, and for nothing else."""
MAX_TOKEN_LENGTH = 4096
"""Characters of a token. Nothing longer is even decoded."""
_CLOCKS_DIFFER = 10.0
"""Seconds by which the back-end's clock may be ahead of ours."""


_MOST_KEPT = 1024
"""Tokens whose reading a process keeps: a page may send one with each message of a session."""


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    context_id: Any = Field(alias="contextId")
    encoded: Any = None
    sub: str
    iat: FiniteFloat
    exp: FiniteFloat
    nbf: FiniteFloat | None = None


class ArrivalVerifier:
    """Reads arrivals. Without keys every contextId is accepted as it came."""

    def __init__(self, keys: Sequence[str], default_encoded: int | None = None) -> None:
        """Take the secrets of the bank's back-end, newest first; each of them may have signed.

        `default_encoded` goes to PS7 if a token, or a plain arrival, has no `encoded`.
        """
        self._keys = tuple(keys)
        self._default_encoded = default_encoded
        self._kept = lru_cache(maxsize=_MOST_KEPT)(self._read_token)

    def read(self, hit: Hit, sender_id: str) -> Arrival:
        """Return what a message brought; or refused, and why.

        Everything of a token is verified but the time: see `Arrival.may_arrive_at`.
        """
        value, beside = hit
        if not self._keys:
            found = arrival_in(hit, self._default_encoded)
            return found if found.context_id is not None else refused(value)
        if not isinstance(value, str) or len(value) > MAX_TOKEN_LENGTH:
            return refused(value, Reason.ARRIVAL_SIGNATURE)
        found, sub = self._kept(value)
        if found.refused is not None:
            return found
        if sub != sender_id:
            return refused(value, Reason.ARRIVAL_CONVERSATION)
        if "correlationId" in beside or "flowId" in beside:
            return replace(
                found,
                correlation_id=well_formed(beside.get("correlationId")),
                flow_id=well_formed(beside.get("flowId")),
            )
        return found

    def _read_token(self, token: str) -> tuple[Arrival, str]:
        """Return what a token brings to a conversation, and to which."""
        claims = self._verified(token)
        if isinstance(claims, Reason):
            return refused(token, claims), ""
        try:
            said = _Claims.model_validate(claims)
        except ValidationError:
            return refused(token, Reason.ARRIVAL_CLAIMS), ""
        context_id = usable(said.context_id)
        if context_id is None or not 0 < said.exp - said.iat <= MAX_SECONDS:
            return refused(token, Reason.ARRIVAL_CLAIMS), ""
        # It decides who is looked up, so it is the token's: what came beside that is not signed.
        encoded = encoding(said.encoded, self._default_encoded)
        begins = said.iat - _CLOCKS_DIFFER
        found = Arrival(
            context_id,
            fingerprint(context_id, encoded),
            encoded,
            token,
            valid=(begins if said.nbf is None else max(begins, said.nbf), said.exp),
        )
        return found, said.sub

    def _verified(self, token: str) -> dict[str, Any] | Reason:
        """Return the claims of a token that one of the keys signed, else why it is refused."""
        for key in self._keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, key, algorithms=[ALGORITHM], options=_LEFT_TO_US
                )
            # A token's JSON can be nested deeper than Python reads, and its text no Unicode.
            except (jwt.PyJWTError, RecursionError, UnicodeError):
                continue
            return Reason.ARRIVAL_CLAIMS if "aud" in claims else claims
        return Reason.ARRIVAL_SIGNATURE


_LEFT_TO_US: Any = {
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("aud", "exp", "iat", "jti", "nbf", "sub")},
}
"""`State` judges the time, by the message that brought the token, and `_Claims` the types. A token
that names an audience is not for this bot."""


def refused(value: object, reason: Reason | None = None) -> Arrival:
    """Return what was found without its contextId and what came beside it.

    No reason: the value is not usable.
    """
    return Arrival(None, unusable(value), value=value, refused=reason)


def sign(
    key: str,
    context_id: str,
    sender_id: str,
    *,
    seconds: int = MAX_SECONDS,
    encoded: int | None = None,
) -> str:
    """Make the token by which a contextId arrives in one conversation, as a back-end would.

    `key` is the newest of `PS7_ARRIVAL_KEYS`; `seconds` is how long from now it may arrive.

    Examples:
        >>> token = sign_arrival("k" * 32, "ana", bot.sender_id, seconds=60)
        >>> token.count(".")
        2

    """
    made = int(clock.utc_now().timestamp())
    claims = {"contextId": context_id, "sub": sender_id, "iat": made, "exp": made + seconds}
    more = {} if encoded is None else {"encoded": encoded}
    return jwt.encode(claims | more, key, algorithm=ALGORITHM)


# Metadata without a contextId

_OF_RASA = {"model_id", "assistant_id", "session_id", "is_external"}
"""What Rasa itself adds: to every message, the last one to a reminder or a triggered intent."""
_NAME = re.compile(r"(?!(?:.*\d){5})[A-Za-z_][\w-]{0,39}", re.ASCII)
"""A name of a key that may be shown: fewer than five digits are no number of a customer."""
_MOST_SHOWN = 8
_DEPTH = 3


def describe_metadata(metadata: object, paths: Sequence[Sequence[str]]) -> str | None:
    """Return the keys of metadata without a contextId, and one that looks like it.

    None if the channel brought nothing. `paths` are the places of a contextId.
    """
    if not isinstance(metadata, dict) or metadata.keys() <= _OF_RASA:
        return None
    shown = sorted(_shown(metadata).keys() - _OF_RASA)[:_MOST_SHOWN]
    keys = ", ".join(shown) or "none that can be shown"
    wanted = {_plain(path[-1]) for path in paths}
    miss = next((way for way in _ways(metadata) if _plain(way[-1]) in wanted), None)
    looks = "" if miss is None else f"; {'.'.join(miss)} looks like one: PS7_METADATA_KEYS"
    return f"keys: {keys}{looks}"


def _ways(content: dict[str, object], *way: str) -> Iterator[tuple[str, ...]]:
    """Yield the way to each key that has something and may be shown."""
    for name, value in _shown(content).items():
        if not _is_no_value(value):
            yield *way, name
        if isinstance(value, dict) and len(way) + 1 < _DEPTH:
            yield from _ways(value, *way, name)


def _shown(content: dict[str, object]) -> dict[str, object]:
    texts = (name for name in content if isinstance(name, str))
    return {name: content[name] for name in texts if _NAME.fullmatch(name)}


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
