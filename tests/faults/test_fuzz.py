"""Whatever a channel sends and whatever comes back: `run()` ends well.

`PS7_FUZZ_EXAMPLES` says how many examples are made up in all, each test's share being the same.
Answers are handed in where the transport would send: what a socket does to them is the grid's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict, TrackerState

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify, Outcome
from actions.ps7.api.tokens import PATH as TOKEN_PATH
from actions.ps7.api.transport import Transport
from actions.ps7.api.wire import Answer, Request
from actions.ps7.dialogue import runtime
from actions.ps7.dialogue.actions import PS7Action
from actions.ps7.testing import PERSONAS
from tests.faults.fuzzing import answers, tracker_state, trackers
from tests.host.conftest import seal_keys
from tests.support.dialogue import SLOTS

_TESTS = 3
_EXAMPLES = int(os.environ.get("PS7_FUZZ_EXAMPLES", "900"))
fuzzed = settings(
    max_examples=-(-_EXAMPLES // _TESTS),
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

ANA = PERSONAS["ana"]
DECLARED = (*SLOTS, "u_ag", "u_x", "session_started_metadata", "balance")
CUSTOMERS = tuple(name for name in SLOTS if name not in ("ps7_status", "ps7_context"))
STALE = "stale"
OUTCOMES = {outcome.value for outcome in Outcome}

GOOD = Answer(200, {}, json.dumps(ANA.answer).encode())
TOKEN = Answer(200, {}, b'{"AccessToken": "t", "Expires": 600}')
DOMAIN = cast("DomainDict", {})


class Log(logging.Handler):
    """Fails on a line that is more than a line."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.broken: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if not line.isprintable() or record.levelno >= logging.ERROR or record.exc_info:
            self.broken.append(line)


class Bench:
    """The actions, with answers at hand instead of a network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loop = asyncio.new_event_loop()
        self.log = Log()
        self.answer = GOOD
        self.token = TOKEN

        async def send(_: Transport, request: Request) -> Answer:
            return self.token if request.url.endswith(TOKEN_PATH) else self.answer

        async def at_once(_: float) -> None:
            """Wait for nothing between two attempts."""

        monkeypatch.setattr(Transport, "send", send)
        self.actions: list[PS7Action] = [ActionPS7Context(), ActionPS7Verify(), ActionPS7Forget()]
        self.client = self.actions[0].runtime.client
        monkeypatch.setattr("actions.ps7.api.policy.sleep", at_once)

    def run(self, action: PS7Action, state: dict[str, Any]) -> dict[str, Any]:
        """Run an action on a tracker, check what must hold, and return the slots afterwards."""
        if self.client._tokens is not None:
            self.client._tokens._token = None
        dispatcher = CollectingDispatcher()
        tracker = Tracker.from_dict(cast("TrackerState", state))
        events = self.loop.run_until_complete(action.run(dispatcher, tracker, DOMAIN))
        json.dumps(events, ensure_ascii=False, allow_nan=False).encode()
        assert dispatcher.messages == []
        assert self.log.broken == []
        changes = {event["name"]: event["value"] for event in events}
        assert len(changes) == len(events)
        assert changes.keys() <= state["slots"].keys()
        return {**state["slots"], **changes}


@pytest.fixture
def bench(isolated: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Return the actions a gateway that wants a token, and a breaker that never opens."""
    variables = {
        "BASE_URL": "http://127.0.0.1:1",
        "USERNAME": "u",
        "PASSWORD": "p",
        "APP_KEY": "k",
        "APP_SECRET": "s",
        "METADATA_KEYS": '["contextId", "channel.contextId"]',
        "BREAKER_FAILURES": str(10**9),
        "SEAL_KEYS": seal_keys(),
    }
    for name, value in variables.items():
        isolated.setenv(f"PS7_{name}", value)
    bench = Bench(isolated)
    logger = logging.getLogger("actions")
    logger.addHandler(bench.log)
    isolated.setattr(logger, "propagate", False)
    logger.setLevel(logging.DEBUG)
    yield bench
    logger.setLevel(logging.NOTSET)
    logger.removeHandler(bench.log)
    bench.loop.close()
    runtime._runtimes.remove(bench.actions[0].runtime)


def test_any_metadata(bench: Bench) -> None:
    """The customer is there, or none is: no value that stood in a slot before stays."""

    @fuzzed
    @given(trackers)
    def always(state: dict[str, Any]) -> None:
        slots = state["slots"]
        claimed = {**dict.fromkeys(DECLARED, STALE), **slots, "ps7_status": "ok"}
        for action in bench.actions:
            # As it came, for what it may break …
            bench.run(action, {**state, "slots": dict(slots)})
            # … and with a customer claimed, for what must be gone.
            after = bench.run(action, {**state, "slots": dict(claimed)})
            assert after["ps7_status"] in OUTCOMES
            held = {name: after[name] for name in CUSTOMERS}
            if after["ps7_status"] == "ok":
                assert held == {**held, **{n: v for n, v in ANA.slots.items() if n in held}}
            else:
                assert set(held.values()) == {None}
                assert after["u_ag"] is None

    always()


@pytest.mark.parametrize("of_the_token_endpoint", [False, True], ids=["PS7", "token endpoint"])
def test_any_answer(bench: Bench, *, of_the_token_endpoint: bool) -> None:
    """An outcome of the list, and every slot is written, also where no token can be had."""
    run, claimed = bench.actions[0], dict.fromkeys(DECLARED, STALE)

    @fuzzed
    @given(answers)
    def always(answer: Answer) -> None:
        bench.answer, bench.token = (GOOD, answer) if of_the_token_endpoint else (answer, TOKEN)
        after = bench.run(run, tracker_state({"contextId": "C1"}, [], dict(claimed), "s"))
        tokens = {"ok", "denied", "unavailable"}
        assert after["ps7_status"] in (tokens if of_the_token_endpoint else OUTCOMES)
        assert after["ps7_context"] != STALE
        assert after["balance"] == STALE
        customer = [after[name] for name in (*CUSTOMERS, "u_ag", "u_x")]
        assert STALE not in customer
        if after["ps7_status"] != "ok":
            assert set(map(str, customer)) == {"None"}

    always()
