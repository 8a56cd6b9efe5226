"""The closed family of errors. Whatever goes wrong in a lookup comes out as one of these.

    PS7Error
    ├── SettingsError            a PS7_* variable is missing or bad; raised at start only
    └── LookupFailed             knows its `outcome`, `reason` and the HTTP `status`, if any
        ├── InvalidContextId     invalid: PS7 answered 400
        ├── ContextRejected      rejected: PS7 has no such context
        ├── AccessDenied         denied: PS7 refused our credentials
        └── PS7Unavailable       unavailable: everything else
            ├── DeadlineExceeded     the lookup's time was over
            ├── ConnectionFailed     no connection, or it broke
            ├── UnexpectedStatus     a status that PS7 does not document for this call
            └── UnreadableAnswer     an answer that is not what the interface promises

No text of an error holds a value that the customer, the channel or the server sent.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from .context import Outcome


class Reason(str, Enum):
    """Why a lookup ended as it did: the word that operations see in the log."""

    OK = "ok"
    UNUSABLE_CONTEXT_ID = "unusable_context_id"
    FORGOTTEN = "forgotten"
    BAD_REQUEST = "bad_request"
    FAILURE_CODE = "failure_code"
    NO_PAYLOAD = "no_payload"
    BUSINESS_FAILURE = "business_failure"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    DEADLINE = "deadline"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    CONNECTION_LOST = "connection_lost"
    TLS = "tls"
    REDIRECT = "redirect"
    PATH_NOT_FOUND = "path_not_found"
    TOO_MANY_REQUESTS = "too_many_requests"
    SERVER_ERROR = "server_error"
    UNDOCUMENTED_STATUS = "undocumented_status"
    ANSWER_TOO_LARGE = "answer_too_large"
    NOT_HTTP = "not_http"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    COMPRESSED = "compressed"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class PS7Error(Exception):
    """Root of all errors of this package."""


class SettingsError(PS7Error):
    """A PS7_* variable is missing or bad. The text names each one and shows no value."""


class LookupFailed(PS7Error):  # noqa: N818 - it names an outcome, as its subclasses do
    """A lookup that gave no customer. Its text is the reason alone."""

    outcome: ClassVar[Outcome]

    def __init__(self, reason: Reason, status: int | None = None) -> None:
        """Keep why (`reason`) and the HTTP status, None where no answer came."""
        super().__init__(reason, status)
        self.reason = reason
        self.status = status

    def __str__(self) -> str:
        """Say the reason, and the status where there is one."""
        return self.reason.value + (f" (HTTP {self.status})" if self.status is not None else "")


class InvalidContextId(LookupFailed):
    """PS7 answered 400: this contextId is none."""

    outcome = Outcome.INVALID


class ContextRejected(LookupFailed):
    """PS7 has no such context: a failure code, no payload, or its business failure (500)."""

    outcome = Outcome.REJECTED


class AccessDenied(LookupFailed):
    """PS7 refused our credentials."""

    outcome = Outcome.DENIED


class PS7Unavailable(LookupFailed):
    """PS7 could not be asked, or its answer says nothing about the context."""

    outcome = Outcome.UNAVAILABLE


class DeadlineExceeded(PS7Unavailable):
    """The time for the whole lookup was over."""


class ConnectionFailed(PS7Unavailable):
    """There was no connection, or it broke or fell silent before the answer was whole."""


class UnexpectedStatus(PS7Unavailable):
    """A status that says nothing about the context, redirects included."""


class UnreadableAnswer(PS7Unavailable):
    """An answer that is too large, not JSON, or not of the promised shape."""
