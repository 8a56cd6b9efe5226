"""The closed family of errors: what each means, says and carries, and what may be tried again."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

import actions.ps7
from actions.ps7 import Outcome, errors
from actions.ps7.outcomes import (
    AccessDenied,
    CircuitOpen,
    ConnectionFailed,
    ContextRejected,
    DeadlineExceeded,
    InvalidContextId,
    LookupFailed,
    PS7Error,
    PS7Unavailable,
    Reason,
    SettingsError,
    UnexpectedStatus,
    UnreadableAnswer,
)

OUTCOMES: dict[type[LookupFailed], str] = {
    InvalidContextId: "invalid",
    ContextRejected: "rejected",
    AccessDenied: "denied",
    **dict.fromkeys(
        (PS7Unavailable, DeadlineExceeded, CircuitOpen, ConnectionFailed, UnexpectedStatus),
        "unavailable",
    ),
    UnreadableAnswer: "unavailable",
}


def test_the_family_is_closed_and_public() -> None:
    """One root, and no error of the module outside of it; each is imported from the package."""
    classes = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)}
    defined = {kind for kind in classes if issubclass(kind, Exception)}
    assert defined == {PS7Error, SettingsError, LookupFailed, *OUTCOMES}
    assert all(issubclass(kind, PS7Error) for kind in defined)
    for kind in defined:
        assert getattr(actions.ps7, kind.__name__) is kind
        assert kind.__name__ in actions.ps7.__all__


@pytest.mark.parametrize("kind", OUTCOMES)
@pytest.mark.parametrize(
    ("status", "retry_after", "text"),
    [(None, None, "server_error"), (503, 2.5, "server_error (HTTP 503)")],
)
def test_a_failure_says_its_reason_and_status(
    kind: type[LookupFailed], status: int | None, retry_after: float | None, text: str
) -> None:
    """And nothing else; its outcome is what `ps7_status` says. A copy and another process agree."""
    failure = kind(Reason.SERVER_ERROR, status, retry_after)
    assert failure.outcome.value == OUTCOMES[kind]
    assert repr(failure) == f"{kind.__name__}(<Reason.SERVER_ERROR: 'server_error'>, {status})"
    failure.outcome = Outcome.DENIED  # as of a circuit that refused credentials opened
    for each in (failure, pickle.loads(pickle.dumps(failure)), copy.copy(failure)):  # noqa: S301
        assert (type(each), str(each), each.outcome) == (kind, text, Outcome.DENIED)
        assert (each.reason, each.status) == (Reason.SERVER_ERROR, status)
        assert each.retry_after == retry_after


RETRYABLE = {Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST, Reason.READ_TIMEOUT}
COUNT = {
    *RETRYABLE,
    *(reason for reason in Reason if reason.value.startswith(("tls", "token_"))),
    *(Reason.PROXY, Reason.DEADLINE, Reason.UNAUTHORIZED, Reason.FORBIDDEN),
}


def test_what_a_retry_may_mend_and_what_counts_for_the_circuit_breaker() -> None:
    """A certificate, an answer or a refusal will be the same again; the next lookup may meet it.

    Four statuses are a server that is busy, of which 429 is there for others. 500 is PS7's word for
    a failure of the request's values.
    """
    for reason in Reason:
        failure = LookupFailed(reason)
        assert (failure.retryable, failure.counts_for_breaker) == (
            reason in RETRYABLE,
            reason in COUNT,
        )
    for status in range(200, 600):
        failure = LookupFailed(Reason.SERVER_ERROR, status)
        assert failure.retryable is (status in (429, 502, 503, 504))
        assert failure.counts_for_breaker is (status in (502, 503, 504))
    assert not LookupFailed(Reason.TOKEN_UNAVAILABLE, 429).counts_for_breaker
