"""Where in a conversation the contextId is. Pure: plain values in, a `Found` out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_LENGTH = 256
_MAX_EXACT = 2**53
"""From here on a float no longer tells neighbouring whole numbers apart."""
_MAX_BITS = 900
"""An int of more bits has more than `MAX_LENGTH` digits; Python may refuse to write it at all."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_ENCODED = {"0": 0, "1": 1}

_SESSION_EVENTS = ("session_started", "session_ended", "restart")
_SESSION_ACTION = "action_session_start"


@dataclass(frozen=True)
class Found:
    """A contextId as it was found, and what stood beside it. Its `repr` shows no value."""

    context_id: str | None = field(repr=False)
    """None: something stands under the key, and it is not usable."""
    fingerprint: str = field(repr=False)
    """Tells this contextId from any other, usable or not, and fits into a seal."""
    encoded: int | None = None
    correlation_id: str | None = field(default=None, repr=False)
    flow_id: str | None = field(default=None, repr=False)
    carried: bool = False
    """It stands in `session_started_metadata` alone, where Rasa keeps it over later sessions."""


def find(
    latest_message: object,
    events: Sequence[object],
    session_started_metadata: object,
    paths: Iterable[str],
) -> Found | None:
    """Find the contextId that counts now; None where there is none.

    The first hit wins: the latest message, then the user events of this session, newest first, as
    they stand in the tracker (reverted turns included, since a fallback rewinds the turn that
    brought a contextId), then what opened the session. In each, `paths` in order. Null or blank
    under a path counts as nothing there.
    """
    steps = [path.split(".") for path in paths]
    for metadata in _messages(latest_message, events):
        for path in steps:
            hit = _at(metadata, path)
            if hit is not None:
                return hit
    for path in steps:
        hit = _at(session_started_metadata, path)
        if hit is not None:
            return replace(hit, carried=True)
    return None


def _messages(latest_message: object, events: Sequence[object]) -> Iterator[object]:
    if isinstance(latest_message, dict):
        yield latest_message.get("metadata")
    for event in reversed(events):
        if not isinstance(event, dict):
            continue
        if _opens_session(event):
            break
        if event.get("event") == "user":
            yield event.get("metadata")


def _opens_session(event: Mapping[str, Any]) -> bool:
    kind = event.get("event")
    return kind in _SESSION_EVENTS or (kind == "action" and event.get("name") == _SESSION_ACTION)


def _at(metadata: object, path: Sequence[str]) -> Found | None:
    beside = metadata
    for step in path[:-1]:
        beside = beside.get(step) if isinstance(beside, dict) else None
    if not isinstance(beside, dict):
        return None
    value = beside.get(path[-1])
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    context_id = usable(value)
    return Found(
        context_id=context_id,
        fingerprint=_fingerprint(value if context_id is None else context_id),
        encoded=_encoded(beside.get("encoded")),
        correlation_id=_well_formed(beside.get("correlationId")),
        flow_id=_well_formed(beside.get("flowId")),
    )


def usable(value: object) -> str | None:
    """Give the contextId as text, None where it is not usable.

    Usable is text of 1 to 256 printable characters without white space. A whole number becomes its
    digits, also as a float, which is how numbers arrive over gRPC.
    """
    whole = _whole_number(value)
    text = value if whole is None else str(whole)
    if not isinstance(text, str) or not 1 <= len(text) <= MAX_LENGTH:
        return None
    return text if text.isprintable() and " " not in text else None


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if abs(value) < _MAX_EXACT and value.is_integer() else None
    return value if isinstance(value, int) and value.bit_length() <= _MAX_BITS else None


def _encoded(value: object) -> int | None:
    return _ENCODED.get(value if isinstance(value, str) else str(_whole_number(value)))


def _well_formed(value: object) -> str | None:
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _fingerprint(value: object) -> str:
    if isinstance(value, str):
        text = f"text {value}"
    else:
        try:
            text = f"json {json.dumps(value, sort_keys=True)}"
        except (TypeError, ValueError, RecursionError):
            text = f"type {type(value).__name__}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
