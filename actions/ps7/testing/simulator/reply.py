"""An answer of the simulator as plain values, before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..faults import Delivery


@dataclass(frozen=True)
class Reply:
    """What goes back to the client, and how (`delivery`)."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    delivery: Delivery = "whole"


def make_reply(
    status: int,
    body: bytes | Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    delivery: Delivery = "whole",
) -> Reply:
    """Make a reply: a mapping becomes JSON in UTF-8, bytes stay as they are.

    Where the headers name no Content-Type it is `application/json`.
    """
    all_headers = dict(headers or {})
    if "content-type" not in map(str.lower, all_headers):
        all_headers["Content-Type"] = "application/json"
    content = body if isinstance(body, bytes) else to_json(body)
    return Reply(status, all_headers, content, delivery)


def to_json(value: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Write JSON in UTF-8. A lone surrogate cannot be UTF-8: it stands there as its escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace")
