"""Whatever a channel sends and whatever comes back: `run()` ends well.

`PS7_FUZZ_EXAMPLES` says how many examples are made up in all, each test's share being the same.
They lean towards what is nearly right: pure noise seldom gets further than the first check. Answers
are handed in where the transport would send: what a socket does to them is the grid's.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actions.ps7 import Outcome
from actions.ps7.lookup.tokens import PATH as TOKEN_PATH
from actions.ps7.lookup.wire import Answer, Request
from actions.ps7.testing import PERSONAS
from tests.faults.conftest import OF_A_CUSTOMER, OWN
from tests.host.conftest import seal_keys
from tests.model.subject import Subject, playing
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

pytestmark = pytest.mark.slow

fuzzed = settings(
    max_examples=-(-int(os.environ.get("PS7_FUZZ_EXAMPLES", "450")) // 3),
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
ANA = PERSONAS["ana"]
STALE = "stale"
DECLARED = ("ps7_status", "ps7_context", *OF_A_CUSTOMER, OWN, "session_started_metadata")
GOOD = Answer(200, {}, json.dumps(ANA.answer).encode())
TOKEN = Answer(200, {}, b'{"AccessToken": "t", "Expires": 600}')
SETTINGS = {
    **dict.fromkeys(("PS7_USERNAME", "PS7_PASSWORD", "PS7_APP_KEY", "PS7_APP_SECRET"), "x"),
    "PS7_BASE_URL": "http://127.0.0.1:1",
    "PS7_METADATA_KEYS": '["contextId", "channel.contextId"]',
    "PS7_BREAKER_FAILURES": str(10**9),
    "PS7_SEAL_KEYS": seal_keys(),
}

# What is made up

_TEXTS = ("", "C1", "C1\r\nX-Forged: yes", "\x00", "\u202eC1", "\ud800", "9" * 5000)
texts = st.sampled_from((*_TEXTS, "0", "1")) | st.text(max_size=40)
scalars = st.none() | st.booleans() | texts | st.integers() | st.sampled_from((1.5, 10**400))
_keys = st.sampled_from(("contextId", "encoded", "channel", "correlationId", *ANA.payload)) | texts
objects = st.recursive(
    st.dictionaries(_keys, scalars, max_size=4),
    lambda inner: st.dictionaries(_keys, inner | st.lists(inner | scalars, max_size=3), max_size=4),
    max_leaves=8,
)
trackers = st.fixed_dictionaries(
    {
        "sender_id": texts,
        "slots": st.dictionaries(st.sampled_from(DECLARED), scalars | objects, max_size=4),
        "latest_message": st.fixed_dictionaries({"metadata": scalars | objects}),
        "events": st.lists(
            st.fixed_dictionaries({"event": st.just("user") | texts, "metadata": scalars | objects})
            | scalars,
            max_size=3,
        ),
    }
)
_envelopes = st.fixed_dictionaries(
    {},
    optional={
        "code": st.sampled_from(("0", 0, 0.0, "1", True)) | scalars,
        "expireIn": st.sampled_from(("3600", 60, "2099-12-31", "2099-12-31T10:00:00Z")) | scalars,
        **dict.fromkeys(("message", "key", "decodedContextId", "AccessToken", "Expires"), scalars),
        **dict.fromkeys(("payload", "data"), objects | scalars),
    },
)
_bodies = st.builds(
    lambda said, charset: json.dumps(said, ensure_ascii=False).encode(charset, "replace"),
    _envelopes | scalars,
    st.sampled_from(("utf-8-sig", "latin-1", "utf-16")),
)
answers = st.builds(
    Answer,
    st.sampled_from((200, 400, 401, 404, 429, 500, 503)) | st.integers(100, 999),
    st.dictionaries(
        st.sampled_from(("content-type", "content-encoding", "retry-after", "location")),
        st.sampled_from(("text/html; charset=utf-16", ";", "gzip", "-1", "9" * 400)) | texts,
    ),
    _bodies | st.builds(bytes.__add__, _bodies, st.binary(max_size=8)) | st.binary(),
)


class Bench(Subject):
    """The actions, with an answer at hand instead of a network."""

    answer, token = GOOD, TOKEN

    async def send(self, request: Request) -> Answer:
        return self.token if request.url.endswith(TOKEN_PATH) else self.answer

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what must not be said: errors, and what is not one line."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR or record.exc_info or not text.isprintable():
            self.errors.append(text)

    def changed(self, action: str, state: dict[str, Any], **slots: object) -> dict[str, Any]:
        """Run an action, check what must be true, and return the slots afterwards."""
        before = {**state["slots"], **slots}
        events = self.run(SETTINGS, action, {**state, "slots": dict(before)}, {})
        json.dumps(events, ensure_ascii=False, allow_nan=False).encode()
        assert self.errors == []
        changes = {event["name"]: event["value"] for event in events}
        assert len(changes) == len(events)
        assert changes.keys() <= before.keys()
        return before | changes


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """Return the actions at a gateway that wants a token, and a breaker that never opens."""

    async def at_once(_: float) -> None:
        """Wait for nothing between two attempts."""

    monkeypatch.setattr("actions.ps7.lookup.client.sleep", at_once)
    monkeypatch.setattr("actions.ps7.lookup.tokens._RENEWED_AT", 0)
    caplog.set_level(logging.DEBUG, "actions")
    bench = Bench()
    bench.setLevel(logging.DEBUG)
    with playing(bench):
        yield bench


@fuzzed
@given(state=trackers)
def test_any_metadata_leaves_the_customer_or_nobody(bench: Bench, state: dict[str, Any]) -> None:
    """The customer is there, or none is: no value that was in a slot before stays."""
    for action in (LOOK_UP, VERIFY, FORGET):
        bench.changed(action, state)  # as it came, and with a customer claimed
        claimed = dict.fromkeys(DECLARED, STALE) | state["slots"] | {"ps7_status": "ok"}
        after = bench.changed(action, state, **claimed)
        assert after["ps7_status"] in {*Outcome}
        known = after["ps7_status"] == Outcome.OK
        for name in OF_A_CUSTOMER:
            assert after[name] == (ANA.slots.get(name, after[name]) if known else None)


@pytest.mark.parametrize("of_the_token_endpoint", [False, True], ids=["PS7", "token endpoint"])
@fuzzed
@given(answer=answers)
def test_any_answer_ends_in_an_outcome(
    bench: Bench, answer: Answer, *, of_the_token_endpoint: bool
) -> None:
    """An outcome of the list, and every slot is written, also if no token can be had."""
    bench.answer, bench.token = (GOOD, answer) if of_the_token_endpoint else (answer, TOKEN)
    state = {"sender_id": "s", "latest_message": {"metadata": {"contextId": "C1"}}, "slots": {}}
    after = bench.changed(LOOK_UP, state, **dict.fromkeys(DECLARED, STALE))
    tokens = {Outcome.OK, Outcome.DENIED, Outcome.UNAVAILABLE}
    assert after["ps7_status"] in (tokens if of_the_token_endpoint else {*Outcome})
    customer = [after[name] for name in ("ps7_context", *OF_A_CUSTOMER)]
    assert after[OWN] == STALE
    assert STALE not in customer
    if after["ps7_status"] != Outcome.OK:
        assert customer[1:] == [None] * len(OF_A_CUSTOMER)
