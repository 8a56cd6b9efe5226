"""Requests and replies as plain values, and what a gateway in front of PS7 makes of them.

It checks requests, passes them on, and grants tokens. Pure. Below stand the simulator's own pages,
for a person at a browser and for tests in another process.

Paths and header names are written down here a second time on purpose: the plugin's own, which name
their source, are what is under test.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..faults import FAULTS
from ..personas import PERSONAS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..faults import Delivery, Fault
    from ..personas import Persona

METHOD = "POST"
PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
TOKEN_PATH = "/apigovernance/api/oauth/tokenByAkSk"  # noqa: S105 - a path, not a secret
TOKEN_MOST_SECONDS = 3600
ANY = "simulator"
"""A credential for clients, if any will do."""
SECRET_HEADERS = ("userName", "password", "x-itau-apikey", "x-app-key", "Authorization")
_SECONDS_HEADER = "X-Token-Expire"

# Two of the three shapes of an error body; the third, `{code, message}`, is PS7's own.
_GATEWAY = ("error_code", "error_msg")
_INTERFACE = ("resultCode", "resultDesc")
_HEADERS = {405: {"Allow": METHOD}, 429: {"Retry-After": "1"}}


@dataclass(frozen=True)
class RecordedRequest:
    """One request that came in. Its `repr` shows no header, no body and no contextId.

    Examples:
        >>> request = ps7.requests[0]
        >>> request.json, request.status
        ({'contextId': 'ana'}, 200)

    """

    method: str
    path: str
    """As it was asked for, a query included."""
    headers: Mapping[str, str] = field(repr=False)
    """Names compare without regard to case, and are kept as they were sent."""
    body: bytes = field(repr=False)
    json: Any = field(repr=False)
    """The body as JSON; None if it is not JSON."""
    status: int = 0
    """What was answered, or would have been had the client waited."""
    refusal: str | None = None
    """Why the gateway did not pass it on to PS7, None if it did."""
    upstream_id: str | None = field(default=None, repr=False)
    """The contextId that went on to PS7, None if none did: Base64 unless `encoded` was 0."""


@dataclass(kw_only=True, eq=False)
class Gateway:
    """What the gateway asks of a client, and what came in."""

    host: str = "127.0.0.1"
    username: str | None = ANY
    """The `userName` that a client must send; None takes any that is not empty."""
    password: str | None = field(default=ANY, repr=False)
    """The `password` that a client must send; None takes any that is not empty."""
    api_key: str | None = field(default=None, repr=False)
    """The `x-itau-apikey` that a client must send; None asks for none."""
    app_key: str | None = field(default=None, repr=False)
    """The `x-app-key` that a client must send; None asks for none."""
    app_secret: str | None = field(default=None, repr=False)
    """With one, the token endpoint grants tokens for it and `app_key`, and lookups must bring one;
    None asks for none."""
    token_seconds: int = TOKEN_MOST_SECONDS
    """For how long a token is valid at most, whatever was asked for."""
    requests_per_second: int | None = None
    """How many lookups it takes within a second: more are refused, with 429 and `Retry-After`."""
    host_name: str | None = None
    """The host in `url`, such as one that a certificate is made for; None: that of `host`."""
    requests: list[RecordedRequest] = field(default_factory=list, init=False, repr=False)
    """What came in, oldest first, refused requests included; clear it as you like."""
    token_requests: list[RecordedRequest] = field(default_factory=list, init=False, repr=False)
    """What came in at the token endpoint, likewise."""
    tokens: dict[str, float] = field(default_factory=dict, init=False, repr=False)
    """Those that were granted, and until when each is valid, by `time.monotonic()`."""
    taken: list[float] = field(default_factory=list, init=False, repr=False)
    """When lookups of the last second were taken, if their number is limited; likewise."""


@dataclass(frozen=True)
class Reply:
    """What goes back to the client, and how (`delivery`)."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    delivery: Delivery = "whole"


