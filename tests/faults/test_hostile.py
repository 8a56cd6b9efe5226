"""A channel or a server that means harm: the log stays one clean line for each lookup."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from actions.ps7.testing import Simulator
from tests.faults.conftest import DEADLINE, Bot
from tests.faults.ending import CUSTOMER, LINE, silent, turn
from tests.faults.fuzzing import HOSTILE, MEGABYTE
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS, SENDER_ID, found
from tests.faults.watch import Watch
from tests.host.loopback import Server, http
from tests.support.dialogue import LOOK_UP

FORGED = (
    "x\nINFO actions.ps7 PS7 lookup: outcome=ok",
    "x\r\nPS7 lookup: outcome=ok",
    "x\x1b[2K\x1b[32moutcome=ok\x1b[0m",
    "x\x00\x07\x08y",
    "x\x85y",
    "x\u2028y\u2029z",
    "x\u202eko=emoctuo",
    "x outcome=ok reason=ok",
)
"""Texts that would be a line of their own in a log, repaint a terminal, or add to a line."""


def named(text: str) -> str:
    """Name a test after the text it is about, which may be long."""
    return ascii(text)[:40]


def clean(watch: Watch) -> None:
    """Find one line of a lookup, and in no line anything but what can be printed."""
    (line,) = watch.lines
    assert line.isprintable()
    assert len(line) < 200
    assert all(text.isprintable() for text in watch.warnings)
    said = watch.said()
    assert not any(text in said for text in FORGED)


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Stand in for PS7."""
    async with Simulator(**CREDENTIALS) as simulator:
        yield simulator


@pytest.mark.parametrize("text", [*FORGED, *filter(str.strip, HOSTILE), MEGABYTE], ids=named)
async def test_a_context_id_that_means_harm(
    bot: Bot, watch: Watch, ps7: Simulator, text: str
) -> None:
    """It is refused, or sent to PS7 as it is, which does not know it; it is said nowhere."""
    conversation = bot(ps7)
    await conversation.user("oi", metadata={"contextId": text})
    await conversation.run(LOOK_UP)

    if conversation.slots["ps7_status"] == "rejected":
        assert [request.json["contextId"] for request in ps7.requests] == [text]
    else:
        assert conversation.slots["ps7_status"] == "invalid"
        assert ps7.requests == []
    clean(watch)
    if len(text) > 3:
        assert text not in watch.said()


@pytest.mark.parametrize("name", ["correlationId", "flowId", "encoded"])
@pytest.mark.parametrize("text", FORGED, ids=named)
async def test_a_companion_that_means_harm(
    bot: Bot, watch: Watch, ps7: Simulator, name: str, text: str
) -> None:
    """It is not taken: PS7 gets an id of ours instead, and so does the log."""
    conversation = bot(ps7)
    await conversation.user("oi", metadata={"contextId": "ana", name: text})
    await conversation.run(LOOK_UP)

    assert conversation.slots["ps7_status"] == "ok"
    assert LINE.fullmatch(watch.lines[0])
    assert text not in str(dict(ps7.requests[0].headers))
    clean(watch)


@pytest.mark.parametrize("text", FORGED, ids=named)
@pytest.mark.parametrize("status", [200, 500, 503])
async def test_an_answer_that_means_harm(
    bot: Bot, watch: Watch, ps7: Simulator, status: int, text: str
) -> None:
    """Wherever it stands: in the message, the code, the names and the values of fields."""
    names = ("message", "code", "key", "expireIn", "decodedContextId", "resultDesc", text)
    payload = {text: text, "u_cpf": text, "u_id": text, "u_dseg": text, "u_dsok": text}
    body: dict[str, Any] = {**dict.fromkeys(names, text), "payload": payload}
    ps7.answer(CONTEXT_ID, status=status, body=body)

    await turn(bot, ps7, DEADLINE)

    clean(watch)
    silent(watch, ps7)


async def test_an_undocumented_value_that_means_harm(
    bot: Bot, watch: Watch, ps7: Simulator
) -> None:
    """The warning names the fields, and shows no value."""
    undocumented = dict.fromkeys(("u_cpf", "u_id", "u_dseg"), FORGED[0])
    ps7.answer(CONTEXT_ID, body={"code": "0", "payload": undocumented})

    await turn(bot, ps7, DEADLINE)

    (warning,) = watch.warnings
    assert all(name in warning for name in undocumented)
    clean(watch)


SECRETS = (*CREDENTIALS.values(), CUSTOMER[0], CONTEXT_ID, APP_SECRET)
_ECHO = " ".join(SECRETS).encode()
ECHOES = {
    "in the body": [http(_ECHO)],
    "in a body that is no text": [http(b'{"message": "' + _ECHO + b'\xff"}')],
    "in an error's body": [http(_ECHO, status="403 Forbidden")],
    "in a header": [http(b"{}", f"X-Echo: {SECRETS[1]}", status="503 Busy")],
    "in the status": [http(b"{}", status=f"520 {SECRETS[0]} {SECRETS[1]}")],
    "in a redirect": [http(b"", f"Location: http://127.0.0.1/?p={SECRETS[1]}", status="302 Found")],
    "instead of the status": [_ECHO + b"\r\n\r\n"],
    "instead of a header": [b"HTTP/1.1 200 OK\r\n" + _ECHO + b"\r\n\r\n"],
    "in a header's name": [b"HTTP/1.1 200 OK\r\nX(" + _ECHO + b"): 1\r\n\r\n"],
    "instead of a length": [b"HTTP/1.1 200 OK\r\nContent-Length: " + _ECHO + b"\r\n\r\n"],
    "instead of a chunk": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        _ECHO + b"\r\n",
    ],
    "in a cookie": [http(b"{}", f"Set-Cookie: p={SECRETS[1]}; Domain=%%")],
    "in what is left of a body": [http(_ECHO)[:-9]],
    "after the answer": [http(b"{}") + _ECHO],
}


@pytest.mark.parametrize("app", [{}, {"APP_SECRET": APP_SECRET}], ids=["PS7", "token endpoint"])
@pytest.mark.parametrize("where", ECHOES)
async def test_a_server_that_sends_our_secrets_back(
    bot: Bot, watch: Watch, where: str, app: dict[str, str]
) -> None:
    """HTTP and JSON libraries quote what they cannot read, and their errors hold on to it.

    None of it may be seen: in no shape, and in no error that one of ours hangs on to.
    """
    login = {f"PS7_{name.upper()}": value for name, value in CREDENTIALS.items()}
    async with Server(ECHOES[where], pause=0.05, stays=False) as server:
        ps7 = SimpleNamespace(environment={"PS7_BASE_URL": server.url, **login})
        slots = await turn(bot, ps7, DEADLINE, **app)

        assert server.heard
    assert slots["ps7_status"] in {"unavailable", "denied", "rejected"}
    clean(watch)
    assert found([*SECRETS, SENDER_ID], watch.said()) == []
