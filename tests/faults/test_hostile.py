"""A server that sends our secrets back: the log stays one clean line for each lookup."""

from __future__ import annotations

import logging

import pytest

from tests.faults.conftest import Turn
from tests.faults.ending import CUSTOMER
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS, SENDER_ID, found
from tests.faults.watch import Watch
from tests.host.loopback import Server, http

pytestmark = pytest.mark.slow

SECRETS = (*CREDENTIALS.values(), CUSTOMER[0], CONTEXT_ID, APP_SECRET)
_ECHO = " ".join(SECRETS).encode()
ECHOES = {
    "in a body that is no text": http(b'{"message": "' + _ECHO + b'\xff"}'),
    "in an error's body": http(_ECHO, status="403 Forbidden"),
    "in the status": http(b"{}", status=f"520 {SECRETS[0]} {SECRETS[1]}"),
    "in a redirect": http(b"", f"Location: http://127.0.0.1/?p={SECRETS[1]}", status="302 Found"),
    "instead of a header": b"HTTP/1.1 200 OK\r\n" + _ECHO + b"\r\n\r\n",
    "instead of a length": b"HTTP/1.1 200 OK\r\nContent-Length: " + _ECHO + b"\r\n\r\n",
    "in a cookie": http(b"{}", f"Set-Cookie: p={SECRETS[1]}; Domain=%%"),
    "in a cookie's name": http(b"{}", f"Set-Cookie: {SECRETS[0]}=1"),
}


@pytest.mark.parametrize("app", [{}, {"APP_SECRET": APP_SECRET}], ids=["PS7", "token endpoint"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_no_secret_that_a_server_sends_back_is_logged(
    turn: Turn, watch: Watch, echo: bytes, app: dict[str, str]
) -> None:
    """HTTP and JSON libraries quote what they cannot read, and their errors hold on to it.

    None of it may be seen: in no shape, and in no error that one of the plugin's hangs on to.
    """
    login = {f"PS7_{name.upper()}": value for name, value in CREDENTIALS.items()}
    async with Server([echo], stays=False) as server:
        slots = await turn({"PS7_BASE_URL": server.url, **login}, **app)

        assert server.heard
    assert slots["ps7_status"] in {"unavailable", "denied", "rejected"}
    lines = watch.lines(logging.INFO)
    assert len(lines) == (2 if slots["ps7_status"] == "denied" else 1)  # and a probe
    assert all(len(line) < 200 for line in lines)
    assert all(each.isprintable() for each in (*lines, *watch.lines(logging.WARNING)))
    assert watch.lines(logging.ERROR) == []
    assert found([*SECRETS, SENDER_ID], watch.said()) == []
