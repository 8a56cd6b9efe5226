"""Where in a conversation the contextId is. Pure: plain values in, a `Found` out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from .. import cpf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ..errors import Reason

MAX_LENGTH = 256
_MAX_EXACT = 2**53
"""From here on a float no longer tells neighbouring whole numbers apart."""
_MAX_BITS = 900
"""An int of more bits has more than `MAX_LENGTH` digits; Python may refuse to write it at all."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)
_ENCODED = {"0": 0, "1": 1}

SESSION_ACTION = "action_session_start"
SESSION_METADATA = "session_started_metadata"
"""The slot in which Rasa keeps the metadata of the message that opened a session."""
_SESSION_EVENTS = ("session_started", "session_ended", "restart")


@dataclass(frozen=True)
class Found:
    """A contextId as it was found, and what stood beside it. Its `repr` shows no value."""

    context_id: str | None = field(repr=False)
    """None: what stands under the key is not usable."""
    fingerprint: str = field(repr=False)
    """Tells this contextId from any other, usable or not, and fits into a seal."""
    value: object = field(default=None, repr=False)
    """What stands under the key, as it came."""
    encoded: int | None = None
    """What goes to PS7 beside it: as it came, else `PS7_ENCODED`."""
    correlation_id: str | None = field(default=None, repr=False)
    flow_id: str | None = field(default=None, repr=False)
    carried: bool = False
    """It stands in `session_started_metadata` alone, where Rasa keeps it over later sessions."""
    refused: Reason | None = None
    """Why it was not let in, None where it was or where everybody may enter."""
    opens: tuple[float, float] | None = None
    """From when until when its token lets somebody in, in seconds since 1970; None: always."""


def find(
    latest_message: object,
    events: Sequence[object],
    session_started_metadata: object,
    paths: Iterable[str],
    default_encoded: int | None = None,
) -> Found | None:
    """Find the contextId that counts now; None where there is none.

    The first hit wins: the latest message, then the user events of this session, newest first, as
    they stand in the tracker (reverted turns included, since a fallback rewinds the turn that
    brought a contextId), then what opened the session. In each, `paths` in order. Null or blank
    under a path counts as nothing there. `default_encoded` is what `PS7_ENCODED` says.
    """
    steps = [path.split(".") for path in paths]
    for hit in _hits(_messages(latest_message, events), steps):
        return _found(*hit, default_encoded)
    for hit in _hits([session_started_metadata], steps):
        return replace(_found(*hit, default_encoded), carried=True)
    return None


def values(
    latest_message: object,
    events: Sequence[object],
    paths: Iterable[str],
    default_encoded: int | None = None,
) -> Iterator[tuple[Any, int | None]]:
    """Give what this session's messages brought, each as often as it came, the newest first.

    They are values as they stand there and their `encoded`; `found_as` makes what `find` would have
    found.
    """
    steps = [path.split(".") for path in paths]
    for value, beside in _hits(_messages(latest_message, events), steps):
        yield value, encoding(beside.get("encoded"), default_encoded)


def found_as(value: object, encoded: int | None) -> Found:
    """Give what is found where this value stands with nothing but `encoded` beside it."""
    context_id = usable(value)
    return Found(
        value=value,
        context_id=context_id,
        fingerprint=fingerprint(value if context_id is None else context_id, encoded),
        encoded=encoded,
    )


def session_mark(events: Sequence[object]) -> str:
    """Tell this session of a conversation from its others; empty where no event opened it."""
    opened = next(filter(_opens_session, _newest_first(events)), None)
    return "" if opened is None else str(opened.get("timestamp"))


def opening(events: Sequence[object]) -> object:
    """Give the metadata that opens the session which is about to start; None where there is none.

    While `action_session_start` runs, the latest message is still that of the session before. What
    came since the last action counts: the slot that Rasa sets for a message which opens a session,
    or the message `/session_start` itself.
    """
    for event in _newest_first(events):
        kind = event.get("event")
        if kind == "slot" and event.get("name") == SESSION_METADATA:
            return event.get("value")
        if kind == "user":
            return event.get("metadata") if _asks_for_session(event) else None
        if kind == "action" or kind in _SESSION_EVENTS:
            return None
    return None


def _newest_first(events: Sequence[object]) -> Iterator[Mapping[str, Any]]:
    return (event for event in reversed(events) if isinstance(event, dict))


def _messages(latest_message: object, events: Sequence[object]) -> Iterator[object]:
    if isinstance(latest_message, dict):
        yield latest_message.get("metadata")
    for event in in_session(events):
        if event.get("event") == "user":
            yield event.get("metadata")


def in_session(events: Sequence[object]) -> Iterator[Mapping[str, Any]]:
    """Give the events since the session was opened, the newest first."""
    for event in _newest_first(events):
        if _opens_session(event):
            return
        yield event


def _opens_session(event: Mapping[str, Any]) -> bool:
    kind = event.get("event")
    return kind in _SESSION_EVENTS or (kind == "action" and event.get("name") == SESSION_ACTION)


def _asks_for_session(message: Mapping[str, Any]) -> bool:
    text = message.get("text")
    return isinstance(text, str) and text.partition("{")[0].strip() == "/session_start"


def _hits(
    places: Iterable[object], paths: Sequence[Sequence[str]]
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Give what stands in each place under the first path that has something, and what beside."""
    for metadata in places:
        for *way, key in paths:
            beside = metadata
            for step in way:
                beside = beside.get(step) if isinstance(beside, dict) else None
            value = beside.get(key) if isinstance(beside, dict) else None
            if isinstance(beside, dict) and not _is_blank(value):
                yield value, beside
                break


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _found(value: object, beside: Mapping[str, Any], default_encoded: int | None) -> Found:
    return replace(
        found_as(value, encoding(beside.get("encoded"), default_encoded)),
        correlation_id=well_formed(beside.get("correlationId")),
        flow_id=well_formed(beside.get("flowId")),
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


def encoding(value: object, default: int | None) -> int | None:
    """Read `encoded`: 0 or 1, and `default` where it is anything else."""
    return _ENCODED.get(value if isinstance(value, str) else str(_whole_number(value)), default)


def well_formed(value: object) -> str | None:
    """Read a correlation id or a flow id; None where it is none.

    Nor is a CPF one: such ids are logged and sent.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        return None
    return None if cpf.is_written_as(value) else value


def fingerprint(value: object, encoded: int | None = None) -> str:
    """Give 64 hexadecimal digits that tell this contextId, usable or not, from any other.

    `encoded` says how PS7 reads it, so the same text may name another customer.
    """
    if isinstance(value, str):
        text = f"text {value}"
    else:
        try:
            text = f"json {json.dumps(value, sort_keys=True)}"
        except (TypeError, ValueError, RecursionError):
            text = f"type {type(value).__name__}"
    if encoded is not None:
        text = f"encoded {encoded} {text}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
