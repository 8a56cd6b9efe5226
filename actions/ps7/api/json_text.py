"""JSON from the wire without loss: every number, text and depth that arrives has a fixed fate.

Knows nothing of PS7's fields.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

MAX_DEPTH = 64
"""Nesting beyond this is no customer context; it would only strain what reads it later."""

_UTF_8 = "utf-8-sig"
"""With a byte order mark in front or without."""
_MAX_EXACT = 2**53
_MAX_DIGITS = 17
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE | re.ASCII)
_CHARSETS = {
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "utf-16": "utf-16",
}


def parse(body: bytes, content_type: str = "") -> Any:  # noqa: ANN401 - JSON can be anything
    """Read a body as JSON; ValueError where it is none.

    UTF-8 is tried first, whatever the header claims, with or without a byte order mark; then the
    charset of `content_type`, if it is one that Brazilian back-ends are known to use. A number that
    Python would write in another way than the wire does (`1.50`, `1e3`, 20 digits) becomes its
    text. Lone surrogates become U+FFFD. The last of duplicate keys counts.
    """
    with suppress(ValueError, RecursionError):
        text = _text(body, content_type)
        value = _DECODER.decode(text)
        return _clean(value, MAX_DEPTH) if _may_need_cleaning(text) else value
    raise ValueError  # out here, since the error of the decoder carries the whole body along


def _may_need_cleaning(text: str) -> bool:
    """Whether a text can hold half a character, or be nested too deep. Few answers can."""
    deep = text.count("{") + text.count("[") > MAX_DEPTH
    return deep or _SURROGATE.search(text) is not None


def _text(body: bytes, content_type: str) -> str:
    """Return a body as text; UnicodeDecodeError: not UTF-8, nor in a charset that is known."""
    with suppress(UnicodeDecodeError):
        return body.decode(_UTF_8)
    named = _CHARSET.search(content_type)
    return body.decode(_CHARSETS.get(named.group(1).lower(), _UTF_8) if named else _UTF_8)


def _number(literal: str) -> int | float | str:
    if len(literal) > _MAX_DIGITS:
        return literal
    value = int(literal) if literal.lstrip("-").isdigit() else float(literal)
    return value if abs(value) < _MAX_EXACT and str(value) == literal else literal


def _refuse(_constant: str) -> None:
    """Refuse NaN and Infinity: Python reads them, JSON does not know them."""
    raise ValueError


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _clean(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON can be anything
    if isinstance(value, str):
        return _without_surrogates(value)
    if not isinstance(value, (dict, list)):
        return value
    if depth == 0:
        raise ValueError
    if isinstance(value, dict):
        return {_without_surrogates(key): _clean(item, depth - 1) for key, item in value.items()}
    return [_clean(item, depth - 1) for item in value]


def _without_surrogates(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
