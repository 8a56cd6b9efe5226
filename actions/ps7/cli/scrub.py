"""PS7's answer without the customer: its text as it came, every value of it made up. Pure.

It fails closed. What the interface does not document is replaced, names of fields too; a text that
is no JSON is replaced from its first letter to its last. Layout, order, doubled names, the way a
number or a character is written, and the charset stay: they are what an answer is recorded for.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..api.json_text import decode, parse
from . import documented
from .made_up import MadeUp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..api.wire import Answer

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[a-z]+|\s+|[\[\]{},:]', re.DOTALL)
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
"""One character of a JSON text as it is written."""
_CHARSETS = "utf-?(8|16)|iso-8859-15?|latin-?1|windows-1252|cp1252|us-ascii"
_CONTENT_TYPE = re.compile(
    r"(application|text)/(json|problem\+json|plain|html|xml)"
    rf'(\s*;\s*(charset\s*=\s*"?({_CHARSETS})"?|(q|version)\s*=\s*\d(\.\d)?))*',
    re.ASCII | re.IGNORECASE,
)
_NO_TEXT = "\x81"
"""A byte that neither UTF-8 nor Windows-1252 begins a character with."""


@dataclass(frozen=True)
class Token:
    """One piece of a JSON text."""

    text: str
    name: str
    """Of the field that it names or is a value of; empty where there is none."""
    is_name: bool


def scrubbed(answer: Answer) -> Answer:
    """Give the answer with made-up values; of its headers, those that decide how it is read."""
    content_type = answer.headers.get("content-type", "")
    encoding = answer.headers.get("content-encoding")
    headers = {}
    if content_type:
        known = _CONTENT_TYPE.fullmatch(content_type)
        headers["content-type"] = content_type if known else MadeUp(()).text(content_type)
    if encoding is not None:
        headers["content-encoding"] = "identity" if encoding.lower() == "identity" else "gzip"
    compressed = encoding is not None and encoding.lower() != "identity"
    # Who could read what is compressed? Nobody does, so nothing of it is kept.
    body = b"" if compressed else _body(answer.body, content_type)
    return replace(answer, headers=headers, body=body)


def _body(body: bytes, content_type: str) -> bytes:
    try:
        text, charset = decode(body, content_type)
    except UnicodeDecodeError:
        return _not_text(body)
    try:
        parse(body, content_type)
    except ValueError:
        made_up = MadeUp([text]).text(text)
    else:
        made_up = _json(text)
    bom = body.startswith(b"\xef\xbb\xbf")
    return made_up.encode("utf-8" if charset == "utf-8-sig" and not bom else charset)


def _not_text(body: bytes) -> bytes:
    text = "".join(char if char.isascii() else _NO_TEXT for char in body.decode("latin-1"))
    return MadeUp([text]).text(text).encode("latin-1")


def _json(text: str) -> str:
    pieces = list(tokens(text))
    made_up = MadeUp(
        json.loads(piece.text) if piece.text[0] == '"' else piece.text for piece in pieces
    )
    return "".join(_replaced(piece, made_up) for piece in pieces)


def _replaced(token: Token, made_up: MadeUp) -> str:
    literal = token.text
    if literal[0] == '"':
        value = json.loads(literal)
        known = (
            documented.is_name(value) if token.is_name else documented.is_no_data(token.name, value)
        )
        return literal if known else f'"{_written_alike(literal[1:-1], made_up.text(value))}"'
    if literal[0] in "-0123456789" and not documented.is_no_data(token.name, literal):
        return made_up.number(literal)
    return literal


def _written_alike(real: str, made_up: str) -> str:
    """Write made-up characters as those that they replace: one that was an escape is one again."""
    units = _UNIT.findall(real)
    return "".join(map(_as_written, units, made_up))


def _as_written(unit: str, char: str) -> str:
    if unit.startswith("\\u"):
        return unit if json.loads(f'"{unit}"') == char else f"\\u{ord(char):04x}"
    return unit if unit.startswith("\\") else char


def tokens(text: str) -> Iterator[Token]:
    """Give the tokens of a JSON text, blanks too, each with the field that it belongs to."""
    names: list[str] = []
    objects: list[bool] = []
    name_next = False
    for match in _TOKEN.finditer(text):
        piece = match.group()
        is_name = piece[0] == '"' and name_next
        if is_name:
            names[-1] = json.loads(piece)
        yield Token(piece, names[-1] if names else "", is_name)
        if piece in ("{", "["):
            names.append(names[-1] if names else "")
            objects.append(piece == "{")
        elif piece in ("}", "]"):
            names.pop()
            objects.pop()
        if piece in ("{", ","):
            name_next = objects[-1]
        elif not piece.isspace():
            name_next = False
