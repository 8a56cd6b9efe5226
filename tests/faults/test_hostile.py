"""A channel or a server that means harm: the log stays one clean line for each lookup."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actions.ps7.testing import Simulator
from tests.faults.conftest import Turn
from tests.faults.ending import CUSTOMER, LINE, silent
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS, SENDER_ID, found
from tests.faults.watch import Watch
from tests.host.loopback import Server, http

FORGED = (
    "x\r\nINFO actions.ps7 PS7 lookup: outcome=ok",
    "x\x1b[2K\x1b[32moutcome=ok\x1b[0m",
    "x\x00\x07\x85\u2028y",
    "x\u202eko=emoctuo",
    "x outcome=ok reason=ok",
    "${jndi:ldap://127.0.0.1/a}",
)
"""Texts that would be a line of their own in a log, repaint a terminal, or add to a line."""
every_text = pytest.mark.parametrize("text", FORGED, ids=ascii)


def clean(watch: Watch) -> None:
    """Find one line of a lookup, and in no line anything but what can be printed."""
    (line,) = watch.lines(logging.INFO)
    assert len(line) < 200
    assert all(each.isprintable() for each in (line, *watch.lines(logging.WARNING)))
    assert watch.lines(logging.ERROR) == []
    said = watch.said()
    assert not any(text in said for text in FORGED)


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Stand in for PS7."""
    async with Simulator(**CREDENTIALS) as simulator:
        yield simulator


@pytest.mark.parametrize("text", [*FORGED, "\ud800", "x" * 2**20], ids=lambda text: ascii(text)[:9])
async def test_a_context_id_that_means_harm(
    turn: Turn, watch: Watch, ps7: Simulator, text: str
) -> None:
    """It is refused, or sent to PS7 as it is, which does not know it; it is logged nowhere."""
    slots = await turn(ps7.environment, {"contextId": text})

    sent = [request.json["contextId"] for request in ps7.requests]
    assert (slots["ps7_status"], sent) in (("rejected", [text]), ("invalid", []))
    clean(watch)
    assert text not in watch.said()


@every_text
async def test_companions_that_mean_harm(
    turn: Turn, watch: Watch, ps7: Simulator, text: str
) -> None:
    """They are not taken: PS7 gets an id of the plugin's instead, and so does the log."""
    beside = dict.fromkeys(("correlationId", "flowId", "encoded"), text)
    slots = await turn(ps7.environment, {"contextId": "ana", **beside})

    assert slots["ps7_status"] == "ok"
    assert LINE.fullmatch(watch.lines(logging.INFO)[0])
    assert text not in str(dict(ps7.requests[0].headers))
    clean(watch)


@every_text
@pytest.mark.parametrize("status", [200, 503])
async def test_an_answer_that_means_harm(
    turn: Turn, watch: Watch, ps7: Simulator, status: int, text: str
) -> None:
    """In the message, the code, the names and the values of fields: a warning names fields only."""
    names = ("message", "key", "expireIn", "decodedContextId", "resultDesc", text)
    payload = {text: text, "u_cpf": text, "u_id": text, "u_dseg": text, "u_dsok": text}
    body: dict[str, Any] = {**dict.fromkeys(names, text), "payload": payload}
    ps7.answer(CONTEXT_ID, status=status, body=body)

    slots = await turn(ps7.environment)

    if slots["ps7_status"] == "ok":
        warnings = " ".join(watch.lines(logging.WARNING))
        assert all(name in warnings for name in ("u_cpf", "u_id", "u_dseg"))
    clean(watch)
    silent(watch, ps7)


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
}


@pytest.mark.parametrize("app", [{}, {"APP_SECRET": APP_SECRET}], ids=["PS7", "token endpoint"])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
async def test_a_server_that_sends_our_secrets_back(
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
    clean(watch)
    assert found([*SECRETS, SENDER_ID], watch.said()) == []
