"""PS7 itself: one real lookup, and what each way to fail means: a table from `Reason` to finding.

It asks for a contextId that PS7 cannot know, so the answer that shows a healthy PS7 is that it has
no such context. Where a `Reason` has two causes, `connection` finds out which it was.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from ... import clock
from ...lookup import tokens, wire
from ...outcomes import LookupFailed, Reason
from ..lookup import look_up
from . import connection
from .report import Finding, Section, caution, error, ok

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ...lookup.wire import Answer
    from ...settings import PS7Settings

_DOWN = "tell the team that runs PS7; the bot's turns end in `unavailable` meanwhile"
_SLOW = f"{_DOWN}; if it is only slow, raise PS7_READ_TIMEOUT and PS7_DEADLINE"
_SILENT = "PS7 takes the request and does not answer within"
_OTHER_SERVER = (
    "something else than PS7 answers, such as a login or maintenance page: if it worked before, "
    "tell the team that runs PS7's gateway; if it never did, check host and port of PS7_BASE_URL"
)
_NOT_TRUSTED = "the certificate of PS7 is not accepted"
_CLOCK = "tell the team that runs PS7's gateway, and check this machine's clock"

FINDINGS: dict[Reason, Finding] = {
    Reason.UNAUTHORIZED: error(
        "ps7-credentials",
        "PS7 refuses the credentials",
        "check PS7_USERNAME and PS7_PASSWORD, whether the gateway wants PS7_API_KEY, PS7_APP_KEY "
        "or a token (PS7_APP_SECRET), and whether the user and what it has bought are in order",
    ),
    Reason.FORBIDDEN: error(
        "ps7-forbidden",
        "the gateway forbids the call",
        "have this machine's address and your app allowed there; the credentials may be right",
    ),
    Reason.PATH_NOT_FOUND: error(
        "ps7-path",
        f"the host answers, and has nothing at the path of PS7 ({wire.PATH})",
        "check PS7_BASE_URL, and that the interface chat_itau_contextos is published there",
    ),
    Reason.REDIRECT: error(
        "ps7-redirect",
        "the answer leads to another address, which the credentials must not follow",
        "write the address of PS7 itself into PS7_BASE_URL",
    ),
    Reason.TOO_MANY_REQUESTS: caution(
        "ps7-throttled",
        "PS7 takes no more requests at this moment",
        "try again; if it stays so, have the limit of your user raised",
    ),
    Reason.SERVER_ERROR: error("ps7-down", "PS7 is out of order behind its gateway", _DOWN),
    Reason.BAD_REQUEST: caution(
        "ps7-request",
        "PS7 takes the credentials, and calls the contextId of this check incorrect",
        "try a real one with `rasa-ps7 lookup`; if that is `invalid` too, try PS7_ENCODED=0",
    ),
    Reason.UNDOCUMENTED_STATUS: error("ps7-status", "PS7 documents no such status", _OTHER_SERVER),
    Reason.NOT_JSON: error("ps7-other", "the answer is not JSON, as PS7's is", _OTHER_SERVER),
    Reason.NOT_AN_OBJECT: error("ps7-other", "the answer has not the form of PS7's", _OTHER_SERVER),
    Reason.NOT_HTTP: error("ps7-other", "the answer is not HTTP", _OTHER_SERVER),
    Reason.ANSWER_TOO_LARGE: error("ps7-other", "the answer is too large for PS7's", _OTHER_SERVER),
    Reason.COMPRESSED: error(
        "ps7-compressed",
        "the answer is compressed, though we ask for one that is not",
        "have compression switched off at the gateway for this path",
    ),
    Reason.READ_TIMEOUT: error("ps7-silent", f"{_SILENT} PS7_READ_TIMEOUT", _SLOW),
    Reason.DEADLINE: error("ps7-silent", f"{_SILENT} PS7_DEADLINE", _SLOW),
    Reason.CONNECTION_LOST: error(
        "ps7-broken",
        "the connection breaks before there is an answer",
        f"{_DOWN}; a firewall that reads along may end connections too",
    ),
    Reason.TLS: error("tls-certificate", _NOT_TRUSTED, _CLOCK),
    Reason.TLS_EXPIRED: error("tls-expired", _NOT_TRUSTED, f"its time is over: {_CLOCK}"),
    Reason.TLS_UNKNOWN_CA: error(
        "tls-unknown-ca",
        _NOT_TRUSTED,
        "no authority that we trust issued it: if the bank's own did, put that authority's "
        "certificate into the file that PS7_CA_FILE names",
    ),
    Reason.TLS_WRONG_HOST: error(
        "tls-wrong-host",
        _NOT_TRUSTED,
        "it is for another host: write a name that it is for into PS7_BASE_URL, or have one issued "
        "for the name that stands there",
    ),
    Reason.TLS_CLIENT_REFUSED: error(
        "tls-client-refused",
        "PS7 does not accept the certificate in PS7_CLIENT_CERT",
        "check that it is the one that was registered at PS7's gateway, and that it still holds",
    ),
    Reason.TOKEN_REFUSED: error(
        "token-refused",
        "the token endpoint refuses PS7_APP_KEY or PS7_APP_SECRET",
        "check both: they are the access key and the secret key of the app at API Fabric",
    ),
    Reason.TOKEN_UNREADABLE: error(
        "token-unreadable",
        "the token endpoint answers, and not with a token",
        f"check that API Fabric's {tokens.PATH} is what stands at the host of PS7_BASE_URL",
    ),
    Reason.TOKEN_UNAVAILABLE: error(
        "token-unavailable",
        "the token endpoint does not answer as it should",
        f"tell its team; if it never did: is it at {tokens.PATH}? If not, remove PS7_APP_SECRET",
    ),
}
CLIENT_WANTED = error(
    "tls-client-wanted",
    "PS7 asks for a client certificate, and none is set",
    "set PS7_CLIENT_CERT, and PS7_CLIENT_KEY if the key is in another file",
)
"""In place of `TLS_CLIENT_REFUSED` if `PS7_CLIENT_CERT` is not set."""
GONE = error("ps7-gone", "the look-up fails, and a connection can be made", "try again later")
"""For what is not in the table: bugs, and no connection, but one a moment later."""
_NO_SUCH_CONTEXT = {
    Reason.FAILURE_CODE: "a code other than 0",
    Reason.NO_PAYLOAD: "no payload",
    Reason.BUSINESS_FAILURE: "its business failure",
}
_CLOCK_DIFFERS, _CLOCK_IS_WRONG = 10, 120
"""Seconds: the difference that arrival tokens allow for, and the longest life of one."""


@dataclass
class Asked:
    """One lookup that was made."""

    token: bool | None = None
    """Whether a token was fetched; None if the settings want none."""
    answer: Answer | None = None
    failure: LookupFailed | None = None


def check(settings: PS7Settings) -> Section:
    """Look up once, and return what that tells about network, credentials, path, health, clock."""
    once = settings.model_copy(update={"attempts": 1})
    lookup = look_up(once, f"rasa-ps7-doctor-{uuid4().hex}")
    report = lookup.report
    failure = None if lookup.customer else LookupFailed(report.reason, report.status)
    wants_token = settings.app_key is not None and settings.app_secret is not None
    asked = Asked(report.attempts > 0 if wants_token else None, lookup.answer, failure)
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
    """Compare the clock of PS7's server with this one, if its answer has a date."""
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
