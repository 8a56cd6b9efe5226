"""Which failures are retryable, and how long a pause a server may ask for."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from actions.ps7.api.wire import Answer, decode, retry_after
from actions.ps7.errors import LookupFailed, PS7Unavailable, Reason

NOW = datetime(2026, 11, 24, 12, 0, 0, 700_000, tzinfo=timezone.utc)

RETRYABLE = {Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST, Reason.READ_TIMEOUT}


@pytest.mark.parametrize("reason", Reason)
def test_a_retry_may_succeed_where_the_network_failed(reason: Reason) -> None:
    """And for no other reason: a certificate, an answer or a refusal will be the same again."""
    assert LookupFailed(reason).retryable is (reason in RETRYABLE)


def test_a_retry_may_succeed_where_a_server_is_busy() -> None:
    """Four statuses, 500 not among them: PS7 documents it as a failure of the request's values."""
    retryable = set()
    for status in range(201, 600):
        with pytest.raises(LookupFailed) as caught:
            decode(Answer(status, {}, b""), received_at=NOW, max_age=60)
        if caught.value.retryable:
            retryable.add(status)
    assert retryable == {429, 502, 503, 504}
    assert PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 503).retryable


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
    """Then the pause is one of chance, as where the header is missing."""
    assert retry_after(Answer(503, {"retry-after": text}, b""), NOW) is None
    assert retry_after(Answer(503, {}, b""), NOW) is None


@pytest.mark.parametrize("status", [401, 429, 500, 503])
@pytest.mark.parametrize("text", ["2", "Tue, 24 Nov 2026 12:00:02 GMT"])
def test_a_failure_carries_what_the_answer_asks_for(status: int, text: str) -> None:
    """Reckoned from the moment of receipt, whatever the status."""
    with pytest.raises(LookupFailed) as caught:
        decode(Answer(status, {"retry-after": text}, b""), received_at=NOW, max_age=60)
    assert caught.value.retry_after == pytest.approx(2.0 if text == "2" else 1.3)
