"""The request of a lookup, exactly: from each setting and each argument."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7.api.wire import Answer, Request, build_request
from actions.ps7.settings import PS7Settings

PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
KEY = Fernet.generate_key().decode()
BODY = b'{"contextId": "123123213"}'
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "userName": "bot-user",
    "password": "bot-password",
    "x-itau-flowID": "flow-1",
}


def settings(**more: object) -> PS7Settings:
    """Return the required settings and some more, whatever the folder has in a `.env`."""
    values: dict[str, Any] = {
        "base_url": "https://cec.example.com",
        "username": "bot-user",
        "password": "bot-password",
        "seal_keys": [KEY],
        **more,
    }
    return PS7Settings(_env_file=None, **values)


def build(
    of: PS7Settings | None = None,
    context_id: str = "123123213",
    *,
    encoded: int | None = None,
    correlation_id: str | None = None,
    flow_id: str = "flow-1",
) -> Request:
    """Build a request, by default that of the documented example."""
    return build_request(
        of or settings(),
        context_id,
        encoded=encoded,
        correlation_id=correlation_id,
        flow_id=flow_id,
    )


def test_a_request_has_the_headers_that_settings_and_arguments_ask_for() -> None:
    """Exactly these, by their names on the wire."""
    url = f"https://cec.example.com{PATH}"
    assert build() == Request(url, HEADERS, BODY)
    given = settings(api_key="planted-api-key", app_key="planted-app-key")
    assert build(given, correlation_id="trail-1").headers == {
        **HEADERS,
        "x-itau-apikey": "planted-api-key",
        "x-app-key": "planted-app-key",
        "x-itau-correlationID": "trail-1",
    }


@pytest.mark.parametrize("setting", [None, 0, 1])
@pytest.mark.parametrize("argument", [None, 0, 1])
def test_encoded_is_text_in_the_body(setting: int | None, argument: int | None) -> None:
    """The argument counts before the setting, 0 included; without both it is left out."""
    request = build(settings(encoded=setting), encoded=argument)
    counts = setting if argument is None else argument
    field = "" if counts is None else f', "encoded": "{counts}"'
    assert request.body == f'{{"contextId": "123123213"{field}}}'.encode()
    assert request.headers == HEADERS


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://cec.example.com/", f"https://cec.example.com{PATH}"),
        ("https://cec.example.com:8443", f"https://cec.example.com:8443{PATH}"),
        ("http://127.0.0.1:8080", f"http://127.0.0.1:8080{PATH}"),
        ("http://[::1]:8080/", f"http://[::1]:8080{PATH}"),
        ("https://gateway.example/banco/", f"https://gateway.example/banco{PATH}"),
    ],
)
def test_the_url_is_the_base_and_the_path(base_url: str, url: str) -> None:
    """With or without a slash at the end of `PS7_BASE_URL`."""
    assert build(settings(base_url=base_url)).url == url


@given(st.text(min_size=1) | st.sampled_from(["\ud800", "a\udfffb"]))
def test_any_context_id_arrives_unchanged(context_id: str) -> None:
    """Quotes, emoji, half a character: what a JSON reader gets is what was found."""
    body = build(context_id=context_id).body
    assert json.loads(body) == {"contextId": context_id}
    assert body.isascii()


def test_requests_and_answers_do_not_show_what_they_carry() -> None:
    """Their `repr` may end up in a log or in an error report."""
    request = build(settings(api_key="api-1"), "C1", correlation_id="trail-1")
    assert repr(request) == f"Request(url='https://cec.example.com{PATH}')"
    assert repr(Answer(200, {"x": "header"}, b"body")) == "Answer(status=200)"
