"""What a gateway in front of PS7 checks, and what it hands on. Pure.

Source: Huawei Cloud CEC API reference, "Invoking the PS7 System (chat_itau_contextos)". The path
and the header names are written down here a second time on purpose: the plugin's own are what is
under test.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .recorded import RecordedRequest

METHOD = "POST"
PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
USERNAME_HEADER = "userName"
PASSWORD_HEADER = "password"  # noqa: S105 - the name of a header, not a secret
API_KEY_HEADER = "x-itau-apikey"
APP_KEY_HEADER = "x-app-key"


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

    def accept_login(self, headers: Mapping[str, str]) -> bool:
        """Tell whether user name and password are there, and the ones that are expected."""
        sent = (headers.get(USERNAME_HEADER), headers.get(PASSWORD_HEADER))
        return all(sent) and _agree(sent, (self.username, self.password))

    def accept_keys(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the keys are the ones that are expected."""
        sent = (headers.get(API_KEY_HEADER), headers.get(APP_KEY_HEADER))
        return _agree(sent, (self.api_key, self.app_key))


def _agree(sent: tuple[str | None, ...], expected: tuple[str | None, ...]) -> bool:
    return all(want in (None, got) for got, want in zip(sent, expected, strict=True))


class Refusal(NamedTuple):
    """Why the gateway does not let a request through."""

    status: int
    reason: str
    body: dict[str, str]
    headers: dict[str, str]


def check(request: RecordedRequest, credentials: Credentials) -> Refusal | None:
    """Check a request as a gateway does: the way first, then who asks, then what they ask for."""
    for passes, status, shape, reason in _CHECKS:
        if not passes(request, credentials):
            body = dict(zip(shape, (str(status), reason), strict=True))
            return Refusal(status, reason, body, _HEADERS.get(status, {}))
    return None


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


def _is_the_method(request: RecordedRequest, _: Credentials) -> bool:
    return request.method == METHOD


def _logs_in(request: RecordedRequest, credentials: Credentials) -> bool:
    return credentials.accept_login(request.headers)


def _has_the_keys(request: RecordedRequest, credentials: Credentials) -> bool:
    return credentials.accept_keys(request.headers)


def _says_json(request: RecordedRequest, _: Credentials) -> bool:
    media_type = request.headers.get("Content-Type", "").partition(";")[0]
    return media_type.strip().lower() == "application/json"


def _is_an_object(request: RecordedRequest, _: Credentials) -> bool:
    return isinstance(request.json, dict)


def _names_a_context(request: RecordedRequest, _: Credentials) -> bool:
    context_id = request.json.get("contextId")
    return isinstance(context_id, str) and bool(context_id.strip())


# The interface's documentation knows three shapes of an error body. Two of them are the gateway's
# here, and the third, `{code, message}`, is PS7's own.
_GATEWAY = ("error_code", "error_msg")
_INTERFACE = ("resultCode", "resultDesc")

_HEADERS = {405: {"Allow": METHOD}}

_Check = Callable[[RecordedRequest, Credentials], bool]

_CHECKS: tuple[tuple[_Check, int, tuple[str, str], str], ...] = (
    (_is_the_path, 404, _GATEWAY, "no such path"),
    (_is_the_method, 405, _GATEWAY, "only POST is served here"),
    (_logs_in, 401, _INTERFACE, "userName or password is missing or wrong"),
    (_has_the_keys, 401, _GATEWAY, "x-itau-apikey or x-app-key is missing or wrong"),
    (_says_json, 400, _INTERFACE, "the Content-Type is not application/json"),
    (_is_an_object, 400, _INTERFACE, "the body is no JSON object"),
    (_names_a_context, 400, _INTERFACE, "contextId is missing or no text"),
)
"""In the order of checking: what must pass, and the status, shape and reason of the refusal."""
