"""What a contextId is, in which place metadata has it, and what tells it from others.

Pure: plain values in, a `Found` out. `situation` decides which message is read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import cpf
from ..context import is_blank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..outcomes import Reason

MAX_LENGTH = 256
_MAX_EXACT = 2**53
"""From here on a float no longer tells neighbouring whole numbers apart."""
_MAX_BITS = 900
"""An int of more bits has more than `MAX_LENGTH` digits; Python may refuse to write it at all."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_ENCODED: dict[str | None, int] = {"0": 0, "1": 1}
_FINGERPRINT_BYTES = 16


@dataclass(frozen=True)
class Found:
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
    """Return the value of the first path that has one; null or blank is no value."""
    for *way, key in paths:
        beside = metadata
        for step in way:
            beside = beside.get(step) if isinstance(beside, dict) else None
        if isinstance(beside, dict) and not is_blank(value := beside.get(key)):
            return Hit(value, beside)
    return None


def found_in(hit: Hit, default_encoded: int | None) -> Found:
    """Read a hit; `default_encoded` is the value of `PS7_ENCODED`.

    What came beside a value that is not usable is read too: it may be a token's.
    """
    context_id = usable(hit.value)
    encoded = encoding(hit.beside.get("encoded"), default_encoded)
    return Found(
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
        case str() if _ID.fullmatch(value) and not cpf.is_written_as(value):
            return value
    return None


def fingerprint(context_id: str, encoded: int | None = None) -> str:
    """Return 22 characters that tell this contextId from any other: 128 bits of SHA-256.

    PS7's gateway treats `encoded` 1 like none, so both have one fingerprint: that of the text, by
    which log-outs go. It is not keyed, since seals outlive a rotation of keys.
    """
    return _digest(f'["contextId", {json.dumps(context_id)}, {"0" if encoded == 0 else "null"}]')


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
