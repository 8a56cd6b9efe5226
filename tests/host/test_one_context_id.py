"""One contextId keeps nobody else out; a PS7 that is away, or refuses us, is soon left alone.

What counts and what a probe decides is tested in plain values (`tests/unit/test_breaker.py`).
"""

from __future__ import annotations

import asyncio
import time

import pytest

from actions.ps7 import CustomerContext, LookupFailed, Outcome, PS7Client
from actions.ps7.testing import BackgroundSimulator
from tests.host.test_client import settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

PROBE = "ps7-probe-"
QUICK = {"deadline": 0.4, "read_timeout": 0.2, "breaker_reset": 0.4}


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


def probes(ps7: BackgroundSimulator) -> set[str]:
    names = {str(request.json["contextId"]) for request in ps7.requests}
    return {name for name in names if name.startswith(PROBE)}


@pytest.mark.parametrize(
    ("fault", "outcome", "most"),
    [("http-401", Outcome.DENIED, 2), ("slow", Outcome.UNAVAILABLE, 16)],
)
async def test_a_ps7_that_is_away_is_soon_left_alone_and_found_again(
    fault: str, outcome: Outcome, most: int, said: pytest.LogCaptureFixture
) -> None:
    """The requests of five lookups and a probe, then turns take no time; a probe finds PS7 again.

    A wrong password costs two of them. The default of three attempts holds for each lookup.

    It looks like a lookup to PS7, by a contextId that is made up anew each time, and has a line of
    its own.
    """
    with BackgroundSimulator() as ps7:
        async with PS7Client(settings_for(ps7.url, **QUICK)) as client:
            with ps7.failing(fault):
                await until(client, "circuit_open")
                assert len(ps7.requests) <= most
                assert len(probes(ps7)) == 1
                sent = len(ps7.requests)
                others = await asyncio.gather(*(look_up(client, name) for name in ("ana", "diego")))
                assert len(ps7.requests) == sent
            refused = {(str(each), getattr(each, "outcome", None)) for each in others}
            assert refused == {("circuit_open", outcome)}
            await until(client, "ok")
    names = probes(ps7)
    assert {len(name) for name in names} == {len(PROBE) + 32}
    own = [text for text in said.messages if text.startswith("PS7 probe: ")]
    assert len(own) == len(names)
    assert "outcome=rejected reason=failure_code status=200 attempts=1 ms=" in own[-1]
    assert not any(name in said.text for name in names)
