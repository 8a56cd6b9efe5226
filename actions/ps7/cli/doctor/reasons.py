"""What each way to fail means, and what to do about it: a table from `Reason` to finding. No I/O.

Where a `Reason` has two causes that differ in what to do, `connection` finds out which it was.
"""

from __future__ import annotations

from ...api import gateway, wire
from ...errors import Reason
from .report import Finding, caution, error

_DOWN = "tell the team that runs PS7; the bot's turns end in `unavailable` meanwhile"
_SLOW = f"{_DOWN}; if it is only slow, raise PS7_READ_TIMEOUT and PS7_DEADLINE"
_SILENT = "PS7 takes the request and does not answer within"
_OTHER_SERVER = (
    "check host and port of PS7_BASE_URL: something else than PS7 stands there, such as a login "
    "page, a portal or another gateway"
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
        f"check that API Fabric's {gateway.PATH} is what stands at the host of PS7_BASE_URL",
    ),
    Reason.TOKEN_UNAVAILABLE: error(
        "token-unavailable",
        "the token endpoint does not answer as it should",
        f"check that PS7_BASE_URL serves {gateway.PATH}; without one, remove PS7_APP_SECRET",
    ),
}
CLIENT_WANTED = error(
    "tls-client-wanted",
    "PS7 asks for a certificate of ours, and none is set",
    "set PS7_CLIENT_CERT, and PS7_CLIENT_KEY if the key is in a file of its own",
)
"""In place of `TLS_CLIENT_REFUSED` where `PS7_CLIENT_CERT` is not set."""
GONE = error("ps7-gone", "the look-up fails, and a connection can be made", "try again later")
"""For what is not in the table: no connection, where there is one a moment later, and bugs."""
