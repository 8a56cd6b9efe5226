"""Answers of PS7, and what each must give: the format of the files. Knows nothing of the plugin.

Each file has answers of one kind, each under a name: the fields of `Vector`, and a body. That is
`json`, or `text` (in `encoding`), `base64`, or a long one in pieces: `repeat: [["[", 30000]]`.
`received_at` is when the answer came, `settings` have no `PS7_`, `undocumented` are the fields that
a WARNING must name; of `slots`, `ps7_payload` and `u_…` are compared only if they are named.
Make up every value: never use a customer's.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_CASES = {
    name: case
    for file in sorted(FOLDER.glob("*.json"))
    for name, case in json.loads(file.read_text(encoding="utf-8")).items()
}
NAMES = [*_CASES]
"""Of every vector, file by file."""

NOON = datetime(2024, 5, 10, 12, 0, tzinfo=timezone.utc)
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Vector:
    """One answer of PS7, and what it must give. A key that the format does not know is an error."""

    about: str
    outcome: str
    reason: str = "ok"
    slots: dict[str, Any] = field(default_factory=dict)
    undocumented: list[str] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    body: bytes = b""
    received_at: datetime = NOON
    settings: dict[str, Any] = field(default_factory=dict)


def load(name: str) -> Vector:
    """Return one vector."""
    case = dict(_CASES[name])
    if "received_at" in case:
        case["received_at"] = datetime.fromisoformat(case["received_at"])
    return Vector(body=_body(case), **case)


def _body(case: dict[str, Any]) -> bytes:
    """Take the one body out of a case."""
    encoding = case.pop("encoding", "utf-8")
    for form, write in _BODIES.items():
        if form in case:
            return write(case.pop(form), encoding)
    return b""


_BODIES: dict[str, Callable[[Any, str], bytes]] = {
    "json": lambda value, _: json.dumps(value, ensure_ascii=False).encode(),
    "text": lambda value, encoding: value.encode(encoding),
    "base64": lambda value, _: base64.b64decode(value, validate=True),
    "repeat": lambda pieces, _: "".join(text * times for text, times in pieces).encode(),
}
