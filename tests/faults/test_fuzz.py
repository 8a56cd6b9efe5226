"""Whatever a channel sends and whatever comes back: `run()` ends well.

`PS7_FUZZ_EXAMPLES` says how many examples are made up in all, each test's share being the same.
They lean towards what is nearly right: pure noise seldom gets further than the first check. Answers
are handed in where the transport would send: what a socket does to them is the grid's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict, TrackerState

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify, Outcome
from actions.ps7.api.tokens import PATH as TOKEN_PATH
from actions.ps7.api.transport import Transport
from actions.ps7.api.wire import Answer, Request
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS
from tests.faults.conftest import OF_A_CUSTOMER, OWN
from tests.host.conftest import seal_keys

fuzzed = settings(
    max_examples=-(-int(os.environ.get("PS7_FUZZ_EXAMPLES", "900")) // 3),
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
ANA = PERSONAS["ana"]
STALE = "stale"
DECLARED = ("ps7_status", "ps7_context", *OF_A_CUSTOMER, OWN, "session_started_metadata")
GOOD = Answer(200, {}, json.dumps(ANA.answer).encode())
TOKEN = Answer(200, {}, b'{"AccessToken": "t", "Expires": 600}')

# What is made up

_TEXTS = ("", " ", "C1\r\nX-Forged: yes", "\x00", "\u202eC1", "\ufeffC1", "\ud800", "9" * 5000)
texts = st.sampled_from((*_TEXTS, "C1", "ana", "0", "1", "x" * 2**20)) | st.text(max_size=40)
_floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | texts | st.integers() | _floats | st.just(10**400)
_keys = st.sampled_from(("contextId", "encoded", "channel", "__proto__")) | texts
_any = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=8,
) | st.integers(1, 200).map(lambda depth: json.loads("[" * depth + "]" * depth))
metadata = _any | st.fixed_dictionaries(
    {"contextId": texts | _any},
    optional=dict.fromkeys(("encoded", "correlationId", "flowId", "channel"), texts | _any),
)
_kinds = st.sampled_from(("user", "action", "session_started", "slot", "", None))
_event = st.fixed_dictionaries({"event": _kinds}, optional={"metadata": metadata, "name": texts})
trackers = st.fixed_dictionaries(
    {
        "sender_id": texts,
        "slots": st.dictionaries(st.sampled_from(DECLARED), scalars | metadata, max_size=4),
        "latest_message": st.fixed_dictionaries({"metadata": metadata}),
        "events": st.lists(_event | scalars, max_size=3),
    }
)
_fields = st.dictionaries(
    st.sampled_from((*ANA.payload, "u_cssc", "contexto")) | texts,
    st.sampled_from(("AUT", "Token", "none", "S", "N", "00052998224725", 0)) | _any,
    max_size=6,
)
_payloads = _fields | st.builds(lambda inner: {"contexto": inner}, _fields) | _any
_envelopes = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(("0", 0, 0.0, "1", True)) | scalars,
        "expireIn": st.sampled_from(("3600", 60, "2099-12-31", "2099-12-31T10:00:00Z")) | scalars,
        **dict.fromkeys(("message", "key", "decodedContextId", "AccessToken", "Expires"), scalars),
        **dict.fromkeys(("payload", "data"), _payloads),
    },
)


def _as_json(value: object, charset: str) -> bytes:
    return json.dumps(value, ensure_ascii=charset == "ascii").encode(charset, "replace")


_bodies = st.builds(
    _as_json,
    _envelopes | _any,
    st.sampled_from(("ascii", "utf-8", "utf-8-sig", "latin-1", "utf-16")),
)
_make: Callable[..., Answer] = Answer
answers = st.builds(
    _make,
    status=st.sampled_from((200, 200, 200, 400, 401, 404, 429, 500, 503)) | st.integers(100, 999),
    headers=st.dictionaries(
        st.sampled_from(("content-type", "content-encoding", "retry-after", "location")),
        st.sampled_from(("text/html; charset=utf-16", ";", "gzip", "1", "-1", "9" * 400)) | texts,
    ),
    body=_bodies | st.builds(bytes.__add__, _bodies, st.binary(max_size=8)) | st.binary(),
)


class Bench:
    """The actions, with answers at hand instead of a network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        self.loop, self.caplog = asyncio.new_event_loop(), caplog
        self.answer, self.token = GOOD, TOKEN

        async def send(_: Transport, request: Request) -> Answer:
            return self.token if request.url.endswith(TOKEN_PATH) else self.answer

        async def at_once(_: float) -> None:
            """Wait for nothing between two attempts."""

        monkeypatch.setattr(Transport, "send", send)
        monkeypatch.setattr("actions.ps7.api.policy.sleep", at_once)
        self.actions = (ActionPS7Context(), ActionPS7Verify(), ActionPS7Forget())

    def run(self, number: int, state: dict[str, Any], **slots: object) -> dict[str, Any]:
        """Run an action, check what must be true, and return the slots afterwards."""
        action = self.actions[number]
        if (tokens := action.runtime.client._tokens) is not None:
            tokens._token = None
        dispatcher, before = CollectingDispatcher(), {**state["slots"], **slots}
        tracker = Tracker.from_dict(cast("TrackerState", {**state, "slots": dict(before)}))
        called = action.run(dispatcher, tracker, cast("DomainDict", {}))
        events = self.loop.run_until_complete(called)
        json.dumps(events, ensure_ascii=False, allow_nan=False).encode()
        for record in self.caplog.records:
            assert record.getMessage().isprintable()
            assert (record.levelno < logging.ERROR, record.exc_info) == (True, None)
        self.caplog.clear()
        changes = {event["name"]: event["value"] for event in events}
        assert (dispatcher.messages, len(changes)) == ([], len(events))
        assert changes.keys() <= before.keys()
        return before | changes


