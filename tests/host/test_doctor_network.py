"""`rasa-ps7 doctor` at PS7 and on the way there, one fault each: it finds that one, no other."""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
from pathlib import Path

import pytest

from actions.ps7.api.wire import PATH
from actions.ps7.cli.command import main
from actions.ps7.testing import Simulator
from tests.host.doctor_servers import (
    IS_HTTP,
    LOGIN,
    SECRETS,
    Case,
    answering,
    bare_machine,
    behind_proxy,
    blunt,
    judge,
    nowhere,
    secured,
    simulated,
)
from tests.host.loopback import TLS_IN_TESTS, http

__all__ = ["bare_machine"]
pytestmark = TLS_IN_TESTS

NOT_ACCEPTED = "the certificate of 127.0.0.1:PORT is not accepted: it is for"
APP = {"PS7_APP_KEY": "planted-key", "PS7_APP_SECRET": "planted-secret"}
VERSIONS = [ssl.TLSVersion.TLSv1_2]
if sys.version_info >= (3, 11):  # the alert of TLS 1.3 comes after the handshake: 3.10 loses it
    VERSIONS.append(ssl.TLSVersion.TLSv1_3)


CASES = [
    Case("well", simulated(), IS_HTTP),
    Case("well-tls", secured()),
    Case(
        "token-well", simulated(app_key="planted-key", app_secret="planted-secret"), IS_HTTP, **APP
    ),
    Case(
        "token-refused",
        simulated(app_key="planted-key", app_secret="planted-other"),
        IS_HTTP,
        "error token-refused: the token endpoint refuses PS7_APP_KEY or PS7_APP_SECRET",
        **APP,
    ),
    Case(
        "ps7-credentials",
        simulated(),
        IS_HTTP,
        "error ps7-credentials: PS7 refuses the credentials (HTTP 401)",
        PS7_PASSWORD="planted-other",
    ),
    Case(
        "ps7-silent",
        answering(b"", pause=9),
        IS_HTTP,
        "error ps7-silent: PS7 takes the request and does not answer within PS7_READ_TIMEOUT",
        PS7_READ_TIMEOUT="0.2",
    ),
    # The way there
    Case("dns", nowhere("https://cec..example.com"), "error dns: the name of PS7,"),
    Case("tcp", nowhere("https://127.0.0.1:{port}"), "error tcp: no connection to PS7 at"),
    Case("tls-none", blunt(http(status="400 Bad Request")), "error tls-none: 127.0.0.1:PORT does"),
    Case("tls", blunt(b""), "error tls: the TLS handshake with 127.0.0.1:PORT fails (WORD)"),
    Case("tls-unknown-ca", secured(trusts="other"), f"error tls-unknown-ca: {NOT_ACCEPTED}"),
    *(
        Case(
            f"tls-client-wanted-{version.name}",
            secured(wants=version),
            "error tls-client-wanted: PS7 asks for a client certificate, and none is set",
        )
        for version in VERSIONS
    ),
    *(
        Case(
            f"tls-client-refused-{version.name}",
            secured(wants=version, shows="other"),
            "error tls-client-refused: PS7 does not accept the certificate in PS7_CLIENT_CERT",
        )
        for version in VERSIONS
    ),
    Case("proxy-well", behind_proxy()),
    Case("proxy-none", behind_proxy(b"SSH-2.0-OpenSSH\r\n\r\n"), "error proxy: what PS7_PROXY"),
]
"""Each kind of cause, as a real network shows it; tests/unit/test_doctor_network.py has all."""


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
async def test_the_fault_is_found_and_nothing_else(
    fault: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code says whether there is an error, and no secret is shown."""
    await judge(fault, tmp_path, monkeypatch, capsys)


@pytest.mark.usefixtures("bare_machine")
async def test_ps7_is_asked_once_for_a_customer_who_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another one each time, with a token where one is set; what it is asked for is not shown."""
    async with Simulator(
        username=LOGIN[0], password=LOGIN[1], app_key="planted-key", app_secret="planted-secret"
    ) as ps7:
        for name, value in {**SECRETS, **APP, "PS7_BASE_URL": ps7.url}.items():
            monkeypatch.setenv(name, value)
        for _ in range(2):
            assert await asyncio.to_thread(main, ["doctor", "--json"]) == 0
    first, second = ps7.requests
    assert first.headers["Authorization"].startswith("Bearer ")
    assert (first.method, first.path, first.status) == ("POST", PATH, 200)
    assert (first.headers["userName"], first.headers["password"]) == LOGIN
    assert list(first.json) == ["contextId"]
    asked = [request.json["contextId"] for request in (first, second)]
    assert all(re.fullmatch("rasa-ps7-doctor-[0-9a-f]{32}", context_id) for context_id in asked)
    assert asked[0] != asked[1]
    assert "rasa-ps7-doctor-" not in capsys.readouterr().out
