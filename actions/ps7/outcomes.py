"""How a lookup can end: the closed list of outcomes, one table of reasons, and the errors.

No text of an error has a value that the customer, the channel or the server sent.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Word(str, Enum):
    """An Enum whose members are written as their values, as those of Python 3.11's StrEnum."""

    __str__ = str.__str__


class Outcome(Word):
    """The closed list of what `ps7_status` can hold."""

    OK = "ok"
    """PS7 knows this context. It does not say that the person is authenticated."""
    MISSING = "missing"
    """No contextId, and no valid seal: the user is anonymous."""
    INVALID = "invalid"
    """The contextId is not usable text, or PS7 answered 400."""
    REJECTED = "rejected"
    """PS7 has no such context."""
    DENIED = "denied"
    """PS7 refused our credentials: the customer has no part in it."""
    UNAVAILABLE = "unavailable"
    """No answer, or none that can be read."""
    EXPIRED = "expired"
    """It was `ok`, its time is over, and no contextId is at hand."""
    TAMPERED = "tampered"
    """Something claims a customer, and no seal of the plugin names one."""


ANSWERS = frozenset({Outcome.OK, Outcome.REJECTED, Outcome.INVALID})
"""Outcomes that are about the contextId: PS7 was there, and answered."""


ANONYMOUS = frozenset({Outcome.MISSING, Outcome.EXPIRED, Outcome.TAMPERED})
"""Outcomes of runs that ask nobody: no customer is known, or none any more."""


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
    """A token that is no longer valid, or not yet."""
    BAD_REQUEST = "bad_request"
    FAILURE_CODE = "failure_code"
    NO_PAYLOAD = "no_payload"
    BUSINESS_FAILURE = "business_failure"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a reason, not a token
    TOKEN_UNAVAILABLE = "token_unavailable"  # noqa: S105 - as above
    TOKEN_UNREADABLE = "token_unreadable"  # noqa: S105 - as above
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    CONNECTION_LOST = "connection_lost"
    DEADLINE = "deadline"
    PROXY = "proxy"
    TLS = "tls"
    TLS_UNKNOWN_CA = "tls_unknown_ca"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_EXPIRED = "tls_expired"
    TLS_CLIENT_REFUSED = "tls_client_refused"
    SERVER_ERROR = "server_error"
    """Any 5xx but 500, which PS7 documents as a failure of the request's values."""
    TOO_MANY_REQUESTS = "too_many_requests"
    """429, from PS7 or from the token endpoint."""
    REDIRECT = "redirect"
    PATH_NOT_FOUND = "path_not_found"
    UNDOCUMENTED_STATUS = "undocumented_status"
    ANSWER_TOO_LARGE = "answer_too_large"
    NOT_HTTP = "not_http"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    COMPRESSED = "compressed"
    BUSY = "busy"
    """All places of `PS7_MAX_CONNECTIONS` stayed taken: nothing was sent."""
    CIRCUIT_OPEN = "circuit_open"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class Meaning(NamedTuple):
    """What a reason means for the customer, for this lookup and for the lookups of others."""

    outcome: Outcome
    retryable: bool = False
    """Whether a retry may succeed: the same request, a moment later."""
    counts: bool = False
    """Whether it counts for the circuit breaker: PS7's or the network's doing, or a refusal of our
    credentials, so that other lookups may fail as well."""


_INVALID, _REJECTED = Meaning(Outcome.INVALID), Meaning(Outcome.REJECTED)
_REFUSED = Meaning(Outcome.DENIED, counts=True)
_BLIP = Meaning(Outcome.UNAVAILABLE, retryable=True, counts=True)
_LASTING = Meaning(Outcome.UNAVAILABLE, counts=True)
_OTHER = Meaning(Outcome.UNAVAILABLE)

