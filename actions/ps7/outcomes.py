"""How a lookup can end: the closed list of outcomes, one table of reasons, and the errors.

No text of an error has a value that the customer, the channel or the server sent.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Word(str, Enum):
    """An Enum whose members are written as their values, as those of Python 3.11's StrEnum."""

    __str__ = str.__str__


class Outcome(Word):
    """The closed list of what `ps7_status` can hold.

    Examples:
        >>> Outcome(bot.slots["ps7_status"]) is Outcome.OK
        True

    """

    OK = "ok"
    """PS7 knows this context. It does not say that the person is authenticated."""
    MISSING = "missing"
    """No contextId was looked up, or a log-out: the user is anonymous."""
    INVALID = "invalid"
    """The contextId is not usable, its token was refused, or PS7 answered 400."""
    REJECTED = "rejected"
    """PS7 has no such context, or the session asked about too many others."""
    DENIED = "denied"
    """PS7 refused our credentials: the customer has no part in it."""
    UNAVAILABLE = "unavailable"
    """PS7 gave no usable answer, or could not be asked."""
    EXPIRED = "expired"
    """It was `ok`, and its time or session is over. A lookup may find the customer again."""
    TAMPERED = "tampered"
    """Something claims a customer, and no seal that opens names one."""


ANSWERS = frozenset({Outcome.OK, Outcome.REJECTED, Outcome.INVALID})
"""Outcomes that are about the contextId: PS7 was there, and answered."""


ANONYMOUS = frozenset({Outcome.MISSING, Outcome.EXPIRED, Outcome.TAMPERED})
"""Outcomes of runs that ask nobody: no customer is known, or none any more."""


RETRY, COUNTS = "retry", "counts"


class Reason(Word):
    """Why a lookup ended as it did: the word that operations see in the log.

    One row each: the word, the outcome, and marks. RETRY: the same request may succeed a moment
    later. COUNTS: for the circuit breaker, as PS7's or the network's doing, or as a refusal of our
    credentials, so that other lookups may fail as well.

    Examples:
        >>> str(Reason.READ_TIMEOUT), Reason.READ_TIMEOUT.outcome.value
        ('read_timeout', 'unavailable')

    """

    OK = "ok", Outcome.OK
    UNUSABLE_CONTEXT_ID = "unusable_context_id", Outcome.INVALID
    FORGOTTEN = "forgotten", Outcome.MISSING
    TOO_MANY_CONTEXT_IDS = "too_many_context_ids", Outcome.REJECTED
    # A signed arrival: no token that one of `PS7_ARRIVAL_KEYS` signed; claims that are missing or
    # not usable; a token for another conversation; one that is no longer valid, or not yet.
    ARRIVAL_SIGNATURE = "arrival_signature", Outcome.INVALID
    ARRIVAL_CLAIMS = "arrival_claims", Outcome.INVALID
    ARRIVAL_CONVERSATION = "arrival_conversation", Outcome.INVALID
    ARRIVAL_TIME = "arrival_time", Outcome.INVALID
    # PS7 answers about the context: 400; a code other than 0; no payload; 500.
    BAD_REQUEST = "bad_request", Outcome.INVALID
    FAILURE_CODE = "failure_code", Outcome.REJECTED
    NO_PAYLOAD = "no_payload", Outcome.REJECTED
    BUSINESS_FAILURE = "business_failure", Outcome.REJECTED
    # Our credentials are refused: 401, 403, and by the token endpoint.
    UNAUTHORIZED = "unauthorized", Outcome.DENIED, COUNTS
    FORBIDDEN = "forbidden", Outcome.DENIED, COUNTS
    TOKEN_REFUSED = "token_refused", Outcome.DENIED, COUNTS
    TOKEN_UNAVAILABLE = "token_unavailable", Outcome.UNAVAILABLE, RETRY, COUNTS
    TOKEN_UNREADABLE = "token_unreadable", Outcome.UNAVAILABLE, COUNTS
    # The network.
    CONNECT = "connect", Outcome.UNAVAILABLE, RETRY, COUNTS
    CONNECT_TIMEOUT = "connect_timeout", Outcome.UNAVAILABLE, RETRY, COUNTS
    READ_TIMEOUT = "read_timeout", Outcome.UNAVAILABLE, RETRY, COUNTS
    CONNECTION_LOST = "connection_lost", Outcome.UNAVAILABLE, RETRY, COUNTS
    DEADLINE = "deadline", Outcome.UNAVAILABLE, COUNTS
    PROXY = "proxy", Outcome.UNAVAILABLE, COUNTS
    TLS = "tls", Outcome.UNAVAILABLE, COUNTS
    TLS_UNKNOWN_CA = "tls_unknown_ca", Outcome.UNAVAILABLE, COUNTS
    TLS_WRONG_HOST = "tls_wrong_host", Outcome.UNAVAILABLE, COUNTS
    TLS_EXPIRED = "tls_expired", Outcome.UNAVAILABLE, COUNTS
    TLS_CLIENT_REFUSED = "tls_client_refused", Outcome.UNAVAILABLE, COUNTS
    # An answer that is not about the context: 502, 503, 504; 429, also of the token endpoint; and
    # what is the same for each attempt.
    SERVER_ERROR = "server_error", Outcome.UNAVAILABLE, RETRY, COUNTS
    TOO_MANY_REQUESTS = "too_many_requests", Outcome.UNAVAILABLE, RETRY
    REDIRECT = "redirect", Outcome.UNAVAILABLE
    PATH_NOT_FOUND = "path_not_found", Outcome.UNAVAILABLE
    UNDOCUMENTED_STATUS = "undocumented_status", Outcome.UNAVAILABLE
    ANSWER_TOO_LARGE = "answer_too_large", Outcome.UNAVAILABLE
    NOT_HTTP = "not_http", Outcome.UNAVAILABLE
    NOT_JSON = "not_json", Outcome.UNAVAILABLE
    NOT_AN_OBJECT = "not_an_object", Outcome.UNAVAILABLE
    COMPRESSED = "compressed", Outcome.UNAVAILABLE
    # This attempt sent nothing: all places of `PS7_MAX_CONNECTIONS` stayed taken; the circuit is
    # open, as `denied` if that is how the last probe ended.
    BUSY = "busy", Outcome.UNAVAILABLE
    CIRCUIT_OPEN = "circuit_open", Outcome.UNAVAILABLE
    CANCELLED = "cancelled", Outcome.UNAVAILABLE
    INTERNAL = "internal", Outcome.UNAVAILABLE

    outcome: Outcome
    retryable: bool
    counts: bool

    def __new__(cls, word: str, outcome: Outcome = Outcome.UNAVAILABLE, *marks: str) -> Self:
        """Make a row of the table."""
        member = str.__new__(cls, word)
        member._value_, member.outcome = word, outcome
        member.retryable, member.counts = RETRY in marks, COUNTS in marks
        return member


