"""What the doctor makes of each answer, and of each way in which none comes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from actions.ps7 import PS7Settings, Reason
from actions.ps7.api.wire import Answer
from actions.ps7.cli.doctor import answers, reasons
from actions.ps7.errors import ContextRejected, LookupFailed, PS7Unavailable
from tests.unit.test_doctor_settings import settings

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
ELSEWHERE = {
    *(Reason.OK, Reason.UNUSABLE_CONTEXT_ID, Reason.FORGOTTEN, Reason.TOO_MANY_CONTEXT_IDS),
    *(Reason.ARRIVAL_SIGNATURE, Reason.ARRIVAL_CLAIMS, Reason.ARRIVAL_CONVERSATION),
    *(Reason.ARRIVAL_TIME, Reason.CIRCUIT_OPEN, Reason.CANCELLED, Reason.INTERNAL),
    *(Reason.FAILURE_CODE, Reason.NO_PAYLOAD, Reason.BUSINESS_FAILURE),
    *(Reason.TLS, Reason.TLS_UNKNOWN_CA, Reason.TLS_WRONG_HOST, Reason.TLS_EXPIRED),
    Reason.TLS_CLIENT_REFUSED,
}
"""Reasons that no request of the doctor ends in, or that no table is needed for."""
JSON = Answer(500, {"content-type": "application/json"}, b'{"code": "1"}')


def judged(
    failure: LookupFailed | None, *, answer: Answer | None = JSON, seconds: float = 0.0
) -> list[tuple[str, str, str]]:
    found = answers.probe(failure, answer, seconds, settings())
    return [(finding.level.value, finding.id, finding.found) for finding in found]


def test_every_way_to_fail_has_a_row() -> None:
    """So a new reason cannot be forgotten."""
    assert set(Reason) == set(reasons.ROWS) | ELSEWHERE
    assert not set(reasons.ROWS) & ELSEWHERE


@pytest.mark.parametrize("reason", reasons.ROWS, ids=lambda reason: reason.value)
def test_a_failure_is_judged_by_its_row(reason: Reason) -> None:
    """With the status, if an answer came."""
    row = reasons.ROWS[reason]
    text = f"{row.found} (HTTP 599)"
    assert judged(PS7Unavailable(reason, 599)) == [(row.level.value, row.name, text)]
    assert judged(PS7Unavailable(reason)) == [(row.level.value, row.name, row.found)]


def test_a_failure_that_nobody_foresaw() -> None:
    """Is said to be one."""
    assert judged(PS7Unavailable(Reason.INTERNAL), answer=None) == [
        ("error", "ps7-internal", "the probe failed in a way that was not foreseen")
    ]


@pytest.mark.parametrize(
    ("reason", "status", "said"),
    [
        (Reason.FAILURE_CODE, 200, "HTTP 200, a code other than 0"),
        (Reason.NO_PAYLOAD, 200, "HTTP 200, no payload"),
        (Reason.BUSINESS_FAILURE, 500, "HTTP 500, its business failure"),
    ],
)
def test_a_healthy_ps7_knows_no_such_context(reason: Reason, status: int, said: str) -> None:
    """In each of the ways in which it says so."""
    assert judged(ContextRejected(reason, status)) == [
        ("ok", "ps7", f"PS7 takes the credentials, and knows no such context ({said})")
    ]


def test_a_slow_ps7() -> None:
    """More than half of what it is given."""
    failure = ContextRejected(Reason.FAILURE_CODE, 200)
    assert [name for _, name, _ in judged(failure, seconds=1.0)] == ["ps7"]
    assert judged(failure, seconds=1.04)[1:] == [
        (
            "warning",
            "ps7-slow",
            "PS7 takes 1.0 s for an answer, of 2 s that PS7_READ_TIMEOUT allows",
        )
    ]


def test_a_500_that_is_no_answer_of_ps7s() -> None:
    """A page of a broken server looks like the documented business failure."""
    page = Answer(500, {"content-type": "text/html"}, b"<html>")
    assert judged(ContextRejected(Reason.BUSINESS_FAILURE, 500), answer=page) == [
        (
            "warning",
            "ps7-500",
            "the answer is HTTP 500, which would be PS7's word for such a context, but no JSON",
        )
    ]


def test_a_ps7_that_knows_everybody() -> None:
    """A stub, most likely."""
    assert judged(None) == [
        ("warning", "ps7-anybody", "PS7 names a customer for a contextId that nobody has")
    ]


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (Reason.TLS, "tls-certificate"),
        (Reason.TLS_EXPIRED, "tls-expired"),
        (Reason.TLS_UNKNOWN_CA, "tls-unknown-ca"),
        (Reason.TLS_WRONG_HOST, "tls-wrong-host"),
        (Reason.TLS_CLIENT_REFUSED, "tls-client-wanted"),
    ],
)
def test_tls_that_fails_only_when_it_is_asked(reason: Reason, name: str) -> None:
    """Where several servers stand behind one name, the next one may show something else."""
    assert [found[:2] for found in judged(PS7Unavailable(reason), answer=None)] == [("error", name)]


# The token


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (None, ("ok", "token", "the token endpoint takes PS7_APP_KEY and PS7_APP_SECRET")),
        (
            PS7Unavailable(Reason.TOKEN_REFUSED, 403),
            (
                "error",
                "token-refused",
                "the token endpoint refuses PS7_APP_KEY or PS7_APP_SECRET (HTTP 403)",
            ),
        ),
        (
            PS7Unavailable(Reason.TOKEN_UNAVAILABLE, 404),
            (
                "error",
                "token-unavailable",
                "the token endpoint does not answer as it should (HTTP 404)",
            ),
        ),
        (
            PS7Unavailable(Reason.READ_TIMEOUT),
            (
                "error",
                "token-unavailable",
                "the token endpoint does not answer as it should (read_timeout)",
            ),
        ),
    ],
)
def test_what_became_of_fetching_a_token(
    failure: LookupFailed | None, expected: tuple[str, str, str]
) -> None:
    """Refused, or not to be had."""
    finding = answers.token(failure)
    assert (finding.level.value, finding.id, finding.found) == expected


# The clock


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, [("ok", "the clocks of PS7 and of this machine agree")]),
        (10, [("ok", "the clocks of PS7 and of this machine agree")]),
        (11, [("warning", "the clock of this machine is 11 s ahead of that of PS7's server")]),
        (-90, [("warning", "the clock of this machine is 90 s behind that of PS7's server")]),
        (121, [("error", "the clock of this machine is 121 s ahead of that of PS7's server")]),
    ],
)
def test_clocks_that_differ(seconds: int, expected: list[tuple[str, str]]) -> None:
    """By more than arrival tokens allow for, or by more than one lives."""
    theirs = format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)
    found = answers.clock(Answer(200, {"date": theirs}, b""), NOW)
    assert [(finding.level.value, finding.found) for finding in found] == expected


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"date": ""}])
def test_a_server_that_does_not_say_its_time(headers: dict[str, str]) -> None:
    """Then nothing can be said."""
    assert answers.clock(Answer(200, headers, b""), NOW) == []


def test_advice_depends_on_what_is_set(tmp_path: Path) -> None:
    """Whoever has a file of authorities has to complete it."""
    failure = PS7Unavailable(Reason.TLS_UNKNOWN_CA)
    (plain,) = answers.probe(failure, None, 0, settings())
    assert plain.do.endswith("into a file and set PS7_CA_FILE.")
    own = PS7Settings.model_construct(**{**dict(settings()), "ca_file": tmp_path})
    (with_file,) = answers.probe(failure, None, 0, own)
    assert with_file.do.endswith("into the file of PS7_CA_FILE.")
    shown = PS7Settings.model_construct(**{**dict(settings()), "client_cert": tmp_path})
    (refused,) = answers.probe(PS7Unavailable(Reason.TLS_CLIENT_REFUSED), None, 0, shown)
    assert refused.id == "tls-client-refused"