@pytest.fixture
def bench(isolated: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """Return the actions at a gateway that wants a token, and a breaker that never opens."""
    variables = {
        **dict.fromkeys(("USERNAME", "PASSWORD", "APP_KEY", "APP_SECRET"), "x"),
        "BASE_URL": "http://127.0.0.1:1",
        "METADATA_KEYS": '["contextId", "channel.contextId"]',
        "BREAKER_FAILURES": str(10**9),
        "SEAL_KEYS": seal_keys(),
    }
    for name, value in variables.items():
        isolated.setenv(f"PS7_{name}", value)
    isolated.setattr(runtime, "_runtimes", [])
    caplog.set_level(logging.DEBUG, "actions")
    bench = Bench(isolated, caplog)
    yield bench
    bench.loop.close()


def test_any_metadata(bench: Bench) -> None:
    """The customer is there, or none is: no value that was in a slot before stays."""

    @fuzzed
    @given(trackers)
    def always(state: dict[str, Any]) -> None:
        for number in range(len(bench.actions)):
            bench.run(number, state)  # as it came, and with a customer claimed
            claimed = dict.fromkeys(DECLARED, STALE) | state["slots"] | {"ps7_status": "ok"}
            after = bench.run(number, state, **claimed)
            assert after["ps7_status"] in {*Outcome}
            known = after["ps7_status"] == Outcome.OK
            for name in OF_A_CUSTOMER:
                assert after[name] == (ANA.slots.get(name, after[name]) if known else None)

    always()


@pytest.mark.parametrize("of_the_token_endpoint", [False, True], ids=["PS7", "token endpoint"])
def test_any_answer(bench: Bench, *, of_the_token_endpoint: bool) -> None:
    """An outcome of the list, and every slot is written, also if no token can be had."""

    @fuzzed
    @given(answers)
    def always(answer: Answer) -> None:
        bench.answer, bench.token = (GOOD, answer) if of_the_token_endpoint else (answer, TOKEN)
        state = {"sender_id": "s", "latest_message": {"metadata": {"contextId": "C1"}}, "slots": {}}
        after = bench.run(0, state, **dict.fromkeys(DECLARED, STALE))
        tokens = {Outcome.OK, Outcome.DENIED, Outcome.UNAVAILABLE}
        assert after["ps7_status"] in (tokens if of_the_token_endpoint else {*Outcome})
        customer = [after[name] for name in ("ps7_context", *OF_A_CUSTOMER)]
        assert (STALE in customer, after[OWN]) == (False, STALE)
        if after["ps7_status"] != Outcome.OK:
            assert customer[1:] == [None] * len(OF_A_CUSTOMER)

    always()