ARRIVAL_REFUSED = {
    Reason.ARRIVAL_SIGNATURE: "no key of PS7_ARRIVAL_KEYS signed its token",
    Reason.ARRIVAL_CLAIMS: "claims of its token are missing or cannot be used",
    Reason.ARRIVAL_CONVERSATION: "its token was made for another conversation",
    Reason.ARRIVAL_TIME: "its token was no longer valid as it came, or not yet",
    Reason.TOO_MANY_CONTEXT_IDS: "this session has asked about too many others",
}
"""Why an arrival was refused, in words."""


class PS7Error(Exception):
    """Root of all errors of this package.

    Examples:
        >>> PS7Error in LookupFailed.__bases__ and PS7Error in SettingsError.__bases__
        True

    """


class SettingsError(PS7Error):
    """A PS7_* variable is missing or bad. The text names each one and shows no value.

    Examples:
        >>> os.environ["PS7_ATTEMPTS"] = "many"
        >>> try:
        ...     PS7Settings.load()
        ... except SettingsError as error:
        ...     print(error)
        The PS7 settings are not usable:
          PS7_ATTEMPTS cannot be used; it expects a whole number from 1 to 10

    """


class LookupFailed(PS7Error):  # noqa: N818 - it names an outcome
    """A lookup that found no customer. Its text is only the reason and the status.

    Examples:
        >>> async with PS7Client() as client:
        ...     try:
        ...         await client.lookup("not-found")
        ...     except LookupFailed as failure:
        ...         print(failure.outcome, failure.reason, failure.status)
        rejected failure_code 200

    """

    def __init__(
        self,
        reason: Reason,
        status: int | None = None,
        *,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
        detail: str = "",
    ) -> None:
        """Keep why, the HTTP status if an answer came, and the seconds that it asks to wait.

        `detail` is what OpenSSL says of a failure of TLS. `outcome` is that of the table, unless
        the circuit is open: then it is the last probe's.
        """
        super().__init__(reason, status)
        self.reason = reason
        self.status = status
        self.outcome = reason.outcome if outcome is None else outcome
        self.retry_after = retry_after
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}" if self.status is None else f"{self.reason} (HTTP {self.status})"
