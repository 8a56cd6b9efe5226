"""The closed family of errors: what each means, says, and carries."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections.abc import Iterator

import pytest

import actions.ps7
from actions.ps7 import Outcome, errors
from actions.ps7.errors import (
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
    PS7Unavailable: "unavailable",
    DeadlineExceeded: "unavailable",
    CircuitOpen: "unavailable",
    ConnectionFailed: "unavailable",
    UnexpectedStatus: "unavailable",
    UnreadableAnswer: "unavailable",
}
each_failure = pytest.mark.parametrize("kind", OUTCOMES)


def family(root: type[Exception]) -> Iterator[type[Exception]]:
    """Walk a class and all that derive from it."""
    yield root
    for child in root.__subclasses__():
        yield from family(child)


def test_the_family_is_closed_and_public() -> None:
    """One root, and no error of the module outside of it; each is imported from the package."""
    classes = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)}
    defined = {kind for kind in classes if issubclass(kind, Exception)}
    assert defined == set(family(PS7Error)) == {PS7Error, SettingsError, LookupFailed, *OUTCOMES}
    for kind in defined:
        assert getattr(actions.ps7, kind.__name__) is kind
        assert kind.__name__ in actions.ps7.__all__


@each_failure
def test_a_failure_says_its_reason_and_status(kind: type[LookupFailed]) -> None:
    """And nothing else; its outcome is what `ps7_status` says afterwards."""
    failure = kind(Reason.SERVER_ERROR, 503)
    assert (failure.reason, failure.status) == (Reason.SERVER_ERROR, 503)
    assert failure.outcome.value == OUTCOMES[kind]
    assert str(failure) == "server_error (HTTP 503)"
    assert repr(failure) == f"{kind.__name__}(<Reason.SERVER_ERROR: 'server_error'>, 503)"
    unanswered = kind(Reason.CONNECT)
    assert (unanswered.reason, unanswered.status) == (Reason.CONNECT, None)
    assert str(unanswered) == "connect"


@each_failure
@pytest.mark.parametrize("status", [None, 503])
@pytest.mark.parametrize("retry_after", [None, 2.5])
def test_a_failure_survives_a_copy_and_a_change_of_process(
    kind: type[LookupFailed], status: int | None, retry_after: float | None
) -> None:
    """As exceptions of a worker or of a test runner must."""
    failure = kind(Reason.SERVER_ERROR, status, retry_after)
    for other in (
        pickle.loads(pickle.dumps(failure)),  # noqa: S301 - made a moment ago
        copy.copy(failure),
    ):
        assert type(other) is kind
        assert (other.reason, other.status, other.retry_after, str(other)) == (
            Reason.SERVER_ERROR,
            status,
            retry_after,
            str(failure),
        )


def test_an_open_circuit_keeps_the_outcome_of_what_opened_it() -> None:
    """`denied` where PS7 refused our credentials; a copy and another process know it too."""
    refused = CircuitOpen(Reason.CIRCUIT_OPEN)
    refused.outcome = Outcome.DENIED
    for each in (refused, pickle.loads(pickle.dumps(refused)), copy.copy(refused)):  # noqa: S301
        assert (each.outcome, each.reason) == (Outcome.DENIED, Reason.CIRCUIT_OPEN)


def test_a_reason_is_one_word_for_a_log() -> None:
    """Lower case, no blanks: what a dashboard groups by."""
    for reason in Reason:
        assert re.fullmatch("[a-z][a-z_]*", reason.value)
        assert reason.value == reason.name.lower()
