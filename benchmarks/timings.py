"""Single steps of a turn, timed by pyperf: for `benchmarks.micro`, or by hand with its options.

    python -m benchmarks.timings [-o FILE] [--fast]

PS7's stub runs in the same process; it is asked while everything is prepared, and never after.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pyperf
from cryptography.fernet import Fernet
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions.ps7 import ActionPS7Context, verified_context
from actions.ps7.api.wire import Answer, decode
from actions.ps7.clock import utc_now
from actions.ps7.dialogue.arrival import ArrivalVerifier, sign
from actions.ps7.dialogue.context_id import found_in, look_in
from actions.ps7.dialogue.history import History
from actions.ps7.slots import CONTEXT, STATUS, SlotNames, project
from benchmarks.calls import SLOTS, User
from benchmarks.stub import Stub, answer, context_id

if TYPE_CHECKING:
    from collections.abc import Coroutine

EVENTS = (10, 1_000, 10_000)
READING, SEALING, OPENING = "reading PS7's answer", "sealing", "opening a seal"
PROJECTING, VERIFYING = "projecting on 12 slots", "verified_context"
ARRIVING, FINDING = "checking an arrival token", "walking {:,} events"
HELD = "a held turn, {:,} events from before the lookup"
_PATHS = [["contextId"]]
_SECRET = "a made-up secret of a back-end, and long enough"  # noqa: S105


def tracker(user: User, *, silent: bool) -> Tracker:
    """Return what an action is handed when somebody says something."""
    call = json.loads(json.dumps(user.call(silent=silent)))
    return Tracker.from_dict(call["tracker"])


def turn(action: ActionPS7Context, of: Tracker) -> Coroutine[Any, Any, list[dict[str, Any]]]:
    """Run the action once."""
    domain: Any = {}  # the SDK's type wants all of it
    return action.run(CollectingDispatcher(), of, domain)


def walk(events: list[dict[str, Any]]) -> History:
    """Read a tracker's events."""
    return History(events, None, context=CONTEXT, status=STATUS)


async def prepare() -> tuple[ActionPS7Context, dict[int, User]]:
    """Let users with trackers of these lengths be looked up."""
    loop = asyncio.get_running_loop()
    stub = await loop.create_server(Stub, "127.0.0.1", 0)
    os.environ |= {
        "PS7_BASE_URL": f"http://127.0.0.1:{stub.sockets[0].getsockname()[1]}",
        "PS7_USERNAME": "u",
        "PS7_PASSWORD": "p",
        "PS7_SEAL_KEYS": json.dumps([Fernet.generate_key().decode()]),
    }
    action = ActionPS7Context()
    users = {events: User(context_id(events), events=events) for events in EVENTS}
    for user in users.values():
        user.apply(await turn(action, tracker(user, silent=False)))
        user.go_on()
    await action.runtime.client.close()
    stub.close()
    return action, users


def add_to(runner: pyperf.Runner) -> None:
    """Time everything."""
    action, users = asyncio.run(prepare())
    user = users[EVENTS[0]]
    sealer = action.runtime.sealer
    held = sealer.open(user.slots[CONTEXT], user.sender_id)
    if held is None or held.customer is None:
        raise RuntimeError("the user was not looked up")
    ours = SlotNames({}).among(SLOTS)
    _, _, body = answer(0).partition(b"\r\n\r\n")
    reply, now = Answer(200, {"content-type": "application/json"}, body), utc_now()
    token = sign(_SECRET, user.context_id, user.sender_id)
    hit = look_in({"contextId": token}, _PATHS)
    if hit is None:
        raise RuntimeError("the token was not found")
    arrived = found_in(hit, None)
    said = tracker(user, silent=True)

    runner.bench_func(READING, lambda: decode(reply, received_at=now, max_age=3600))
    runner.bench_func(SEALING, sealer.close, held, user.sender_id)
    runner.bench_func(OPENING, sealer.open, user.slots[CONTEXT], user.sender_id)
    runner.bench_func(PROJECTING, project, ours, held.customer)
    runner.bench_func(VERIFYING, verified_context, said)
    runner.bench_func(ARRIVING, ArrivalVerifier([_SECRET]).read, arrived, user.sender_id)
    for events in EVENTS:
        later = tracker(User("later", events=events), silent=True).events
        runner.bench_func(FINDING.format(events), walk, later)
    for events, known in users.items():
        after = tracker(known, silent=True)
        runner.bench_async_func(HELD.format(events), turn, action, after)


if __name__ == "__main__":
    add_to(pyperf.Runner(program_args=("-m", "benchmarks.timings")))
