"""Each way in which PS7 or the token endpoint can fail to answer, and what to do about it: a table.

The words that the plugin's log has for a failed lookup lead to a finding each. No I/O.
"""

from __future__ import annotations

from typing import NamedTuple

from ...api import gateway, wire
from ...errors import Reason
from .finding import Level


class Row(NamedTuple):
    """One finding, but for what this probe adds to it."""

    name: str
    found: str
    do: str
    level: Level = Level.ERROR


_DOWN = "tell whoever runs PS7; the bot's turns end in `unavailable` meanwhile"
_OTHER_SERVER = (
    "check host and port of PS7_BASE_URL: something else than PS7 stands there, such as a login "
    "page, a portal or another gateway"
)
ROWS: dict[Reason, Row] = {
    Reason.UNAUTHORIZED: Row(
        "ps7-credentials",
        "PS7 refuses the credentials",
        "check PS7_USERNAME and PS7_PASSWORD, and whether the gateway wants PS7_API_KEY, "
        "PS7_APP_KEY or a token (PS7_APP_SECRET); PS7 says the same of services not bought and of "
        "an account that is not in order",
    ),
    Reason.FORBIDDEN: Row(
        "ps7-forbidden",
        "the gateway forbids the call",
        "have this machine's address and your app allowed at the gateway; the credentials "
        "themselves may be right",
    ),
    Reason.PATH_NOT_FOUND: Row(
        "ps7-path",
        f"the host answers, and has nothing at the path of PS7 ({wire.PATH})",
        "check host and port of PS7_BASE_URL, and that the interface chat_itau_contextos is "
        "published there",
    ),
    Reason.REDIRECT: Row(
        "ps7-redirect",
        "the answer leads to another address, which is not followed: the credentials would go "
        "there too",
        "write the address of PS7 itself into PS7_BASE_URL",
    ),
    Reason.TOO_MANY_REQUESTS: Row(
        "ps7-throttled",
        "PS7 takes no more requests at this moment",
        "try again; if it stays so, have the limit of your account raised",
        Level.WARNING,
    ),
    Reason.SERVER_ERROR: Row("ps7-down", "PS7 is out of order behind its gateway", _DOWN),
    Reason.BAD_REQUEST: Row(
        "ps7-request",
        "PS7 takes the credentials, and calls the contextId of this probe incorrect",
        "it may do so with one that nobody has: try a real one with `rasa-ps7 lookup`; if that is "
        "`invalid` too, try PS7_ENCODED=0",
        Level.WARNING,
    ),
    Reason.UNDOCUMENTED_STATUS: Row(
        "ps7-status", "the answer has a status that PS7 does not document", _OTHER_SERVER
    ),
    Reason.NOT_JSON: Row("ps7-other", "the answer is not JSON, as PS7's is", _OTHER_SERVER),
    Reason.NOT_AN_OBJECT: Row("ps7-other", "the answer has not the form of PS7's", _OTHER_SERVER),
    Reason.NOT_HTTP: Row("ps7-other", "the answer is not HTTP", _OTHER_SERVER),
    Reason.COMPRESSED: Row(
        "ps7-compressed",
        "the answer is compressed, though we ask for one that is not",
        "have compression switched off at the gateway for this path",
    ),
    Reason.ANSWER_TOO_LARGE: Row("ps7-other", "the answer is too large for PS7's", _OTHER_SERVER),
    Reason.READ_TIMEOUT: Row(
        "ps7-silent",
        "PS7 takes the request and does not answer within PS7_READ_TIMEOUT",
        f"{_DOWN}; if it is only slow, raise PS7_READ_TIMEOUT and PS7_DEADLINE",
    ),
    Reason.DEADLINE: Row(
        "ps7-silent",
        "PS7 takes the request and does not answer within PS7_DEADLINE",
        f"{_DOWN}; if it is only slow, raise PS7_READ_TIMEOUT and PS7_DEADLINE",
    ),
    Reason.CONNECTION_LOST: Row(
        "ps7-broken",
        "the connection breaks before there is an answer",
        f"{_DOWN}; a firewall that reads along may end connections too",
    ),
    Reason.CONNECT: Row("ps7-gone", "there is no connection any more", "try again"),
    Reason.CONNECT_TIMEOUT: Row("ps7-gone", "there is no connection any more", "try again"),
    Reason.PROXY: Row(
        "proxy-refused", "the proxy does not let the request through", "check PS7_PROXY"
    ),
    Reason.TOKEN_REFUSED: Row(
        "token-refused",
        "the token endpoint refuses PS7_APP_KEY or PS7_APP_SECRET",
        "check both: they are the access key and the secret key of the app at API Fabric",
    ),
    Reason.TOKEN_UNREADABLE: Row(
        "token-unreadable",
        "the token endpoint answers, and not with a token",
        f"check that API Fabric's {gateway.PATH} is what stands at the host of PS7_BASE_URL",
    ),
    Reason.TOKEN_UNAVAILABLE: Row(
        "token-unavailable",
        "the token endpoint does not answer as it should",
        f"check that the host of PS7_BASE_URL serves {gateway.PATH}; if the gateway wants no "
        "token, remove PS7_APP_SECRET",
    ),
}
UNFORESEEN = Row("ps7-internal", "the probe failed in a way that was not foreseen", "report it")
