"""The closed list of outcomes, the table of reasons, and the errors: what each says and carries."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

import actions.ps7
from actions.ps7 import LookupFailed, Outcome, PS7Error, Reason, SettingsError, outcomes

RETRIED = {
    *(Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST, Reason.READ_TIMEOUT),
    *(Reason.SERVER_ERROR, Reason.TOO_MANY_REQUESTS, Reason.TOKEN_UNAVAILABLE),
}
COUNT = {
    *(RETRIED - {Reason.TOO_MANY_REQUESTS}),
    *(reason for reason in Reason if reason.value.startswith(("tls", "token_"))),
    *(Reason.PROXY, Reason.DEADLINE, Reason.UNAUTHORIZED, Reason.FORBIDDEN),
}
OUTCOMES = {
    Outcome.OK: {Reason.OK},
    Outcome.MISSING: {Reason.FORGOTTEN},
    Outcome.INVALID: {Reason.UNUSABLE_CONTEXT_ID, Reason.BAD_REQUEST}
    | {reason for reason in Reason if reason.value.startswith("arrival_")},
    Outcome.REJECTED: {
        *(Reason.FAILURE_CODE, Reason.NO_PAYLOAD, Reason.BUSINESS_FAILURE),
        Reason.TOO_MANY_CONTEXT_IDS,
    },
    Outcome.DENIED: {Reason.UNAUTHORIZED, Reason.FORBIDDEN, Reason.TOKEN_REFUSED},
}


def test_the_family_is_closed_and_public() -> None:
    """One root, and no error of the module outside of it; each is imported from the package."""
    classes = {kind for _, kind in inspect.getmembers(outcomes, inspect.isclass)}
    defined = {kind for kind in classes if issubclass(kind, Exception)}
    assert defined == {PS7Error, SettingsError, LookupFailed}
    assert all(issubclass(kind, PS7Error) for kind in defined)
    assert {kind.__name__ for kind in defined} <= {*actions.ps7.__all__}


@pytest.mark.parametrize("reason", Reason, ids=str)
def test_each_reason_is_a_row_of_the_table(reason: Reason) -> None:
    """Its outcome; whether a retry may succeed; whether it counts for the circuit breaker.

    A certificate, an answer or a refusal is the same again, and the next lookup may meet it. A
    server that answers 429 is there for others; an answer that cannot be read is about one context.
    """
    outcome = next((outcome for outcome, why in OUTCOMES.items() if reason in why), "unavailable")
    expected = (outcome, reason in RETRIED, reason in COUNT)
    assert (reason.outcome, reason.retryable, reason.counts) == expected
    assert (str(reason), f"{reason}") == (reason.value, reason.value)
    for same in (Reason(reason.value), copy.copy(reason), pickle.loads(pickle.dumps(reason))):  # noqa: S301
        assert same is reason


def test_a_failure_says_its_reason_and_status() -> None:
    """And nothing else; its outcome is what `ps7_status` says, by the table unless it is given."""
    failure = LookupFailed(Reason.SERVER_ERROR, 503, retry_after=2.5)
    assert repr(failure) == "LookupFailed(<Reason.SERVER_ERROR: 'server_error'>, 503)"
    assert (str(failure), failure.outcome) == ("server_error (HTTP 503)", Outcome.UNAVAILABLE)
    assert (failure.reason, failure.status) == (Reason.SERVER_ERROR, 503)
    assert failure.retry_after == 2.5
    assert str(LookupFailed(Reason.SERVER_ERROR)) == "server_error"
    of_a_circuit = LookupFailed(Reason.CIRCUIT_OPEN, outcome=Outcome.DENIED)
    for each in (of_a_circuit, pickle.loads(pickle.dumps(of_a_circuit))):  # noqa: S301
        assert (type(each), each.outcome) == (LookupFailed, Outcome.DENIED)
