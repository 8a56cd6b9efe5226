"""PS7 itself: one real lookup, and what each way to fail means: `findings.txt` has each `Reason`.

It asks for a contextId that PS7 cannot know, so the answer that shows a healthy PS7 is that it has
no such context. Where a `Reason` has two causes, `connection` finds out which it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from ... import clock
from ...lookup import tokens
from ...outcomes import Reason
from ..findings import Finding, Section, by_variant, finding
from ..one_lookup import look_up
from . import connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ...lookup.wire import Answer
    from ...outcomes import LookupFailed
    from ...settings import PS7Settings
    from ..one_lookup import Asked

_NO_SUCH_CONTEXT = {
    Reason.FAILURE_CODE: "a code other than 0",
    Reason.NO_PAYLOAD: "no payload",
    Reason.BUSINESS_FAILURE: "its business failure",
}
_CLOCK_DIFFERS, _CLOCK_IS_WRONG = 10, 120
"""Seconds: the difference that arrival tokens allow for, and the longest life of one."""


def check(settings: PS7Settings) -> Section:
    """Look up once, and return what that tells about network, credentials, path, health, clock."""
    once = settings.model_copy(update={"attempts": 1})
    asked = look_up(once, f"rasa-ps7-doctor-{uuid4().hex}")
    again = asked.answer is None or settings.base_url.startswith("https:")
    below = connection.look(settings) if again else None
    found = list(judge(asked, below, settings, clock.utc_now()))
    reached = asked.answer is not None or found[-1].id.startswith("ps7")
    return Section("Network", found, "" if reached else "ps7")


def judge(
    asked: Asked, below: Finding | bytes | None, settings: PS7Settings, now: datetime
) -> Iterator[Finding]:
    """Return what a lookup shows, and the connection below it: a fault, or a certificate."""
    failure, answer = asked.failure, asked.answer
    wants_token = settings.app_key is not None and settings.app_secret is not None
    if failure is not None and failure.reason is Reason.TLS_CLIENT_REFUSED:
        is_set = settings.client_cert is not None
        yield finding("tls-client-refused:tls_client_refused" if is_set else "tls-client-wanted")
    elif isinstance(below, Finding) and answer is None:
        yield below
    elif failure is not None and failure.reason.value.startswith("tls"):
        described = connection.describe(below if isinstance(below, bytes) else b"")
        at = connection.address(settings.base_url)
        said = f"{failure.detail} ({described})" if failure.detail else described
        yield finding(by_variant()[failure.reason.value], at=at, what=said)
    elif failure is not None and wants_token and not asked.report.attempts:
        yield _by_the_table(failure)
    else:
        if isinstance(below, bytes):
            yield from connection.check_server(below, now)
        if wants_token:
            yield finding("token")
        yield _ps7(failure, answer)
        if answer is not None:
            yield from _clock(answer, now)


def _by_the_table(failure: LookupFailed) -> Finding:
    row = finding(by_variant().get(failure.reason.value, "ps7-gone"), path=tokens.PATH)
    return replace(row, found=f"{row.found} (HTTP {failure.status})") if failure.status else row


def _ps7(failure: LookupFailed | None, answer: Answer | None) -> Finding:
    if failure is None:
        return finding("ps7-anybody")
    if answer is None or failure.reason not in _NO_SUCH_CONTEXT:
        return _by_the_table(failure)
    if failure.reason is Reason.BUSINESS_FAILURE and not answer.body.lstrip().startswith(b"{"):
        return finding("ps7-500")
    return finding("ps7", said=f"HTTP {failure.status}, {_NO_SUCH_CONTEXT[failure.reason]}")


def _clock(answer: Answer, now: datetime) -> Iterator[Finding]:
    """Compare the clock of PS7's server with this one, if its answer has a date."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        ahead = round((now - theirs.replace(tzinfo=timezone.utc)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return
    if abs(ahead) > _CLOCK_DIFFERS:
        apart = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'}"
        yield finding("clock:wrong" if abs(ahead) > _CLOCK_IS_WRONG else "clock", apart=apart)
