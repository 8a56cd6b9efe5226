"""Which failures are retryable, and how long a pause a server may ask for."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from actions.ps7.api.wire import Answer, decode, retry_after
from actions.ps7.errors import (
    AccessDenied,
    CircuitOpen,
    ConnectionFailed,
    ContextRejected,
    DeadlineExceeded,
    InvalidContextId,
    LookupFailed,
    PS7Unavailable,
    Reason,
    UnexpectedStatus,
    UnreadableAnswer,
)

NOW = datetime(2026, 11, 24, 12, 0, 0, 700_000, tzinfo=timezone.utc)

RETRYABLE: list[LookupFailed] = [
    ConnectionFailed(Reason.CONNECT),
    ConnectionFailed(Reason.CONNECT_TIMEOUT),
    ConnectionFailed(Reason.CONNECTION_LOST),
    ConnectionFailed(Reason.READ_TIMEOUT),
    UnexpectedStatus(Reason.TOO_MANY_REQUESTS, 429),
    UnexpectedStatus(Reason.SERVER_ERROR, 502),
    UnexpectedStatus(Reason.SERVER_ERROR, 503),
    UnexpectedStatus(Reason.SERVER_ERROR, 504),
    PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 503),
]
LASTING: list[LookupFailed] = [
    ConnectionFailed(Reason.TLS),
    ConnectionFailed(Reason.TLS_UNKNOWN_CA),
    ConnectionFailed(Reason.TLS_WRONG_HOST),
    ConnectionFailed(Reason.TLS_EXPIRED),
    ConnectionFailed(Reason.TLS_CLIENT_REFUSED),
    ConnectionFailed(Reason.PROXY),
    ContextRejected(Reason.BUSINESS_FAILURE, 500),
    ContextRejected(Reason.FAILURE_CODE, 200),
    ContextRejected(Reason.NO_PAYLOAD, 200),
    InvalidContextId(Reason.BAD_REQUEST, 400),
    AccessDenied(Reason.UNAUTHORIZED, 401),
    AccessDenied(Reason.TOKEN_REFUSED, 401),
    UnexpectedStatus(Reason.REDIRECT, 307),
    UnexpectedStatus(Reason.PATH_NOT_FOUND, 404),
    UnexpectedStatus(Reason.SERVER_ERROR, 501),
    UnexpectedStatus(Reason.SERVER_ERROR, 520),
    UnexpectedStatus(Reason.UNDOCUMENTED_STATUS, 201),
    UnreadableAnswer(Reason.NOT_JSON, 200),
    UnreadableAnswer(Reason.NOT_AN_OBJECT, 200),
    UnreadableAnswer(Reason.ANSWER_TOO_LARGE, 200),
    UnreadableAnswer(Reason.COMPRESSED, 200),
    UnreadableAnswer(Reason.NOT_HTTP),
    UnreadableAnswer(Reason.TOKEN_UNREADABLE, 200),
    PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 500),
    PS7Unavailable(Reason.INTERNAL),
    DeadlineExceeded(Reason.DEADLINE),
    CircuitOpen(Reason.CIRCUIT_OPEN),
]


@pytest.mark.parametrize("failure", RETRYABLE, ids=str)
def test_what_may_be_gone_a_moment_later_is_tried_again(failure: LookupFailed) -> None:
    """The network, and the statuses of a server that is there and busy."""
    assert failure.retryable


@pytest.mark.parametrize("failure", LASTING, ids=str)
def test_what_would_be_the_same_again_is_not(failure: LookupFailed) -> None:
    """500 among it, which PS7 documents as a failure of the request's values."""
    assert not failure.retryable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("2", 2.0),
        ("007", 7.0),
        (" 3 ", 3.0),
        ("9" * 400, float("inf")),
        ("Tue, 24 Nov 2026 12:00:01 GMT", 0.3),
        ("Tue, 24 Nov 2026 12:01:00 GMT", 59.3),
        ("Tuesday, 24-Nov-26 12:00:01 GMT", 0.3),
        ("Tue Nov 24 12:00:01 2026", 0.3),
        ("Tue, 24 Nov 2026 09:00:01 -0300", 0.3),
        ("Tue, 24 Nov 2026 12:00:01 -0000", 0.3),
        ("Tue, 24 Nov 2026 12:00:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_seconds_and_dates_that_a_server_may_ask_for(text: str, seconds: float) -> None:
    """RFC 9110: whole seconds, or a date in one of three forms; what is past is now."""
    assert retry_after(Answer(503, {"retry-after": text}, b""), NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "2 s",
        "²",
        "٣",
        "2026-11-24T12:00:01Z",
        "Tue, 31 Feb 2026 12:00:01 GMT",
        "Tue, 24 Nov 99999 12:00:01 GMT",
        "Tue, 24 Nov 2026 12:00:01 +99999999999",
    ],
)
def test_what_cannot_be_understood_asks_for_nothing(text: str) -> None:
    """Then the wait is one of chance."""
    assert retry_after(Answer(503, {"retry-after": text}, b""), NOW) is None


def test_no_header_asks_for_nothing() -> None:
    """Most servers send none."""
    assert retry_after(Answer(503, {}, b""), NOW) is None


@pytest.mark.parametrize("status", [401, 429, 500, 503])
@pytest.mark.parametrize("text", ["2", "Tue, 24 Nov 2026 12:00:02 GMT"])
def test_a_failure_carries_what_the_answer_asks_for(status: int, text: str) -> None:
    """Reckoned from the moment of receipt, whatever the status."""
    with pytest.raises(LookupFailed) as caught:
        decode(Answer(status, {"retry-after": text}, b""), received_at=NOW, max_age=60)
    assert caught.value.retry_after == pytest.approx(2.0 if text == "2" else 1.3)
