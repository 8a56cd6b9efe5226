"""What a gateway in front of PS7 checks, and what it hands on. Pure.

Source: Huawei Cloud CEC API reference, "Invoking the PS7 System (chat_itau_contextos)". The path
and the header names are written down here a second time on purpose: the plugin's own are what is
under test.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from .recorded import RecordedRequest
from .reply import Reply, make_reply

if TYPE_CHECKING:
    from .tokens import Tokens

METHOD = "POST"
PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
USERNAME_HEADER = "userName"
PASSWORD_HEADER = "password"  # noqa: S105 - the name of a header, not a secret
API_KEY_HEADER = "x-itau-apikey"
APP_KEY_HEADER = "x-app-key"
TOKEN_HEADER = "Authorization"  # noqa: S105 - as above


@dataclass(frozen=True)
class Credentials:
    """What a client must send. Its `repr` shows nothing of it."""

    username: str | None = field(repr=False)
    """None: any that is not empty."""
    password: str | None = field(repr=False)
    """None: any that is not empty."""
    api_key: str | None = field(repr=False)
    """None: none is asked for."""
    app_key: str | None = field(repr=False)
    """None: none is asked for."""
    app_secret: str | None = field(repr=False)
    """None: no token is asked for, and none is given."""
    tokens: Tokens = field(repr=False)
    """Those that were given, for the app key and the app secret."""

    def accept_login(self, headers: Mapping[str, str]) -> bool:
        """Tell whether user name and password are there, and the ones that are expected."""
        sent = (headers.get(USERNAME_HEADER), headers.get(PASSWORD_HEADER))
        return all(sent) and _agree(sent, (self.username, self.password))

    def accept_keys(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the keys are the ones that are expected."""
        sent = (headers.get(API_KEY_HEADER), headers.get(APP_KEY_HEADER))
        return _agree(sent, (self.api_key, self.app_key))

    def accept_token(self, headers: Mapping[str, str]) -> bool:
        """Tell whether there is a token that holds, where one is asked for."""
        scheme, _, token = headers.get(TOKEN_HEADER, "").partition(" ")
        return self.app_secret is None or (scheme == "Bearer" and self.tokens.hold(token))

    def accept_app(self, app_key: str, app_secret: str) -> bool:
        """Tell whether a token may be given for this key and this secret."""
        return _agree((app_key, app_secret), (self.app_key, self.app_secret))


def _agree(sent: tuple[str | None, ...], expected: tuple[str | None, ...]) -> bool:
    return all(want in (None, got) for got, want in zip(sent, expected, strict=True))


class Refusal(NamedTuple):
    """Why the gateway does not let a request through, and what it answers."""

    reason: str
    reply: Reply


def check(
    request: RecordedRequest, credentials: Credentials, checks: Sequence[Check]
) -> Refusal | None:
    """Check a request, and refuse it by the first check that it does not pass."""
    for passes, status, shape, reason in checks:
        if not passes(request, credentials):
            body = dict(zip(shape, (str(status), reason), strict=True))
            return Refusal(reason, make_reply(status, body, _HEADERS.get(status)))
    return None


def serve(
    request: RecordedRequest, credentials: Credentials, ask: Callable[[str], Reply]
) -> tuple[RecordedRequest, Reply]:
    """Answer a lookup: refuse it, or `ask` PS7. The request comes back with what became of it."""
    refusal = check(request, credentials, _CHECKS)
    if refusal is not None:
        return replace(request, refusal=refusal.reason), refusal.reply
    context_id = upstream_id(request.json)
    return replace(request, upstream_id=context_id), ask(context_id)


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - JSON is any of its types
    """Read a body as JSON, None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def upstream_id(body: Mapping[str, Any]) -> str:
    """Give the contextId that goes on to PS7: as it came if `encoded` is 0, else in Base64."""
    context_id: str = body["contextId"]
    if str(body.get("encoded")) == "0":
        return context_id
    return base64.b64encode(context_id.encode("utf-8", "surrogatepass")).decode()


def _is_the_path(request: RecordedRequest, _: Credentials) -> bool:
    return request.path.partition("?")[0] == PATH


def is_the_method(request: RecordedRequest, _: Credentials) -> bool:
    """Tell whether it is a POST."""
    return request.method == METHOD


def _logs_in(request: RecordedRequest, credentials: Credentials) -> bool:
    return credentials.accept_login(request.headers)


def _has_the_keys(request: RecordedRequest, credentials: Credentials) -> bool:
    return credentials.accept_keys(request.headers)


def _has_a_token(request: RecordedRequest, credentials: Credentials) -> bool:
    return credentials.accept_token(request.headers)


def says_json(request: RecordedRequest, _: Credentials) -> bool:
    """Tell whether the Content-Type is that of JSON."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def is_an_object(request: RecordedRequest, _: Credentials) -> bool:
    """Tell whether the body is a JSON object."""
    return isinstance(request.json, dict)


def _names_a_context(request: RecordedRequest, _: Credentials) -> bool:
    context_id = request.json.get("contextId")
    return isinstance(context_id, str) and bool(context_id.strip())


# The interface's documentation knows three shapes of an error body. Two of them are the gateway's
# here, and the third, `{code, message}`, is PS7's own.
GATEWAY_SHAPE = ("error_code", "error_msg")
_INTERFACE = ("resultCode", "resultDesc")

_HEADERS = {405: {"Allow": METHOD}}

Check = tuple[Callable[[RecordedRequest, Credentials], bool], int, tuple[str, str], str]
"""What must pass, and the status, shape and reason of the refusal."""

_CHECKS: tuple[Check, ...] = (
    (_is_the_path, 404, GATEWAY_SHAPE, "no such path"),
    (is_the_method, 405, GATEWAY_SHAPE, "only POST is served here"),
    (_logs_in, 401, _INTERFACE, "userName or password is missing or wrong"),
    (_has_the_keys, 401, GATEWAY_SHAPE, "x-itau-apikey or x-app-key is missing or wrong"),
    (_has_a_token, 401, GATEWAY_SHAPE, "Authorization has no token, or one that does not hold"),
    (says_json, 400, _INTERFACE, "the Content-Type is not application/json"),
    (is_an_object, 400, _INTERFACE, "the body is no JSON object"),
    (_names_a_context, 400, _INTERFACE, "contextId is missing or no text"),
)
"""In a gateway's order: the way first, then who asks, then what they ask for."""