def make_reply(
    status: int,
    body: bytes | Mapping[str, Any],
    headers: Mapping[str, str] | None = None,
    delivery: Delivery = "whole",
) -> Reply:
    """Return a reply; see `Simulator.answer`."""
    all_headers = dict(headers or {})
    if "content-type" not in map(str.lower, all_headers):
        all_headers["Content-Type"] = "application/json"
    content = body if isinstance(body, bytes) else to_json(body)
    return Reply(status, all_headers, content, delivery)


def to_json(value: Mapping[str, Any], indent: int | None = None) -> bytes:
    """Return JSON in UTF-8. A lone surrogate cannot be UTF-8: it becomes its escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace")


def parse_json(body: bytes) -> Any:
    """Read a body as JSON; None if it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


Answered = tuple[RecordedRequest, Reply]
"""A request with what became of it, and its reply."""
Refusal = tuple[int, tuple[str, str], str]
"""Status, shape of the body, reason."""


def look_up(request: RecordedRequest, gateway: Gateway, ask: Callable[[str], Reply]) -> Answered:
    """Refuse a lookup, or `ask` PS7."""
    for refusal in _check_lookup(request, gateway):
        return _refused(request, *refusal)
    context_id = _upstream_id(request.json)
    return replace(request, upstream_id=context_id), ask(context_id)


def grant_token(request: RecordedRequest, gateway: Gateway) -> Answered:
    """Refuse a request, or grant a token for as long as it asks for and the simulator allows."""
    for refusal in _check_token(request, gateway):
        return _refused(request, *refusal)
    seconds, now = min(int(_seconds(request)), gateway.token_seconds), time.monotonic()
    for token in [token for token, over_at in gateway.tokens.items() if over_at <= now]:
        del gateway.tokens[token]
    token = secrets.token_urlsafe(24)
    gateway.tokens[token] = now + seconds
    answer = {
        "AccessToken": token,
        "ApplyType": "Bearer",
        "CreateTime": str(int(time.time())),
        "Expires": str(seconds),
        "Scope": "default",
        "AppKey": request.json["app_key"],
        "UserID": "simulator",
    }
    return request, make_reply(200, answer)


def _refused(
    request: RecordedRequest, status: int, shape: tuple[str, str], reason: str
) -> Answered:
    body = dict(zip(shape, (str(status), reason), strict=True))
    return replace(request, refusal=reason), make_reply(status, body, _HEADERS.get(status))


def _check_lookup(request: RecordedRequest, expected: Gateway) -> Iterator[Refusal]:
    """Yield refusals, in a gateway's order: the way first, then who asks, then what they ask for.

    The first one is what counts: what is checked below it may not even be there.
    """
    username, password, api_key, app_key, authorization = map(request.headers.get, SECRET_HEADERS)
    if request.path.partition("?")[0] != PATH:
        yield 404, _GATEWAY, "no such path"
    if request.method != METHOD:
        yield 405, _GATEWAY, "only POST is served here"
    given = username and password
    if not (given and _agree((username, expected.username), (password, expected.password))):
        yield 401, _INTERFACE, "userName or password is missing or wrong"
    if not _agree((api_key, expected.api_key), (app_key, expected.app_key)):
        yield 401, _GATEWAY, "x-itau-apikey or x-app-key is missing or wrong"
    scheme, _, token = (authorization or "").partition(" ")
    holds = scheme == "Bearer" and expected.tokens.get(token, 0.0) > time.monotonic()
    if expected.app_secret is not None and not holds:
        yield 401, _GATEWAY, "Authorization has no token, or one that does not hold"
    yield from _check_json(request, _INTERFACE)
    context_id = request.json.get("contextId")
    if not isinstance(context_id, str) or not context_id.strip():
        yield 400, _INTERFACE, "contextId is missing or no text"
    if expected.requests_per_second is not None:
        now = time.monotonic()
        expected.taken[:] = [at for at in expected.taken if now - at < 1]
        if len(expected.taken) >= expected.requests_per_second:
            yield 429, _GATEWAY, "too many requests in this second"
        expected.taken.append(now)


