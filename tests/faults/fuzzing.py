"""What hypothesis makes up: metadata of any shape, and answers of any kind.

The strategies lean towards what is nearly right: pure noise seldom gets further than the first
check.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from actions.ps7.api.wire import Answer
from actions.ps7.testing import PERSONAS

HOSTILE = (
    "",
    " ",
    "{{7*7}}",
    "{cpf}",
    "${jndi:ldap://127.0.0.1/a}",
    "%s%n%d",
    "<script>alert(1)</script>",
    "'; DROP TABLE contexts;--",
    '{"contextId": "C1"}',
    '"contextId"',
    "../../etc/passwd",
    "C1\r\nX-Forged: yes",
    "C1\nINFO PS7 lookup: outcome=ok",
    "\x00",
    "\x1b[31mC1\x1b[0m",
    "\u202eC1",
    "C1\u200b",
    "\ufeffC1",
    "\ud800",
    "\U0001f469\u200d\U0001f52c",
    "ﬁ①²",
    "C" * 256,
    "C" * 257,
    "9" * 5000,
)
"""Texts that have done harm elsewhere."""
MEGABYTE = "x" * 2**20

texts = st.sampled_from(HOSTILE) | st.text(max_size=40) | st.sampled_from(["C1", "ana", "0", "1"])
numbers = (
    st.integers()
    | st.sampled_from([0, 1, -1, 2**53, 2**63, 10**400])
    | st.floats(allow_nan=False, allow_infinity=False)
)
scalars = st.none() | st.booleans() | numbers | texts


def _nested(value: Any, depth: int) -> Any:  # noqa: ANN401 - JSON can be anything
    for level in range(depth):
        value = [value] if level % 2 else {"contextId": value}
    return value


def _json(keys: st.SearchStrategy[str], leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=8,
    )


# Metadata

_METADATA_KEYS = st.sampled_from(
    ("contextId", "encoded", "correlationId", "flowId", "channel", "__proto__")
)
_any_metadata = _json(_METADATA_KEYS | texts, scalars)
_values = st.just(MEGABYTE) | st.builds(_nested, scalars, st.integers(0, 200)) | _any_metadata

metadata = (
    _any_metadata
    | st.fixed_dictionaries(
        {"contextId": texts | _values},
        optional={"encoded": scalars, "correlationId": texts | _values, "flowId": texts | _values},
    )
    | st.builds(lambda value: {"channel": {"contextId": value}}, texts | _values)
    | st.builds(json.dumps, _any_metadata)
)
"""What a channel may send along: any JSON, JSON in JSON included."""

_slots = st.dictionaries(
    st.sampled_from(("cpf", "ps7_status", "ps7_context", "session_started_metadata", "u_x")),
    scalars | metadata,
    max_size=4,
)
_events = st.lists(
    st.fixed_dictionaries(
        {"event": st.sampled_from(("user", "action", "session_started", "slot", "", None))},
        optional={"metadata": metadata, "name": texts},
    )
    | scalars,
    max_size=3,
)


def tracker_state(
    metadata: object, events: list[Any], slots: dict[str, Any], sender_id: str
) -> dict[str, Any]:
    """Return a tracker as Rasa sends it, with this inside."""
    return {
        "sender_id": sender_id,
        "slots": slots,
        "latest_message": {"text": "oi", "metadata": metadata},
        "events": events,
    }


trackers = st.builds(
    tracker_state, metadata=metadata, events=_events, slots=_slots, sender_id=texts
)

# Answers

_FIELDS = (*PERSONAS["ana"].payload, "u_cssc", "contexto", "u_x")
_VALUES = ("AUT", "IDE", "NID", "Token", "CSI", "none", "S", "N", "00052998224725", "S\n", 0, 1.5)

_field_values = st.sampled_from(_VALUES) | scalars | _json(texts, scalars)
_fields = st.dictionaries(st.sampled_from(_FIELDS) | texts, _field_values, max_size=6)
_payloads = _fields | st.builds(lambda inner: {"contexto": inner}, _fields) | _values
_envelopes = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(("0", 0, 0.0, "1", None, True, [])) | scalars,
        "message": texts,
        "key": scalars,
        "expireIn": st.sampled_from(("3600", 60, "2099-12-31", "2099-12-31T10:00:00Z")) | scalars,
        "decodedContextId": scalars,
        "payload": _payloads,
        "data": _payloads,
        "AccessToken": scalars,
        "Expires": scalars,
    },
)


def _as_json(value: object, charset: str) -> bytes:
    return json.dumps(value, ensure_ascii=charset == "ascii").encode(charset, "replace")


def _damaged(body: bytes, cut: int, noise: bytes) -> bytes:
    return body[:cut] + noise + body[cut + len(noise) :]


_charsets = st.sampled_from(("ascii", "utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"))
_written = st.builds(_as_json, _envelopes | _json(texts, scalars), _charsets)
_bodies = (
    _written
    | st.builds(_damaged, _written, st.integers(0, 200), st.binary(max_size=8))
    | st.binary(max_size=60)
    | st.sampled_from([b"", b"null", b"[]", b"{}", b'"x"', b"[" * 5000, b'{"payload":' * 3000])
)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            ("application/json", "text/html; charset=iso-8859-1", "x; charset=utf-16", ";")
        )
        | texts,
        "content-encoding": st.sampled_from(("identity", "gzip", "")) | texts,
        "retry-after": st.sampled_from(("0", "1", "-1", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT"))
        | texts,
        "location": texts,
        "x-message": texts,
    },
)
_statuses = st.sampled_from((200, 200, 200, 200, 400, 401, 403, 404, 429, 500, 503)) | st.integers(
    100, 999
)

_make: Callable[..., Answer] = Answer
answers = st.builds(_make, status=_statuses, headers=_headers, body=_bodies)
"""What may come back, from PS7 or from the token endpoint."""
