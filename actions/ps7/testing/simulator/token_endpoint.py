"""The gateway's token endpoint: what it checks, and what it answers.

Source: Huawei Cloud CEC API reference, "C1 System Configuration Interface Authentication". As in
`gateway`, path and names are written down here a second time on purpose.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from .gateway import (
    GATEWAY_SHAPE,
    Check,
    Credentials,
    check,
    is_an_object,
    is_the_method,
    says_json,
)
from .reply import make_reply

if TYPE_CHECKING:
    from .recorded import RecordedRequest
    from .reply import Reply

PATH = "/apigovernance/api/oauth/tokenByAkSk"
SECONDS_HEADER = "X-Token-Expire"
MOST_SECONDS = 3600
_USUAL_SECONDS = "600"
_SECRETS = ("app_key", "app_secret")


def serve(
    request: RecordedRequest, credentials: Credentials, most_seconds: int
) -> tuple[RecordedRequest, Reply]:
    """Refuse a request, or give a token for as long as it asks for and `most_seconds` allow.

    The request comes back with what became of it.
    """
    refusal = check(request, credentials, _CHECKS)
    if refusal is not None:
        return replace(request, refusal=refusal.reason), refusal.reply
    seconds = min(int(_seconds(request)), most_seconds)
    answer = {
        "AccessToken": credentials.tokens.give(seconds),
        "ApplyType": "Bearer",
        "CreateTime": str(int(time.time())),
        "Expires": str(seconds),
        "Scope": "default",
        "AppKey": request.json["app_key"],
        "UserID": "simulator",
    }
    return request, make_reply(200, answer)


def _seconds(request: RecordedRequest) -> str:
    return request.headers.get(SECONDS_HEADER, _USUAL_SECONDS)


def _is_no_longer_than_allowed(request: RecordedRequest, _: Credentials) -> bool:
    text = _seconds(request)
    return re.fullmatch("[0-9]{1,4}", text) is not None and 1 <= int(text) <= MOST_SECONDS


def _names_an_app(request: RecordedRequest, _: Credentials) -> bool:
    values = [request.json.get(name) for name in _SECRETS]
    return all(isinstance(value, str) and value for value in values)


def _is_the_app(request: RecordedRequest, credentials: Credentials) -> bool:
    return credentials.accept_app(*(request.json[name] for name in _SECRETS))


_CHECKS: tuple[Check, ...] = (
    (is_the_method, 405, GATEWAY_SHAPE, "only POST is served here"),
    (says_json, 400, GATEWAY_SHAPE, "the Content-Type is not application/json"),
    (is_an_object, 400, GATEWAY_SHAPE, "the body is no JSON object"),
    (_names_an_app, 400, GATEWAY_SHAPE, "app_key or app_secret is missing or no text"),
    (
        *(_is_no_longer_than_allowed, 400, GATEWAY_SHAPE),
        f"{SECONDS_HEADER} is no number of seconds from 1 to {MOST_SECONDS}",
    ),
    (_is_the_app, 401, GATEWAY_SHAPE, "app_key or app_secret is wrong"),
)
"""In the order of checking: what is readable first, then who asks."""
