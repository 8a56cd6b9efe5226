"""Every fault: how the turn ends, when, and what is said of it; and one of each kind for a token.

The faults are the simulator's table: a new row there is tested here by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actions.ps7.testing import FAULTS, Fault, Simulator
from tests.faults.conftest import ATTEMPTS, Turn
from tests.faults.ending import MET, End, check
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS
from tests.faults.watch import Watch
from tests.host.loopback import Server

pytestmark = pytest.mark.slow

OF_THE_TOKEN_ENDPOINT = {
    "http-401": End("denied", "token_refused", 0, 1),
    "http-429": End("unavailable", "too_many_requests", 0, ATTEMPTS),
    "http-302": End("unavailable", "token_unavailable", 0, ATTEMPTS),
    "http-503": End("unavailable", "token_unavailable", 0, ATTEMPTS),
    "slow": End("unavailable", "read_timeout", 0, ATTEMPTS),
    "drip": End("unavailable", "deadline", 0, 1),
    "too-large": End("unavailable", "token_unreadable", 0, 1),
}
"""One fault of each kind, and how a lookup ends that it keeps from having a token."""


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


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_fault_ends_the_turn_as_its_row_says(
    turn: Turn, watch: Watch, ps7: Simulator, fault: Fault
) -> None:
    """PS7 is asked as often as allowed, if that may help; within the deadline."""
    ps7.script(CONTEXT_ID, [*fault.after, fault.name])

    slots = await turn(ps7.environment, **MET.get(fault.reason, {}))

    asked = len(fault.after) + (ATTEMPTS if fault.retried else 1)
    check(watch, slots, ps7, End(fault.outcome, fault.reason, asked))


@pytest.mark.parametrize("fault", ["http-429", "http-503", "reset-body", "slow"])
async def test_a_fault_that_passes_costs_one_attempt(
    turn: Turn, watch: Watch, ps7: Simulator, fault: str
) -> None:
    """PS7 is asked once more, and the customer is there."""
    ps7.script(CONTEXT_ID, [fault, "ana"])

    slots = await turn(ps7.environment, **MET["read_timeout"])

    check(watch, slots, ps7, End("ok", "ok", 2))


@pytest.mark.parametrize("fault", OF_THE_TOKEN_ENDPOINT)
@pytest.mark.parametrize("ps7", [{"app_secret": APP_SECRET}], indirect=True, ids=["gateway"])
async def test_a_fault_of_the_token_endpoint_ends_the_lookup(
    turn: Turn, watch: Watch, ps7: Simulator, fault: str
) -> None:
    """Without a token PS7 is not asked at all: the lookup ends as the token's request does."""
    row = FAULTS[fault]
    redirect = {"Location": ps7.redirect_to} if "Location" in row.headers else {}
    headers = {**row.headers, **redirect}
    ps7.token_answer(row.status, headers=headers, body=row.body, delivery=row.delivery)

    slots = await turn(ps7.environment, **MET.get(row.reason, {}), APP_SECRET=APP_SECRET)

    check(watch, slots, ps7, OF_THE_TOKEN_ENDPOINT[fault])
