"""What goes to PS7 and what comes back, as plain values. No socket, no clock, no Rasa.

Source: Huawei Cloud CEC API reference, "Invoking the PS7 System (chat_itau_contextos)".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from ..context import wire_text
from ..errors import (
    AccessDenied,
    ContextRejected,
    InvalidContextId,
    LookupFailed,
    Reason,
    UnexpectedStatus,
    UnreadableAnswer,
)
from .customer import Decoded, read_customer
from .expiry import usable_until
from .json_text import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..settings import PS7Settings

METHOD = "POST"
PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
"""Of every request: JSON in, JSON out, and nothing to unpack."""

_OK = 200
_SUCCESS_CODES = (None, "0", "0.0")
_STATUSES: dict[int, tuple[type[LookupFailed], Reason]] = {
    400: (InvalidContextId, Reason.BAD_REQUEST),
    401: (AccessDenied, Reason.UNAUTHORIZED),
    403: (AccessDenied, Reason.FORBIDDEN),
    404: (UnexpectedStatus, Reason.PATH_NOT_FOUND),
    429: (UnexpectedStatus, Reason.TOO_MANY_REQUESTS),
    500: (ContextRejected, Reason.BUSINESS_FAILURE),
}
_STATUS_CLASSES = {3: Reason.REDIRECT, 5: Reason.SERVER_ERROR}


@dataclass(frozen=True)
class Request:
    """One request, as it goes out. Its `repr` shows no header and no body."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def with_headers(self, more: Mapping[str, str]) -> Request:
        """Return the same request with more headers."""
        return replace(self, headers={**self.headers, **more}) if more else self


@dataclass(frozen=True)
class Answer:
    """One answer, as it came in. Its `repr` shows the status alone."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Read by names in lower case; aiohttp's take any."""
    body: bytes = field(repr=False)


def build_request(
    settings: PS7Settings,
    context_id: str,
    *,
    encoded: int | None,
    correlation_id: str | None,
    flow_id: str,
) -> Request:
    """Build the request of a lookup.

    `encoded` goes out as text, as the interface documents; None leaves it to `PS7_ENCODED`. For 0
    the gateway sends the contextId on as it is, else in Base64. The ids are those of `lookup`.
    """
    headers = {
        **HEADERS,
        "userName": settings.username.get_secret_value(),
        "password": settings.password.get_secret_value(),
        "x-itau-flowID": flow_id,
    }
    if correlation_id is not None:
        headers["x-itau-correlationID"] = correlation_id
    if settings.api_key is not None:
        headers["x-itau-apikey"] = settings.api_key.get_secret_value()
    if settings.app_key is not None:
        headers["x-app-key"] = settings.app_key.get_secret_value()
    body: dict[str, Any] = {"contextId": context_id}
    mode = settings.encoded if encoded is None else encoded
    if mode is not None:
        body["encoded"] = str(mode)
    return Request(settings.base_url + PATH, headers, json.dumps(body).encode())


def decode(
    answer: Answer, *, received_at: datetime, max_age: float, strict_cpf: bool = False
) -> Decoded:
    """Read an answer: first the status, then the code, then the payload; or raise LookupFailed.

    `received_at` is the moment of receipt (UTC), `max_age` the longest use in seconds.
    """
    if answer.status != _OK:
        raise _status_error(answer, received_at)
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnreadableAnswer(Reason.COMPRESSED, _OK)
    try:
        envelope = parse(answer.body, answer.headers.get("content-type", ""))
    except ValueError:
        raise UnreadableAnswer(Reason.NOT_JSON, _OK) from None
    if not isinstance(envelope, dict):
        raise UnreadableAnswer(Reason.NOT_AN_OBJECT, _OK)
    if not _succeeded(envelope.get("code")):
        raise ContextRejected(Reason.FAILURE_CODE, _OK)
    payload = envelope.get("payload")
    if _is_empty(payload):
        payload = envelope.get("data")
    if _is_empty(payload):
        raise ContextRejected(Reason.NO_PAYLOAD, _OK)
    if not isinstance(payload, dict):
        raise UnreadableAnswer(Reason.NOT_AN_OBJECT, _OK)
    expires_at = usable_until(envelope.get("expireIn"), received_at, max_age)
    return read_customer(payload, envelope, expires_at=expires_at, strict_cpf=strict_cpf)


def _status_error(answer: Answer, received_at: datetime) -> LookupFailed:
    status = answer.status
    error, reason = _STATUSES.get(status, (UnexpectedStatus, None))
    if reason is None:
        reason = _STATUS_CLASSES.get(status // 100, Reason.UNDOCUMENTED_STATUS)
    return error(reason, status, retry_after(answer, received_at))


def retry_after(answer: Answer, received_at: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks to wait, stated as such or as an HTTP date.

    None where it asks nothing that can be understood (RFC 9110, section 10.2.3).
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # an older form, without a zone: HTTP dates are in UTC
            moment = moment.replace(tzinfo=timezone.utc)
        return max(0.0, (moment - received_at).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _succeeded(code: object) -> bool:
    """Whether a code says success: `0`, or none at all, as in the documented example."""
    if isinstance(code, (bool, dict, list)):
        return False
    return wire_text(code) in _SUCCESS_CODES


def _is_empty(payload: object) -> bool:
    return payload is None or payload == {} or (isinstance(payload, str) and not payload.strip())
