"""What PS7 and the token endpoint answered, and what that says about credentials, path and health.

Pure: an error of the plugin's own family in, a finding out. The probe asks for a contextId that
nobody has, so the answer that shows a healthy PS7 is that it knows no such context.
"""

from __future__ import annotations

from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from ...api.json_text import parse
from ...errors import LookupFailed, Reason
from . import handshake
from .finding import Finding, Level, caution, error, ok
from .reasons import ROWS, UNFORESEEN

if TYPE_CHECKING:
    from datetime import datetime

    from ...api.wire import Answer
    from ...settings import PS7Settings

_AS_IT_SHOULD = {
    Reason.FAILURE_CODE: "a code other than 0",
    Reason.NO_PAYLOAD: "no payload",
    Reason.BUSINESS_FAILURE: "its business failure",
}
"""How PS7 says that it has no such context."""
_TRUST = frozenset({Reason.TLS, Reason.TLS_EXPIRED, Reason.TLS_UNKNOWN_CA, Reason.TLS_WRONG_HOST})
_TOKEN = frozenset({Reason.TOKEN_REFUSED, Reason.TOKEN_UNREADABLE, Reason.TOKEN_UNAVAILABLE})
_SLOW = 0.5
"""The part of PS7_READ_TIMEOUT that an answer may take before somebody should know."""
_CLOCK_DIFFERS, _CLOCK_IS_WRONG = 10, 120
"""Seconds: the difference that arrival tokens allow for, and the longest life of one."""


def token(failure: LookupFailed | None) -> Finding:
    """Judge what became of fetching a token."""
    if failure is None:
        return ok("token", "the token endpoint takes PS7_APP_KEY and PS7_APP_SECRET")
    if failure.reason in _TOKEN:
        return _by_the_table(failure)
    row = ROWS[Reason.TOKEN_UNAVAILABLE]
    return error(row.name, f"{row.found} ({failure.reason.value})", row.do)


def probe(
    failure: LookupFailed | None, answer: Answer | None, seconds: float, settings: PS7Settings
) -> list[Finding]:
    """Judge the answer to a lookup that must not succeed."""
    if failure is None:
        found = "PS7 names a customer for a contextId that nobody has"
        how = "check that PS7_BASE_URL is no stub that answers everybody alike"
        return [caution("ps7-anybody", found, how)]
    said = _AS_IT_SHOULD.get(failure.reason)
    if said is None or answer is None:
        return [_failed(failure, settings)]
    if failure.reason is Reason.BUSINESS_FAILURE and not _is_json(answer):
        found = "the answer is HTTP 500, which would be PS7's word for such a context, but no JSON"
        how = "PS7 may be out of order: look up a real contextId with `rasa-ps7 lookup`"
        return [caution("ps7-500", found, how)]
    found = f"PS7 takes the credentials, and knows no such context (HTTP {failure.status}, {said})"
    return [ok("ps7", found), *_slow(seconds, settings)]


def _slow(seconds: float, settings: PS7Settings) -> list[Finding]:
    limit = settings.read_timeout
    if seconds <= _SLOW * limit:
        return []
    found = f"PS7 takes {seconds:.1f} s for an answer, of {limit:g} s that PS7_READ_TIMEOUT allows"
    how = "raise PS7_READ_TIMEOUT and PS7_DEADLINE, or have PS7 answer faster"
    return [caution("ps7-slow", found, how)]


def _failed(failure: LookupFailed, settings: PS7Settings) -> Finding:
    if failure.reason is Reason.TLS_CLIENT_REFUSED:
        return handshake.client_refused(settings)
    if failure.reason in _TRUST:
        found = "the certificate of PS7 is not accepted"
        return handshake.not_trusted(failure.reason, found, settings)
    return _by_the_table(failure)


def _by_the_table(failure: LookupFailed) -> Finding:
    row = ROWS.get(failure.reason, UNFORESEEN)
    status = "" if failure.status is None else f" (HTTP {failure.status})"
    make = error if row.level is Level.ERROR else caution
    return make(row.name, f"{row.found}{status}", row.do)


def _is_json(answer: Answer) -> bool:
    try:
        parse(answer.body, answer.headers.get("content-type", ""))
    except ValueError:
        return False
    return True


def clock(answer: Answer, now: datetime) -> list[Finding]:
    """Compare the clock of PS7's server with ours; nothing where it does not say its time."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        ahead = round((now - theirs.replace(tzinfo=timezone.utc)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return []
    if abs(ahead) <= _CLOCK_DIFFERS:
        return [ok("clock", "the clocks of PS7 and of this machine agree")]
    way = "ahead of" if ahead > 0 else "behind"
    found = f"the clock of this machine is {abs(ahead)} s {way} that of PS7's server"
    how = (
        "keep it right with NTP: when a context ends, and which arrival tokens count, depends on it"
    )
    return [(error if abs(ahead) > _CLOCK_IS_WRONG else caution)("clock", found, how)]
