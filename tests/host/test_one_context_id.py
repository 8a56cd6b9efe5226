"""One contextId keeps nobody else out; a PS7 that is away, or refuses us, is soon left alone.

What counts and what a probe decides is tested in plain values (`tests/unit/test_breaker.py`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from actions.ps7 import CustomerContext, LookupFailed, Outcome, PS7Client
from actions.ps7.testing import BackgroundSimulator
from tests.host.test_client import settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

PROBE = "ps7-probe-"
OTHERS = ["ana", "diego"] * 5
KEYS = {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}
every_fault = pytest.mark.parametrize("fault", ["http-401", "http-503", "slow"])


@pytest.fixture
def ps7() -> Iterator[BackgroundSimulator]:
    """Return a PS7 that is well."""
    with BackgroundSimulator() as running:
        yield running


def client_of(ps7: BackgroundSimulator, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    """Return a client that does not wait for long; all else is as it is by default."""
    quick = {"deadline": 0.4, "read_timeout": 0.2, "breaker_reset": 0.4}
    return PS7Client(settings_for(ps7.url, **{**quick, **settings}))


async def look_up(client: PS7Client, context_id: str) -> CustomerContext | LookupFailed:
    try:
        return await client.lookup(context_id)
    except LookupFailed as failure:
        return failure


async def until(client: PS7Client, reason: str) -> None:
    """Look up until a lookup ends like this; half a minute at most."""
    began, ended = time.monotonic(), ""
    while ended != reason:
        assert time.monotonic() < began + 30, ended
        end = await look_up(client, "ana")
        ended = end.reason.value if isinstance(end, LookupFailed) else "ok"
        await asyncio.sleep(0.05)  # as people take a while


def probes(ps7: BackgroundSimulator) -> list[str]:
    names = [str(request.json["contextId"]) for request in ps7.requests]
    return [name for name in names if name.startswith(PROBE)]


async def asked(ps7: BackgroundSimulator) -> None:
    """Wait for a probe."""
    while not probes(ps7):  # noqa: ASYNC110 - a simulator in a thread has no event of it
        await asyncio.sleep(0.01)


@every_fault
async def test_a_ps7_that_is_away_is_soon_left_alone_and_found_again(
    ps7: BackgroundSimulator, fault: str, said: pytest.LogCaptureFixture
) -> None:
    """The requests of five lookups and a probe, then turns take no time; a probe finds PS7 again.

    A wrong password costs two of them. The default of three attempts holds for each lookup.

    It looks like a lookup to PS7, by a contextId that is made up anew each time, and has a line of
    its own.
    """
    async with client_of(ps7) as client:
        with ps7.failing(fault):
            await until(client, "circuit_open")
            most = {"http-401": 2, "http-503": 24, "slow": 16}[fault]
            assert (len(ps7.requests) <= most, len({*probes(ps7)})) == (True, 1)
            sent = len(ps7.requests)
            refused = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
            assert len(ps7.requests) == sent
        outcome = Outcome.DENIED if fault == "http-401" else Outcome.UNAVAILABLE
        assert {
            (str(each), each.outcome) for each in refused if isinstance(each, LookupFailed)
        } == {("circuit_open", outcome)}
        await until(client, "ok")
    names = {*probes(ps7)}
    assert {len(name) for name in names} == {len(PROBE) + 32}
    own = [text for text in said.messages if text.startswith("PS7 probe: ")]
    assert len(own) == len(names)
    assert "outcome=rejected reason=failure_code status=200 attempts=1 ms=" in own[-1]
    assert not any(name in said.text for name in names)


async def test_a_token_request_that_hung_before_the_probe_does_not_open_the_circuit() -> None:
    """All lookups waited for it until their deadline. The probe waits for one of its own."""
    with BackgroundSimulator(app_key=KEYS["app_key"], app_secret=KEYS["app_secret"]) as ps7:
        ps7.token_answer(200, delivery="held")
        async with client_of(ps7, read_timeout=100, **KEYS) as client:
            waiting = [asyncio.create_task(look_up(client, name)) for name in OTHERS]
            while not ps7.token_requests:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            ps7.token_answer(None)
            assert {str(end) for end in await asyncio.gather(*waiting)} == {"deadline"}
            await asked(ps7)
            assert isinstance(await look_up(client, "ana"), CustomerContext)


async def test_a_client_that_is_closed_ends_its_probe_without_a_word(
    ps7: BackgroundSimulator, said: pytest.LogCaptureFixture
) -> None:
    """What it was asked for is over."""
    with ps7.failing("slow"):
        async with client_of(ps7, attempts=1, breaker_failures=1) as client:
            while not probes(ps7):
                await look_up(client, "ana")
    assert not [text for text in said.messages if text.startswith("PS7 probe")]
    assert len(asyncio.all_tasks()) == 1
