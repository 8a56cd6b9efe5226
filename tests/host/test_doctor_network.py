"""`rasa-ps7 doctor` at PS7 and on the way there, one fault each: it finds that one, no other.

Here is what a real network shows; tests/unit/test_doctor_network.py has every cause.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from actions.ps7.lookup.wire import PATH
from actions.ps7.testing import Simulator
from tests.host.loopback import TLS_IN_TESTS, Server, http
from tests.host.test_tls import Authority, Bank, Proxy
from tests.support.command import Cli
from tests.support.doctor import SECRETS, assert_found, wrong_in

pytestmark = TLS_IN_TESTS
Doctor = Callable[..., Awaitable[list[str]]]

APP = {"PS7_APP_KEY": "planted-key", "PS7_APP_SECRET": "planted-secret"}
IS_HTTP = "warning http: PS7_BASE_URL is http: credentials and customers' data are not encrypted"
CREDENTIALS = ("username", "password", "app_key", "app_secret")
NOT_FOUND = http(b'{"code": "1", "message": "context not found"}')


@pytest.fixture
def doctor(isolated: pytest.MonkeyPatch, cli: Cli) -> Doctor:
    """What runs the command here, in a thread, and returns what it finds; no secret is shown."""

    async def found(**variables: str) -> list[str]:
        for name, value in {**SECRETS, **variables}.items():
            isolated.setenv(name, value)
        code, out, err = await asyncio.to_thread(cli, "doctor --json")
        await asyncio.sleep(0.05)  # the server accepts a connection on which nothing was said
        assert (code, err) == (int('"error"' in out), "")
        for secret in ("planted", json.loads(SECRETS["PS7_SEAL_KEYS"])[0], "rasa-ps7-doctor-"):
            assert secret not in out
        return wrong_in(out)

    return found


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Yield a simulator that wants all of the credentials."""
    secrets: Any = {name: (SECRETS | APP)[f"PS7_{name.upper()}"] for name in CREDENTIALS}
    async with Simulator(**secrets) as simulator:
        yield simulator


async def test_ps7_is_asked_once_for_a_customer_who_does_not_exist(
    ps7: Simulator, doctor: Doctor
) -> None:
    """With a token where one is set; what it is asked for is not shown."""
    assert_found(await doctor(**APP, PS7_BASE_URL=ps7.url), [IS_HTTP])
    [asked] = ps7.requests
    assert asked.headers["Authorization"].startswith("Bearer ")
    assert (asked.method, asked.path, asked.status) == ("POST", PATH, 200)
    assert list(asked.json) == ["contextId"]
    assert re.fullmatch("rasa-ps7-doctor-[0-9a-f]{32}", asked.json["contextId"])


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, "token-unavailable: the token endpoint does"), (401, "token-refused: ")],
)
async def test_ps7_is_asked_once_when_it_is_out_of_order_or_refuses_the_login(
    ps7: Simulator, doctor: Doctor, status: int, error: str
) -> None:
    """However many attempts a lookup has: the first answer is what the doctor speaks of.

    Another login that is refused could lock the account.
    """
    ps7.token_answer(status)
    found = await doctor(**APP, PS7_BASE_URL=ps7.url, PS7_ATTEMPTS="3")
    assert_found(found, [IS_HTTP, f"error {error}"])
    assert len(ps7.token_requests) == 1


async def test_the_doctor_names_a_port_that_speaks_no_tls(doctor: Doctor) -> None:
    """What answers is HTTP."""
    async with Server((), greeting=NOT_FOUND) as server:
        found = await doctor(PS7_BASE_URL=f"https://127.0.0.1:{server.port}")
    assert_found(found, ["error tls-none: 127.0.0.1:"])


async def test_the_doctor_goes_the_way_of_a_lookup(doctor: Doctor, tmp_path: Path) -> None:
    """Through the proxy, with the authority that the plugin is told to trust: nothing is wrong."""
    bank, asked = Authority(tmp_path, "bank"), list[str | None]()
    context = bank.server("localhost")
    context.sni_callback = lambda _, name, __: asked.append(name)
    with Bank(context, NOT_FOUND) as server:
        async with Proxy() as proxy:
            way = {"PS7_PROXY": proxy.url, "PS7_CA_FILE": str(bank.file)}
            assert await doctor(PS7_BASE_URL=server.url(), **way) == []
    assert len(proxy.heard) == 2, "the lookup, and a look at the certificate"
    assert asked == ["localhost"] * 2
