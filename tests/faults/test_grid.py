"""Every fault in every phase that it can hit: how the turn ends, when, and what is said of it.

The faults are the simulator's table: a new row there is tested here by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actions.ps7.testing import FAULTS, Fault, Simulator
from tests.faults.conftest import ATTEMPTS, Turn
from tests.faults.ending import MET, End, at_every_attempt, check
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS
from tests.faults.watch import Watch
from tests.host.loopback import Server

TRANSPORT = {"connection_lost", "deadline", "read_timeout"}
"""Reasons that a socket gives: the same wherever it leads to."""
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


@pytest.fixture
async def ps7(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """Stand in for PS7, or for a gateway that wants a token; redirects lead to where nobody asks.

    With credentials that must not be seen.
    """
    async with Server([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as elsewhere:
        options = {**CREDENTIALS, **getattr(request, "param", {})}
        async with Simulator(**options, redirect_to=f"{elsewhere.url}/elsewhere") as simulator:
            yield simulator
        assert elsewhere.connections == 0


@every_fault
@pytest.mark.parametrize("passes", [False, True], ids=["at every attempt", "at the first attempt"])
async def test_a_fault_ends_the_turn_as_its_row_says(
    turn: Turn, watch: Watch, ps7: Simulator, fault: Fault, passes: bool
) -> None:
    """PS7 is asked again as often as allowed, if that may help; within the deadline."""
    ps7.script(CONTEXT_ID, [*fault.after, fault.name, *(["ana"] if passes else [])])

    slots = await turn(ps7.environment, **MET.get(fault.reason, {}))

    again = passes and fault.retried
    end = End("ok", "ok", len(fault.after) + 2) if again else at_every_attempt(fault)
    check(watch, slots, ps7, end)


@every_fault
@pytest.mark.parametrize("ps7", [{"app_secret": APP_SECRET}], indirect=True, ids=["gateway"])
async def test_a_fault_of_the_token_endpoint_ends_the_lookup(
    turn: Turn, watch: Watch, ps7: Simulator, fault: Fault
) -> None:
    """Without a token PS7 is not asked at all: the lookup ends as the token's request does."""
    redirect = {"Location": ps7.redirect_to} if "Location" in fault.headers else {}
    headers = {**fault.headers, **redirect}
    ps7.token_answer(fault.status, headers=headers, body=fault.body, delivery=fault.delivery)

    slots = await turn(ps7.environment, **MET.get(fault.reason, {}), APP_SECRET=APP_SECRET)

    check(watch, slots, ps7, without_a_token(fault))


def without_a_token(fault: Fault) -> End:
    """Return how a lookup ends that this fault keeps from having a token."""
    if fault.status in (400, 401, 403):
        return End("denied", "token_refused", 0, 1)
    asked = ATTEMPTS if fault.retried else 1
    if fault.status == 429:
        return End("unavailable", "too_many_requests", 0, asked)
    if fault.status != 200:
        return End("unavailable", "token_unavailable", 0, ATTEMPTS)
    reason = fault.reason if fault.reason in TRANSPORT else "token_unreadable"
    return End("unavailable", reason, 0, asked)