def _check_token(request: RecordedRequest, expected: Gateway) -> Iterator[Refusal]:
    """Yield refusals: what is readable first, then who asks."""
    if request.method != METHOD:
        yield 405, _GATEWAY, "only POST is served here"
    yield from _check_json(request, _GATEWAY)
    app = [request.json.get(name) for name in ("app_key", "app_secret")]
    if not all(isinstance(value, str) and value for value in app):
        yield 400, _GATEWAY, "app_key or app_secret is missing or no text"
    seconds, most = _seconds(request), TOKEN_MOST_SECONDS
    if not (re.fullmatch("[0-9]{1,4}", seconds) and 1 <= int(seconds) <= most):
        yield 400, _GATEWAY, f"{_SECONDS_HEADER} is no number of seconds from 1 to {most}"
    if not _agree((app[0], expected.app_key), (app[1], expected.app_secret)):
        yield 401, _GATEWAY, "app_key or app_secret is wrong"


def _check_json(request: RecordedRequest, shape: tuple[str, str]) -> Iterator[Refusal]:
    media_type = request.headers.get("Content-Type", "").partition(";")[0]
    if media_type.strip().lower() != "application/json":
        yield 400, shape, "the Content-Type is not application/json"
    if not isinstance(request.json, dict):
        yield 400, shape, "the body is no JSON object"


def _agree(*pairs: tuple[str | None, str | None]) -> bool:
    """Whether what was sent is what is expected, pair by pair; None expects anything."""
    return all(expected in (None, sent) for sent, expected in pairs)


def _seconds(request: RecordedRequest) -> str:
    return request.headers.get(_SECONDS_HEADER, "600")


def _upstream_id(body: Mapping[str, Any]) -> str:
    """Return the contextId that goes on to PS7: as it came if `encoded` is 0, else in Base64."""
    context_id: str = body["contextId"]
    if str(body.get("encoded")) == "0":
        return context_id
    return base64.b64encode(context_id.encode("utf-8", "surrogatepass")).decode()


def page(method: str, path: str, host: str, gateway: Gateway) -> Reply | None:
    """Return the page that is asked for; None if the simulator has no such page.

    A browser's page whose name leads here (DNS rebinding) sees what came in under no name but ours.
    """
    if path in {"/", "/requests"} and not _is_ours(host, gateway):
        return make_reply(403, to_json({"error": "this page has another name"}))
    if (method, path) == ("GET", "/"):
        shown: dict[str, Any] = {
            "service": "PS7 simulator",
            "lookup": f"{METHOD} {PATH}",
            "token": f"{METHOD} {TOKEN_PATH}, if there is an app secret",
            "requests": "GET /requests shows what came in, DELETE /requests forgets it",
            "personas": [_name(who, slots=who.slots) for who in PERSONAS.values()],
            "faults": [
                _name(each, outcome=each.outcome, reason=each.reason) for each in FAULTS.values()
            ],
        }
    elif path == "/requests" and method in {"GET", "DELETE"}:
        if method == "DELETE":
            gateway.requests.clear()
            gateway.token_requests.clear()
        shown = {
            "requests": [_show(request) for request in gateway.requests],
            "tokenRequests": [_show(request) for request in gateway.token_requests],
        }
    else:
        return None
    return make_reply(200, to_json(shown, indent=2) + b"\n")


def _is_ours(host: str, gateway: Gateway) -> bool:
    """Whether a `Host` is an address, or a name that the simulator was given."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return bool(ip_address(name))
    except ValueError:
        return name in {"localhost", gateway.host, gateway.host_name}


def _name(one: Persona | Fault, **more: object) -> dict[str, Any]:
    return {"name": one.name, "contextId": one.context_id, "title": one.title, **more}


def _show(request: RecordedRequest) -> dict[str, Any]:
    """Return what a person may see of a request: of secrets only whether they came along."""
    body = request.json if isinstance(request.json, dict) else {}
    return {
        "method": request.method,
        "path": request.path,
        "status": request.status,
        "refusal": request.refusal,
        "contextId": body.get("contextId"),
        "encoded": body.get("encoded"),
        "upstreamId": request.upstream_id,
        "correlationId": request.headers.get("x-itau-correlationID"),
        "flowId": request.headers.get("x-itau-flowID"),
        "present": {name: name in request.headers for name in SECRET_HEADERS},
    }
