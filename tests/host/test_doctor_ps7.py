"""`rasa-ps7 doctor` at PS7: settings, token, credentials, path, health, clock. One fault each."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from actions.ps7.api.wire import PATH
from actions.ps7.cli.command import main
from actions.ps7.testing import Simulator
from tests.host.doctor_servers import (
    BY_HTTP,
    CLOCK,
    HTTP,
    LOGIN,
    REACHED,
    SECRETS,
    SETTINGS,
    TIME,
    WELL,
    Case,
    answering,
    bare_machine,
    judge,
    nowhere,
    simulated,
    summary,
)
from tests.host.loopback import http

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["bare_machine"]


def http_case(name: str, pieces: bytes, said: str, *, clock: bool = False) -> Case:
    """Make a case in which PS7 answers otherwise, by http, and one error is found."""
    expected = BY_HTTP + said + (CLOCK if clock else "") + summary(1, 1)
    return Case(name, ("http", name), answering(pieces), expected)


CHECK_SERVER = (
    "           Check host and port of PS7_BASE_URL: something else than PS7 stands there, such "
    "as a login page, a portal or another gateway.\n"
)
DOWN = "tell whoever runs PS7; the bot's turns end in `unavailable` meanwhile"
DATED = format_datetime(datetime.now(timezone.utc) - timedelta(hours=1), usegmt=True)

CASES = [
    Case("well", ("http",), simulated(), BY_HTTP + WELL + CLOCK + summary(0, 1), code=0),
    Case(
        "token-well",
        ("http",),
        simulated(app_key="planted-key", app_secret="planted-secret"),
        BY_HTTP
        + """\
  ok       the token endpoint takes PS7_APP_KEY and PS7_APP_SECRET
"""
        + WELL
        + CLOCK
        + summary(0, 1),
        code=0,
        settings={"PS7_APP_KEY": "planted-key", "PS7_APP_SECRET": "planted-secret"},
    ),
    Case(
        "token-refused",
        ("http", "token-refused"),
        simulated(app_key="planted-key", app_secret="planted-secret"),
        BY_HTTP
        + """\
  error    the token endpoint refuses PS7_APP_KEY or PS7_APP_SECRET (HTTP 401)
           Check both: they are the access key and the secret key of the app at API Fabric.
  skipped  PS7 itself, until this is repaired
"""
        + summary(1, 1),
        settings={"PS7_APP_KEY": "planted-key", "PS7_APP_SECRET": "planted-other"},
    ),
    Case(
        "token-unavailable",
        ("http", "token-unavailable"),
        simulated(),
        BY_HTTP
        + """\
  error    the token endpoint does not answer as it should (HTTP 404)
           Check that the host of PS7_BASE_URL serves /apigovernance/api/oauth/tokenByAkSk; if \
the gateway wants no token, remove PS7_APP_SECRET.
  skipped  PS7 itself, until this is repaired
"""
        + summary(1, 1),
        settings={"PS7_APP_KEY": "planted-key", "PS7_APP_SECRET": "planted-secret"},
    ),
    Case(
        "ps7-credentials",
        ("http", "ps7-credentials"),
        simulated(),
        BY_HTTP
        + """\
  error    PS7 refuses the credentials (HTTP 401)
           Check PS7_USERNAME and PS7_PASSWORD, and whether the gateway wants PS7_API_KEY, \
PS7_APP_KEY or a token (PS7_APP_SECRET); PS7 says the same of services not bought and of an \
account that is not in order.
"""
        + CLOCK
        + summary(1, 1),
        settings={"PS7_PASSWORD": "planted-other"},
    ),
    http_case(
        "ps7-forbidden",
        http(status="403 Forbidden"),
        """\
  error    the gateway forbids the call (HTTP 403)
           Have this machine's address and your app allowed at the gateway; the credentials \
themselves may be right.
""",
    ),
    http_case(
        "ps7-path",
        http(b"<html>", status="404 Not Found"),
        """\
  error    the host answers, and has nothing at the path of PS7 \
(/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos) (HTTP 404)
           Check host and port of PS7_BASE_URL, and that the interface chat_itau_contextos is \
published there.
""",
    ),
    http_case(
        "ps7-down",
        http(status="503 Service Unavailable"),
        f"""\
  error    PS7 is out of order behind its gateway (HTTP 503)
           T{DOWN[1:]}.
""",
    ),
    http_case(
        "ps7-redirect",
        http(b"", "Location: http://127.0.0.1:9/planted", status="302 Found"),
        """\
  error    the answer leads to another address, which is not followed: the credentials would go \
there too (HTTP 302)
           Write the address of PS7 itself into PS7_BASE_URL.
""",
    ),
    http_case(
        "ps7-other",
        http(b"<html>planted</html>"),
        "  error    the answer is not JSON, as PS7's is (HTTP 200)\n" + CHECK_SERVER,
    ),
    http_case(
        "ps7-other", b"planted\r\n\r\n", "  error    the answer is not HTTP\n" + CHECK_SERVER
    ),
    http_case(
        "clock",
        http(b'{"code": "1"}', f"Date: {DATED}"),
        WELL
        + """\
  error    the clock of this machine is N s ahead of that of PS7's server
           Keep it right with NTP: when a context ends, and which arrival tokens count, depends on \
it.
""",
    ),
    Case(
        "ps7-anybody",
        ("http", "ps7-anybody"),
        answering(http(b'{"code": "0", "payload": {"u_ag": "0341"}}')),
        BY_HTTP
        + """\
  warning  PS7 names a customer for a contextId that nobody has
           Check that PS7_BASE_URL is no stub that answers everybody alike.
