"""From 3.20 on the SDK pickles the actions to start its workers, even one alone."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import pickle
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.dialogue.actions import PS7Action
from actions.ps7.testing import PERSONAS, Simulator
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.spawned import run_pickled

Run = Callable[[CollectingDispatcher, Tracker, DomainDict], Awaitable[list[dict[str, Any]]]]

pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings"),
]

NO_DOMAIN = cast("DomainDict", {})
ACTIONS: dict[str, type[PS7Action]] = {
    LOOK_UP: ActionPS7Context,
    VERIFY: ActionPS7Verify,
    FORGET: ActionPS7Forget,
}
ANA = PERSONAS["ana"].slots


async def turn(user: Dialogue, run: Run, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run an action in this process, without an executor."""

    async def send(call: dict[str, Any]) -> dict[str, Any]:
        dispatcher = CollectingDispatcher()
        events = await run(dispatcher, Tracker.from_dict(call["tracker"]), NO_DOMAIN)
        return {"events": events, "responses": dispatcher.messages}

    return await user.turn(send, metadata=metadata)


@pytest.mark.parametrize("name", ACTIONS)
async def test_an_action_and_its_bound_run_can_be_pickled(name: str, ps7: Simulator) -> None:
    """Made with no argument, and after the round trip it does what it did before.

    Settings and the log's level travel, and nothing else: no lock, session, cipher or loop.
    """
    action = ACTIONS[name]()
    copied = pickle.loads(pickle.dumps(action))  # noqa: S301 - made one line ago
    copied_run = pickle.loads(pickle.dumps(action.run))  # noqa: S301 - and here

    assert action.__getstate__().keys() == {"settings", "log_level"}
    assert copied.name() == action.name() == name
    for run in (action.run, copied.run, copied_run):
        user = Dialogue()
        await turn(user, ActionPS7Context().run, {"contextId": "ana"})
        held = dict(user.slots)
        await turn(user, run)
        if name == FORGET:
            assert (user.slots["ps7_status"], user.slots["cpf"]) == ("missing", None)
        else:
            assert user.slots == held
    assert len(ps7.requests) == 3


async def test_a_seal_key_made_at_start_travels(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `PS7_SEAL_KEYS` a spawned worker opens what this process has sealed.

    The SDK configures no logging in the workers that it spawns, so the actions bring it along: the
    line of each lookup would be lost.
    """
    monkeypatch.delenv("PS7_SEAL_KEYS")
    action, user = ActionPS7Context(), Dialogue()
    await turn(user, action.run, {"contextId": "ana"})
    # The worker has only what travelled: no variable of ours, no PS7 to ask.
    for name in ps7.environment:
        monkeypatch.delenv(name)
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    user.slots["account"] = "overwritten"

    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    run, tracker = pickle.dumps(action.run), user.call(LOOK_UP)["tracker"]
    worker = spawn.Process(target=run_pickled, args=(theirs, run, tracker, NO_DOMAIN))
    worker.start()
    theirs.close()
    events, level, handlers = await asyncio.to_thread(ours.recv)
    await asyncio.to_thread(worker.join)
    ours.close()

    assert [(event["name"], event["value"]) for event in events] == [("account", ANA["account"])]
    assert (level, handlers, worker.exitcode) == (logging.INFO, 1, 0)
    worker.close()
    assert len(ps7.requests) == 1
