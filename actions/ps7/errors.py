"""The closed family of errors. Whatever goes wrong in a lookup comes out as one of these.

No text of an error has a value that the customer, the channel or the server sent.
"""

from __future__ import annotations

from .context import Outcome, Word


class Reason(Word):
    """Why a lookup ended as it did: the word that operations see in the log."""

    OK = "ok"
    UNUSABLE_CONTEXT_ID = "unusable_context_id"
    FORGOTTEN = "forgotten"
    TOO_MANY_CONTEXT_IDS = "too_many_context_ids"
    ARRIVAL_SIGNATURE = "arrival_signature"
    """No token that one of `PS7_ARRIVAL_KEYS` signed."""
    ARRIVAL_CLAIMS = "arrival_claims"
    """Claims are missing or not usable, or `exp` is too far from `iat`."""
    ARRIVAL_CONVERSATION = "arrival_conversation"
    """A token for another conversation."""
    ARRIVAL_TIME = "arrival_time"
    """A token that is no longer good, or not yet."""
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
    TLS_UNKNOWN_CA = "tls_unknown_ca"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_EXPIRED = "tls_expired"
    TLS_CLIENT_REFUSED = "tls_client_refused"
    PROXY = "proxy"
    CIRCUIT_OPEN = "circuit_open"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a reason, not a token
    TOKEN_UNAVAILABLE = "token_unavailable"  # noqa: S105 - as above
    TOKEN_UNREADABLE = "token_unreadable"  # noqa: S105 - as above
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


_RETRIED_REASONS = frozenset(
    {Reason.CONNECT, Reason.CONNECT_TIMEOUT, Reason.CONNECTION_LOST, Reason.READ_TIMEOUT}
)
_RETRIED_STATUSES = frozenset({429, 502, 503, 504})
"""500 is not among them: PS7 documents it as a failure of the request's values."""
_BUSY = 429
"""Does not count for the circuit breaker: a server that answers it is there."""
_BREAKER_REASONS = frozenset(
    {
        *(Reason.TLS, Reason.TLS_UNKNOWN_CA, Reason.TLS_WRONG_HOST, Reason.TLS_EXPIRED),
        *(Reason.TLS_CLIENT_REFUSED, Reason.PROXY, Reason.DEADLINE),
        *(Reason.UNAUTHORIZED, Reason.FORBIDDEN, Reason.TOKEN_REFUSED),
        *(Reason.TOKEN_UNAVAILABLE, Reason.TOKEN_UNREADABLE),
    }
)


class LookupFailed(PS7Error):  # noqa: N818 - it names an outcome, as its subclasses do
    """A lookup that found no customer. Its text is only the reason and the status."""

    outcome: Outcome

    def __init__(
        self, reason: Reason, status: int | None = None, retry_after: float | None = None
    ) -> None:
        """Keep why, the HTTP status if an answer came, and the seconds that it asks to wait."""
        super().__init__(reason, status)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after
        self.retryable = reason in _RETRIED_REASONS or status in _RETRIED_STATUSES
        """Whether a retry may succeed: the same request, a moment later."""
        self.counts_for_breaker = status != _BUSY and (self.retryable or reason in _BREAKER_REASONS)
        """Whether it counts for the circuit breaker: other lookups may fail as well."""
        self.event = object()
        """What happened: copies, for other lookups that it fails too, have the same."""

    def __str__(self) -> str:
        return self.reason.value + (f" (HTTP {self.status})" if self.status is not None else "")


class InvalidContextId(LookupFailed):
    """PS7 answered 400: it does not take this for a contextId."""

    outcome = Outcome.INVALID


class ContextRejected(LookupFailed):
    """PS7 has no such context: a failure code, no payload, or its business failure (500)."""

    outcome = Outcome.REJECTED


class AccessDenied(LookupFailed):
    """PS7 refused our credentials."""

    outcome = Outcome.DENIED


class PS7Unavailable(LookupFailed):
    """PS7 could not be asked, or its answer is not about the context."""

    outcome = Outcome.UNAVAILABLE


class DeadlineExceeded(PS7Unavailable):
    """The time for the whole lookup was over."""


class CircuitOpen(PS7Unavailable):
    """PS7 was not asked: others failed just before; `outcome` is that of the breaker's question."""


class ConnectionFailed(PS7Unavailable):
    """There was no connection, or it broke or fell silent before the answer was whole."""


class UnexpectedStatus(PS7Unavailable):
    """A status that is not about the context, redirects included."""


class UnreadableAnswer(PS7Unavailable):
    """An answer that is too large, not JSON, or not of the promised shape."""
