"""Requests and replies as plain values: after a request was read, before anything is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..faults import Delivery


@dataclass(frozen=True)
class RecordedRequest:
    """One request that came in, refused ones included.

    Its `repr` shows no header, no body and no contextId, so that a failing assertion puts none of
    them into a test log.
    """

    method: str
    path: str
    """As it was asked for, a query included."""
    headers: Mapping[str, str] = field(repr=False)
    """Names compare without regard to case, and stand in it as they were sent."""
    body: bytes = field(repr=False)
    json: Any = field(repr=False)
    """The body as JSON, None where it is none."""
    status: int = 0
    """What was answered, or would have been had the client waited."""
    refusal: str | None = None
    """Why the gateway did not pass it on to PS7, None if it did."""
    upstream_id: str | None = field(default=None, repr=False)
    """The contextId that went on to PS7, None where none did: Base64 unless `encoded` was 0."""


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
    """Return a reply: a mapping becomes JSON in UTF-8, bytes stay as they are.

    Where the headers name no Content-Type it is `application/json`.
    """
    all_headers = dict(headers or {})
    if "content-type" not in map(str.lower, all_headers):
        all_headers["Content-Type"] = "application/json"
    content = body if isinstance(body, bytes) else to_json(body)
    return Reply(status, all_headers, content, delivery)


def to_json(value: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Return JSON in UTF-8. A lone surrogate cannot be UTF-8: it stands there as its escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace")


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Read a body as JSON, None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
