"""`PS7Client.lookup()` against the simulator: who comes out, which error, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import LookupFailed, PS7Client, PS7Settings, Reason, telemetry
from actions.ps7.lookup.client import Lookup
from actions.ps7.testing import PERSONAS, Simulator
from tests.support.log import Log
from tests.support.simulator_client import own_simulator

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

GOOD = b'{"code": "0", "payload": {"u_ag": "0341"}}'


def settings_for(url: str, **more: Any) -> PS7Settings:  # noqa: ANN401 - any setting
    """Return settings that lead to a server on this machine, with limits that no busy one meets."""
    required = {"base_url": url, "username": "simulator", "password": "simulator"}
    required |= dict.fromkeys(("deadline", "connect_timeout", "read_timeout"), "50")
    return PS7Settings(**{**required, "seal_keys": [Fernet.generate_key().decode()], **more})


ps7 = pytest.fixture(own_simulator)


@pytest.fixture
async def client(ps7: Simulator) -> AsyncIterator[PS7Client]:
    """Return a client of the simulator."""
    async with PS7Client(settings_for(ps7.url)) as ours:
        yield ours


async def failure_of(client: PS7Client, context_id: str = "C1") -> LookupFailed:
    """Look a contextId up and give the error."""
    with pytest.raises(LookupFailed) as caught:
        await client.lookup(context_id)
    return caught.value


async def test_many_lookups_at_once_give_each_their_own_customer(client: PS7Client) -> None:
    """No answer ends up with another customer; each persona has the values that it names."""
    everyone = [*PERSONAS.values()] * 5
    customers = await asyncio.gather(*(client.lookup(who.context_id) for who in everyone))
    for customer, who in zip(customers, everyone, strict=True):
        known = vars(customer)
        assert {name: known.get(name, value) for name, value in who.slots.items()} == who.slots


# What a lookup looks like from outside


async def test_a_lookup_has_its_report_and_what_ps7_answered(
    ps7: Simulator, client: PS7Client
) -> None:
    """The answer to the last request; one before it does not explain the end. Its repr is safe."""
    body = GOOD.replace(b'"u_ag": "0341"', b'"u_cc": "00123456"')
    ps7.answer("C1", body=body)
    lookup = await client.ask("C1", correlation_id="c-1")
    report = lookup.report
    assert (str(report.reason), report.status, report.correlation_id) == ("ok", 200, "c-1")
    assert lookup.answer is not None
    assert lookup.answer.body == body
    assert "00123456" not in repr(lookup), "long enough for no time to hold it"
    ps7.script("C1", ["http-503", "reset"])
    lookup = await client.ask("C1")
    assert (lookup.report.reason, lookup.report.attempts) == (Reason.CONNECTION_LOST, 3)
    assert lookup == Lookup(lookup.report)


async def test_an_expiry_that_was_not_expected_is_warned_of_once_a_process(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """Each problem, by the form of what PS7 sent and without its value."""
    monkeypatch.setattr(telemetry, "_expiry_problems", set())
    for expire_in in (0, -5, "2021-03-21", "2020-01-01", "soon", [60], None, 60):
        ps7.answer("C1", body={"expireIn": expire_in, "payload": {"u_ag": "0341"}})
        async with PS7Client(settings_for(ps7.url)) as client:
            await client.lookup("C1")
    assert [line for line in log() if not line.startswith("INFO")] == [
        f"WARNING PS7 sent an expireIn that {problem}: PS7_MAX_AGE applies instead"
        for problem in ("is 0 or less (9)", "is past (9999-99-99)", "cannot be read (aaaa)")
    ]
