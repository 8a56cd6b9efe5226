"""`rasa-ps7 lookup --shape`: how an answer differs from PS7's document, without a value of it.

For a bank to send to those who maintain the plugin, who have never seen its PS7. A name that could
be data is shown by its shape, as a value is.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..clock import utc_now
from ..customer import SLOTS
from ..lookup.wire import UNUSED, UPSTREAM_ACCOUNT, usable_until
from .output import Tone, Toned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..lookup.client import Lookup
    from ..settings import PS7Settings
    from .output import Output

_EITHER = ("text", "number")
_TEXT = ("text",)
_OBJECT = ("object",)
_NAMES = (*(slot.wire for slot in SLOTS if slot.wire), *sorted(UNUSED - {"contexto"}))
_FIELDS = dict.fromkeys(_NAMES, _TEXT)
_PAYLOAD = {**_FIELDS, "contexto": _OBJECT}
_ENVELOPE = {
    **dict.fromkeys(("message", "key", "decodedContextId"), _TEXT),
    **dict.fromkeys(("code", "expireIn"), _EITHER),
    "payload": _OBJECT,
}
_BELOW = {
    "payload": _PAYLOAD,
    "data": _PAYLOAD,  # as the neighbours call it
    "payload.contexto": _FIELDS | {UPSTREAM_ACCOUNT: _TEXT},
    "data.contexto": _FIELDS | {UPSTREAM_ACCOUNT: _TEXT},
}
"""What the document names, and of which types: below each object."""
_NAME = re.compile(r"(?!(?:.*\d){5})[A-Za-z_][\w-]{0,39}", re.ASCII)
_MOST, _LONGEST, _EVER = 300, 60, 36525 * 86400.0
"""Rows; characters of a shape; seconds after which no customer's context ends."""


class _Number(str):
    """A number as the wire has it."""

    __slots__ = ()


class Row(NamedTuple):
    """A field of the answer, or one that it lacks."""

    field: str
    type: str = "-"
    shape: str = ""
    differs: str = ""


def shape(text: str) -> str:
    """Return a text with 9 for each digit, a for each letter and ? for what ASCII does not have."""
    shown = (
        "9" if char.isdigit() else "a" if char.isalpha() else char if char.isascii() else "?"
        for char in text[:_LONGEST]
    )
    return "".join(shown) + (f"… ({len(text)})" if len(text) > _LONGEST else "")


def described(lookup: Lookup, settings: PS7Settings) -> dict[str, Any]:
    """Return the shape of an answer, for a machine."""
    report, answer = lookup.report, lookup.answer
    said: dict[str, Any] = {
        "outcome": report.outcome.value,
        "reason": report.reason.value,
        "status": report.status,
        "milliseconds": round(report.seconds * 1000),
    }
    if answer is None:
        return said | {"body": "no answer came, or not whole"}
    said["headers"] = sorted({_name(name.lower()) for name in answer.headers})
    said["body"] = f"JSON, {len(answer.body)} bytes"
    try:
        text = answer.body.decode(json.detect_encoding(answer.body), "replace")
        content = json.loads(text, parse_int=_Number, parse_float=_Number)
    except (ValueError, RecursionError):
        return said | {"body": f"not JSON, {len(answer.body)} bytes"}
    odd = report.undocumented
    rows = [
        row._replace(differs="not a documented value") if row.field.split(".")[-1] in odd else row
        for row in _rows(content)
    ]
    if isinstance(content, dict) and "expireIn" in content:
        said["expireIn"] = _expiry(content["expireIn"], settings.max_age)
    return said | {"fields": [row._asdict() for row in rows[:_MOST]]}


def write(out: Output, said: dict[str, Any], version: str) -> None:
    """Write it for a person."""
    out.line(f"rasa-ps7 {version}: the shape of one answer, without its values.")
    out.line()
    rows = [Row(**row) for row in said.pop("fields", ())]
    out.table(((name, _listed(value)) for name, value in said.items()), indent=0)
    out.line()
    head = [Toned(name, Tone.STRONG) for name in Row._fields]
    cells = [(*row[:3], Toned(row.differs, Tone.DOUBTFUL)) for row in rows]
    out.table([head, *cells] if rows else [], indent=0)


def _listed(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else "-" if value is None else str(value)


def _rows(content: Any, way: str = "") -> Iterator[Row]:
    """Yield a row for each field, in the order of the wire; then for those that are missing."""
    if not way and not isinstance(content, dict):
        yield _row("(all)", content, _OBJECT)
        return
    if isinstance(content, list):
        for part in content[:1]:
            yield from _field(f"{way}[0]", part, None)
        return
    documented = _BELOW.get(way, {}) if way else _ENVELOPE
    for name, value in content.items():
        yield from _field(f"{way}.{_name(name)}".strip("."), value, documented.get(name, ()))
    if not way or way in ("payload", "data"):
        for name in (name for name in documented if name not in content):
            yield Row(f"{way}.{name}".strip("."), differs="missing")


def _field(way: str, value: Any, types: tuple[str, ...] | None) -> Iterator[Row]:
    yield _row(way, value, types)
    if isinstance(value, dict | list):
        yield from _rows(value, way)


def _row(way: str, value: Any, types: tuple[str, ...] | None) -> Row:
    kind, shown = _kind(value)
    differs = "undocumented" if types == () else ""
    if types and kind not in types:
        differs = f"{' or '.join(types)} is documented"
    return Row(way, kind, shown, differs)


def _kind(value: Any) -> tuple[str, str]:
    """Return what JSON calls a value, and its shape."""
    if isinstance(value, _Number):
        return "number", shape(value)
    if isinstance(value, str):
        return "text", shape(value) or "(blank)"
    if isinstance(value, dict | list):
        return "object" if isinstance(value, dict) else "list", f"({len(value)})"
    return "null" if value is None else "boolean", ""


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) else f"({shape(name)})"


def _expiry(value: Any, max_age: float) -> str:
    """Return the format of `expireIn`, and what the plugin makes of it."""
    kind, shown = _kind(value)
    now, limit = utc_now(), f"PS7_MAX_AGE ({max_age:g} s) applies"
    seconds = (usable_until(value, now, _EVER).until - now).total_seconds()
    if seconds >= _EVER:
        made = f"past, or in no format that is read: {limit}"
    else:
        made = f"later than that: {limit}" if seconds > max_age else "read: it applies"
    return f"{kind} {shown}: {made}".replace(" :", ":")