MEANINGS: dict[Reason, Meaning] = {
    Reason.OK: Meaning(Outcome.OK),
    Reason.UNUSABLE_CONTEXT_ID: _INVALID,
    Reason.FORGOTTEN: Meaning(Outcome.MISSING),
    Reason.TOO_MANY_CONTEXT_IDS: _REJECTED,
    Reason.ARRIVAL_SIGNATURE: _INVALID,
    Reason.ARRIVAL_CLAIMS: _INVALID,
    Reason.ARRIVAL_CONVERSATION: _INVALID,
    Reason.ARRIVAL_TIME: _INVALID,
    Reason.BAD_REQUEST: _INVALID,
    Reason.FAILURE_CODE: _REJECTED,
    Reason.NO_PAYLOAD: _REJECTED,
    Reason.BUSINESS_FAILURE: _REJECTED,
    Reason.UNAUTHORIZED: _REFUSED,
    Reason.FORBIDDEN: _REFUSED,
    Reason.TOKEN_REFUSED: _REFUSED,
    Reason.TOKEN_UNAVAILABLE: _BLIP,
    Reason.TOKEN_UNREADABLE: _LASTING,
    Reason.CONNECT: _BLIP,
    Reason.CONNECT_TIMEOUT: _BLIP,
    Reason.READ_TIMEOUT: _BLIP,
    Reason.CONNECTION_LOST: _BLIP,
    Reason.DEADLINE: _LASTING,
    Reason.PROXY: _LASTING,
    Reason.TLS: _LASTING,
    Reason.TLS_UNKNOWN_CA: _LASTING,
    Reason.TLS_WRONG_HOST: _LASTING,
    Reason.TLS_EXPIRED: _LASTING,
    Reason.TLS_CLIENT_REFUSED: _LASTING,
    Reason.SERVER_ERROR: _BLIP,
    Reason.TOO_MANY_REQUESTS: Meaning(Outcome.UNAVAILABLE, retryable=True),
    Reason.REDIRECT: _OTHER,
    Reason.PATH_NOT_FOUND: _OTHER,
    Reason.UNDOCUMENTED_STATUS: _OTHER,
    Reason.ANSWER_TOO_LARGE: _OTHER,
    Reason.NOT_HTTP: _OTHER,
    Reason.NOT_JSON: _OTHER,
    Reason.NOT_AN_OBJECT: _OTHER,
    Reason.COMPRESSED: _OTHER,
    Reason.BUSY: _OTHER,
    Reason.CIRCUIT_OPEN: _OTHER,  # or `denied`, if that is how the last probe ended
    Reason.CANCELLED: _OTHER,
    Reason.INTERNAL: _OTHER,
}


ARRIVAL_REFUSED = {
    Reason.ARRIVAL_SIGNATURE: "no key of PS7_ARRIVAL_KEYS signed its token",
    Reason.ARRIVAL_CLAIMS: "claims of its token are missing or cannot be used",
    Reason.ARRIVAL_CONVERSATION: "its token was made for another conversation",
    Reason.ARRIVAL_TIME: "its token was no longer valid as it came, or not yet",
    Reason.TOO_MANY_CONTEXT_IDS: "this session has asked about too many others",
}
"""Why an arrival was refused, in words."""


class PS7Error(Exception):
    """Root of all errors of this package."""


class SettingsError(PS7Error):
    """A PS7_* variable is missing or bad. The text names each one and shows no value."""


class LookupFailed(PS7Error):  # noqa: N818 - it names an outcome
    """A lookup that found no customer. Its text is only the reason and the status."""

    def __init__(
        self,
        reason: Reason,
        status: int | None = None,
        *,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep why, the HTTP status if an answer came, and the seconds that it asks to wait.

        `outcome` is that of the table, unless the circuit is open: then it is the last probe's.
        """
        super().__init__(reason, status)
        self.reason = reason
        self.status = status
        self.outcome = MEANINGS[reason].outcome if outcome is None else outcome
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.reason.value + (f" (HTTP {self.status})" if self.status is not None else "")
