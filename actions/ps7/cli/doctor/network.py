"""PS7 itself: one real look-up, and what it ends with.

It asks for a contextId that PS7 cannot know, so the answer that shows a healthy PS7 is that it has
no such context. The plugin's own client sends it, once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from ... import clock
from ...errors import LookupFailed, Reason
from ..lookup import look_up
from . import connection
from .reasons import CLIENT_WANTED, FINDINGS, GONE
from .report import Finding, Section, caution, error, ok

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ...api.wire import Answer
    from ...settings import PS7Settings

_NO_SUCH_CONTEXT = {
    Reason.FAILURE_CODE: "a code other than 0",
    Reason.NO_PAYLOAD: "no payload",
    Reason.BUSINESS_FAILURE: "its business failure",
}
"""How PS7 says that it has no such context."""
_CLOCK_DIFFERS, _CLOCK_IS_WRONG = 10, 120
"""Seconds: the difference that arrival tokens allow for, and the longest life of one."""


@dataclass
class Asked:
    """One look-up that was made."""

    token: bool | None = None
    """Whether a token was fetched; None where the settings want none."""
    answer: Answer | None = None
    failure: LookupFailed | None = None


def check(settings: PS7Settings) -> Section:
    """Look up once, and return what that says about network, credentials, path, health, clock."""
    asked = _ask(settings)
    again = asked.answer is None or settings.base_url.startswith("https:")
    below = connection.look(settings) if again else None
    found = list(judge(asked, below, settings, clock.utc_now()))
    reached = asked.answer is not None or found[-1].id.startswith("ps7")
    return Section("Network", found, "" if reached else "ps7")


def _ask(settings: PS7Settings) -> Asked:
    """Look up a contextId that PS7 cannot know, in one attempt."""
    once = settings.model_copy(update={"attempts": 1})
    report, ended = look_up(once, f"rasa-ps7-doctor-{uuid4().hex}")
    failure = ended if isinstance(ended, LookupFailed) else None
    wants_token = settings.app_key is not None and settings.app_secret is not None
    return Asked(report.attempts > 0 if wants_token else None, report.answer, failure)


def judge(
    asked: Asked, below: Finding | bytes | None, settings: PS7Settings, now: datetime
) -> Iterator[Finding]:
    """Return what a look-up shows, and the connection below it: a fault, or a certificate."""
    failure, answer = asked.failure, asked.answer
    if failure is not None and failure.reason is Reason.TLS_CLIENT_REFUSED:
        yield CLIENT_WANTED if settings.client_cert is None else FINDINGS[failure.reason]
    elif isinstance(below, Finding) and answer is None:
        yield below
    elif failure is not None and failure.reason.value.startswith("tls"):
        described = connection.describe(below if isinstance(below, bytes) else b"")
        found = f"the certificate of {connection.address(settings.base_url)} is not accepted"
        yield replace(FINDINGS[failure.reason], found=f"{found}: {described}")
    elif failure is not None and asked.token is False:
        yield _by_the_table(failure)
    else:
        if isinstance(below, bytes):
            yield from connection.check_server(below, now)
        if asked.token:
            yield ok("token", "the token endpoint takes PS7_APP_KEY and PS7_APP_SECRET")
        yield _ps7(failure, answer)
        if answer is not None:
            yield from _clock(answer, now)


def _by_the_table(failure: LookupFailed) -> Finding:
    row = FINDINGS.get(failure.reason, GONE)
    return replace(row, found=f"{row.found} (HTTP {failure.status})") if failure.status else row


def _ps7(failure: LookupFailed | None, answer: Answer | None) -> Finding:
    if failure is None:
        found = "PS7 names a customer for a contextId that it cannot know"
        how = "check that PS7_BASE_URL is no stub that answers every request alike"
        return caution("ps7-anybody", found, how)
    if answer is None or failure.reason not in _NO_SUCH_CONTEXT:
        return _by_the_table(failure)
    if failure.reason is Reason.BUSINESS_FAILURE and not answer.body.lstrip().startswith(b"{"):
        found = "the answer is HTTP 500, as PS7 says of such a context, but no JSON"
        how = "PS7 may be out of order: look up a real contextId with `rasa-ps7 lookup`"
        return caution("ps7-500", found, how)
    said = f"HTTP {failure.status}, {_NO_SUCH_CONTEXT[failure.reason]}"
    return ok("ps7", f"PS7 takes the credentials, and knows no such context ({said})")


def _clock(answer: Answer, now: datetime) -> Iterator[Finding]:
    """Compare the clock of PS7's server with ours, where its answer has a date."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        ahead = round((now - theirs.replace(tzinfo=timezone.utc)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return
    if abs(ahead) <= _CLOCK_DIFFERS:
        return
    apart = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'}"
    found = f"the clock of this machine is {apart} that of PS7's server"
    how = "keep it right with NTP: the end of a context and of an arrival token depends on it"
    yield (error if abs(ahead) > _CLOCK_IS_WRONG else caution)("clock", found, how)
