"""Every fault in every phase that it can hit: how the turn ends, when, and what is said of it.

The faults are the simulator's table: a new row there is tested here by itself.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Fault, Simulator
from tests.faults.conftest import ATTEMPTS, DEADLINE, Bot
from tests.faults.ending import TRANSPORT, End, at_every_attempt, check, deadline, script, turn
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS
from tests.faults.watch import Watch
from tests.host.loopback import Server
from tests.support.dialogue import LOOK_UP

ANA = PERSONAS["ana"]
every_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
_HASTY = {name: fault for name, fault in FAULTS.items() if "Retry-After" not in fault.headers}
every_fault_that_asks_for_no_wait = pytest.mark.parametrize("fault", _HASTY.values(), ids=_HASTY)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Server]:
    """Listen where redirects lead to; no request may ever come."""
    async with Server([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"]) as server:
        yield server
        assert server.connections == 0


@pytest.fixture
async def ps7(elsewhere: Server) -> AsyncIterator[Simulator]:
    """Stand in for PS7, with credentials that must not be seen."""
    async with Simulator(**CREDENTIALS, redirect_to=f"{elsewhere.url}/elsewhere") as simulator:
        yield simulator


@pytest.fixture
async def fabric(elsewhere: Server) -> AsyncIterator[Simulator]:
    """Stand in for PS7 behind a gateway that wants a token."""
    async with Simulator(
        **CREDENTIALS, app_secret=APP_SECRET, redirect_to=f"{elsewhere.url}/elsewhere"
    ) as simulator:
        yield simulator


@every_fault
async def test_at_every_attempt(bot: Bot, watch: Watch, ps7: Simulator, fault: Fault) -> None:
    """The fault stays: it is asked again as often as allowed, where that may help."""
    ps7.script(CONTEXT_ID, script(fault))

    slots = await turn(bot, ps7, deadline(fault))

    check(watch, slots, ps7, at_every_attempt(fault), deadline(fault))


@every_fault
async def test_at_the_first_attempt_alone(
    bot: Bot, watch: Watch, ps7: Simulator, fault: Fault
) -> None:
    """The fault passes: where it is asked again the customer is there, within the deadline."""
    ps7.script(CONTEXT_ID, [*script(fault), "ana"])

    slots = await turn(bot, ps7, deadline(fault))

    end = End("ok", "ok", 2) if fault.retried else at_every_attempt(fault)
    check(watch, slots, ps7, end, deadline(fault))
    if fault.retried:
        assert slots["cpf"] == ANA.slots["cpf"]


@every_fault_that_asks_for_no_wait
async def test_on_a_connection_from_the_pool(
    bot: Bot, watch: Watch, ps7: Simulator, fault: Fault
) -> None:
    """A connection that served another user before is no reason to send anything twice."""
    first = bot(ps7, "another user")
    await first.user("oi", metadata={"contextId": "ana"})
    await first.run(LOOK_UP)
    assert first.slots["ps7_status"] == "ok"
    ps7.requests.clear()
    watch.forget()
    ps7.script(CONTEXT_ID, script(fault))

    slots = await turn(bot, ps7, DEADLINE)

    check(watch, slots, ps7, at_every_attempt(fault), DEADLINE)


@every_fault_that_asks_for_no_wait
async def test_behind_a_gateway_that_wants_a_token(
    bot: Bot, watch: Watch, fabric: Simulator, fault: Fault
) -> None:
    """A token changes nothing about a fault, but for 401: a new token may help, and once is tried.

    A fault that passes with its first request is not repeated.
    """
    fabric.script(CONTEXT_ID, script(fault))
    end = at_every_attempt(fault)
    asked = 2 if fault.reason == "unauthorized" else 1

    slots = await turn(bot, fabric, DEADLINE, APP_SECRET=APP_SECRET)

    expected = End(end.outcome, end.reason, asked if asked > 1 else end.requests, asked)
    check(watch, slots, fabric, expected, DEADLINE)


@every_fault
async def test_at_the_token_endpoint(
    bot: Bot, watch: Watch, fabric: Simulator, fault: Fault
) -> None:
    """Without a token PS7 is not asked at all: the lookup ends as the token's request does."""
    redirect = {"Location": fabric.redirect_to} if "Location" in fault.headers else {}
    fabric.token_answer(
        fault.status,
        headers={**fault.headers, **redirect},
        body=fault.body,
        delivery=fault.delivery,
    )

    slots = await turn(bot, fabric, deadline(fault), APP_SECRET=APP_SECRET)

    check(watch, slots, fabric, without_a_token(fault), deadline(fault))


def without_a_token(fault: Fault) -> End:
    """Return how a lookup ends that this fault keeps from having a token."""
    asked = ATTEMPTS if fault.retried else 1
    if fault.status in (400, 401, 403):
        return End("denied", "token_refused", 0, asked)
    if fault.status != 200:
        return End("unavailable", "token_unavailable", 0, asked)
    reason = fault.reason if fault.reason in TRANSPORT else "token_unreadable"
    return End("unavailable", reason, 0, asked)


async def test_where_no_server_listens(bot: Bot, watch: Watch, ps7: Simulator) -> None:
    """PS7 is down: as often as allowed, and at once."""
    await ps7.stop()

    slots = await turn(bot, ps7, DEADLINE)

    check(watch, slots, ps7, End("unavailable", "connect", 0, attempts=ATTEMPTS), DEADLINE)


async def test_where_a_server_went_down(bot: Bot, watch: Watch, ps7: Simulator) -> None:
    """PS7 goes down with connections in the pool, and comes back: so does the customer."""
    ps7.script(CONTEXT_ID, ["ana"])
    first = bot(ps7, "another user")
    await first.user("oi", metadata={"contextId": "ana"})
    await first.run(LOOK_UP)
    await ps7.stop()
    ps7.requests.clear()
    watch.forget()

    slots = await turn(bot, ps7, DEADLINE)

    check(watch, slots, ps7, End("unavailable", "connect", 0, attempts=ATTEMPTS), DEADLINE)
    await ps7.start()
    watch.forget()
    slots = await turn(bot, ps7, DEADLINE)
    check(watch, slots, ps7, End("ok", "ok", 1), DEADLINE)