"""
        + summary(0, 2),
        code=0,
    ),
    Case(
        "ps7-silent",
        ("http", "ps7-silent"),
        answering(b"", pause=9),
        SETTINGS
        + HTTP
        + TIME.replace("twice", "3 times").replace("TIMEOUT 2", "TIMEOUT 0.2")
        + REACHED
        + f"""\
  error    PS7 takes the request and does not answer within PS7_READ_TIMEOUT
           T{DOWN[1:]}; if it is only slow, raise PS7_READ_TIMEOUT and PS7_DEADLINE.
"""
        + summary(1, 1),
        settings={"PS7_READ_TIMEOUT": "0.2"},
    ),
    Case(
        "ps7-dripping",
        ("http", "ps7-silent"),
        answering(b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 99, pause=0.1),
        SETTINGS
        + HTTP
        + TIME.replace(
            "silent is asked twice within 4 s", "silent is asked once within 0.4 s"
        ).replace("TIMEOUT 2", "TIMEOUT 0.3")
        + REACHED
        + f"""\
  error    PS7 takes the request and does not answer within PS7_DEADLINE
           T{DOWN[1:]}; if it is only slow, raise PS7_READ_TIMEOUT and PS7_DEADLINE.
"""
        + summary(1, 1),
        settings={
            "PS7_READ_TIMEOUT": "0.3",
            "PS7_DEADLINE": "0.4",
            "PS7_CONNECT_TIMEOUT": "0.3",
        },
    ),
    Case(
        "settings-bad",
        ("settings-bad", "settings-missing", "settings-bad", "settings-unknown", "settings-quotes"),
        nowhere("cec.example.com"),
        """\
Settings
  error    PS7_BASE_URL cannot be used; it expects scheme, host and port of PS7, such as \
https://cec.example.com; http is for a loopback host only
           Write scheme, host and port alone, without a path, a user or a query.
  error    PS7_USERNAME is missing; it expects a text of printable characters
           Set it in the environment of the action server, in .env in the folder where that \
starts, or as a file of that name in the folder of PS7_SECRETS_DIR.
  error    PS7_SEAL_KEYS cannot be used; it expects a JSON list of Fernet keys, newest first
           `rasa-ps7 key` makes what it expects.
  warning  PS7_USER is no variable of this plugin and changes nothing
           Did you mean PS7_USERNAME? Rename it, or remove it.
  warning  PS7_PASSWORD stands in quotes, and they are taken as a part of it
           Write the value without them: `docker run --env-file` and Kubernetes keep quotes.

Network
  skipped  DNS, TCP, TLS and PS7 itself, until this is repaired
"""
        + summary(3, 2),
        settings={
            "PS7_USERNAME": "",
            "PS7_USER": "planted-user",
            "PS7_SEAL_KEYS": "planted",
            "PS7_PASSWORD": "'planted'",
        },
    ),
    Case(
        "settings-odd",
        ("seal-keys-unset", "arrival-keys-unset", "app-key-unset", "http", "time"),
        simulated(),
        """\
Settings
  ok       every setting is usable; PS7 is URL
  warning  PS7_SEAL_KEYS is not set: each action server makes a key of its own at start
           Make one with `rasa-ps7 key` and give all action servers the same: else customers are \
looked up again after a restart, and several servers cannot serve one conversation.
  warning  PS7_ARRIVAL_KEYS is not set: whoever can post to the channel can send any contextId
           Let the back-end that opens the chat sign it, unless the channel is closed to all \
others: docs/security.md.
  warning  PS7_APP_SECRET is set and PS7_APP_KEY is not: no token is fetched
           Set PS7_APP_KEY as well, or remove the secret.
"""
        + HTTP
        + """\
  warning  PS7_READ_TIMEOUT (5 s) leaves no time within PS7_DEADLINE (4 s): a PS7 that is silent \
is asked once, and never PS7_ATTEMPTS (3) times
           At most half of PS7_DEADLINE lets it be asked again.
"""
        + REACHED
        + WELL
        + CLOCK
        + summary(0, 5),
        code=0,
        settings={
            "PS7_SEAL_KEYS": "",
            "PS7_ARRIVAL_KEYS": None,
            "PS7_APP_SECRET": "planted",
            "PS7_READ_TIMEOUT": "5",
        },
    ),
]


@pytest.mark.usefixtures("bare_machine")
async def test_ps7_is_asked_once_for_somebody_who_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another one each time, and what it is asked for is not shown."""
    async with Simulator(username="planted-user", password="planted-password") as ps7:
        for name, value in {**SECRETS, "PS7_BASE_URL": ps7.url}.items():
            monkeypatch.setenv(name, value)
        for _ in range(2):
            assert await asyncio.to_thread(main, ["doctor", "--json"]) == 0
    first, second = ps7.requests
    assert (first.method, first.path, first.status) == ("POST", PATH, 200)
    assert (first.headers["userName"], first.headers["password"]) == LOGIN
    assert list(first.json) == ["contextId"]
    asked = [request.json["contextId"] for request in (first, second)]
    assert all(re.fullmatch("rasa-ps7-doctor-[0-9a-f]{32}", context_id) for context_id in asked)
    assert asked[0] != asked[1]
    assert "rasa-ps7-doctor-" not in capsys.readouterr().out


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_fault_is_named_and_nothing_else(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word for word; the exit code says whether there is one, and no secret is shown."""
    await judge(case, tmp_path, monkeypatch, capsys)
