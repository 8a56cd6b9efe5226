"""One contextId keeps nobody else out; a PS7 that is away, or refuses us, is soon left alone.

What counts and what the question decides is tested in plain values (`tests/unit/test_policy.py`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from actions.ps7 import CustomerContext, LookupFailed, Outcome, PS7Client
from tests.host.byte_gateway import ANA, ByteGateway
from tests.host.loopback import http
from tests.host.test_client import settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

QUESTION = "ps7-question-"
UNKNOWN = [http(json.dumps({"code": "1"}).encode())]
TOKEN = [http(json.dumps({"AccessToken": "planted-token", "Expires": "600"}).encode())]
FAULTS: dict[str, Sequence[bytes | float]] = {
    **{status: [http(status=f"{status} Status")] for status in ("401", "503")},
    "silence": [60.0],
}
OTHERS = [f"other-{number}" for number in range(10)]


class Answers(dict[str, Sequence[bytes | float]]):
    """What a gateway answers: a fault about one contextId, or about any while PS7 is away."""

    away: Sequence[bytes | float] | None = None

    def __getitem__(self, name: str) -> Sequence[bytes | float]:
        if self.away is not None:
            return self.away
        return UNKNOWN if name.startswith(QUESTION) else self.get(name, [ANA])


@pytest.fixture
def gateway() -> Iterator[ByteGateway]:
    """Return a gateway before a PS7 that is well."""
    with ByteGateway(Answers()) as running:
        yield running


def client_of(gateway: ByteGateway, **settings: Any) -> PS7Client:  # noqa: ANN401 - any setting
    """Return a client that does not wait for long; all else is as it is by default."""
    quick = {"deadline": 0.4, "read_timeout": 0.2, "breaker_reset": 0.4}
    return PS7Client(settings_for(gateway.url, **{**quick, **settings}))


async def look_up(client: PS7Client, context_id: str) -> CustomerContext | LookupFailed:
    try:
        return await client.lookup(context_id)
    except LookupFailed as failure:
        return failure


async def until(client: PS7Client, reason: str) -> None:
    """Look up until a lookup ends like this; five seconds at most."""
    began, ended = time.monotonic(), ""
    while ended != reason:
        assert time.monotonic() < began + 5, ended
        end = await look_up(client, "ana")
        ended = end.reason.value if isinstance(end, LookupFailed) else "ok"
        await asyncio.sleep(0.05)  # as people take a while


def questions(gateway: ByteGateway) -> list[str]:
    return [name for _, name in gateway.requests if name.startswith(QUESTION)]


async def asked(gateway: ByteGateway) -> None:
    """Wait for a question."""
    while not questions(gateway):  # noqa: ASYNC110 - a gateway in a thread has no event of it
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("at_once", [1, 8])
async def test_one_context_id_keeps_nobody_else_out(
    gateway: ByteGateway, fault: str, at_once: int
) -> None:
    """Neither one message after another nor eight at once: ten of ten others are known."""
    gateway.answers["slow"] = FAULTS[fault]  # type: ignore[index]
    async with client_of(gateway) as client:
        for _ in range(6 if at_once == 1 else 2):
            await asyncio.gather(*(look_up(client, "slow") for _ in range(at_once)))
        known = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
        assert [type(each) for each in known] == [CustomerContext] * len(OTHERS)
        await asked(gateway)
        assert len(questions(gateway)) <= 3


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_ps7_that_is_away_is_soon_left_alone_and_found_again(
    gateway: ByteGateway, fault: str, said: pytest.LogCaptureFixture
) -> None:
    """Ten requests at most, then turns take no time; a question finds PS7 when it is back.

    It looks like a lookup to PS7, by a contextId that is made up anew each time, and has a line of
    its own.
    """
    answers: Any = gateway.answers
    answers.away = FAULTS[fault]
    async with client_of(gateway) as client:
        await until(client, "circuit_open")
        assert (len(gateway.requests) <= 10, len(questions(gateway))) == (True, 1)
        sent = len(gateway.requests)
        refused = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
        assert len(gateway.requests) == sent
        outcome = Outcome.DENIED if fault == "401" else Outcome.UNAVAILABLE
        assert {
            (str(each), each.outcome) for each in refused if isinstance(each, LookupFailed)
        } == {("circuit_open", outcome)}
        answers.away = None
        await until(client, "ok")
    names = {*questions(gateway)}
    assert len(names) == len(questions(gateway))
    assert {len(name) for name in names} == {len(QUESTION) + 32}
    own = [text for text in said.messages if text.startswith("PS7 question: ")]
    assert len(own) == len(names)
    assert "outcome=rejected reason=failure_code status=200 attempts=1 ms=" in own[-1]
    assert not any(name in said.text for name in names)


async def test_a_token_request_that_hung_before_the_question_does_not_open_the_circuit(
    gateway: ByteGateway,
) -> None:
    """All lookups waited for it until their deadline. The question waits for one of its own."""
    path = "/apigovernance/api/oauth/tokenByAkSk"
    hung = [FAULTS["silence"]]

    class Hanging(Answers):
        def __getitem__(self, name: str) -> Sequence[bytes | float]:
            return (hung.pop() if hung else TOKEN) if name == path else super().__getitem__(name)

    gateway.answers = Hanging()
    keys = {"app_key": "k", "app_secret": "s"}
    async with client_of(gateway, read_timeout=100, **keys) as client:
        ends = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
        assert {str(end) for end in ends} == {"deadline"}
        await asked(gateway)
        assert hung == []
        assert isinstance(await look_up(client, "ana"), CustomerContext)


async def test_a_client_that_is_closed_ends_its_question_without_a_word(
    gateway: ByteGateway, said: pytest.LogCaptureFixture
) -> None:
    """What it was asked for is over."""
    answers: Any = gateway.answers
    answers.away = FAULTS["silence"]
    async with client_of(gateway, attempts=1, breaker_failures=1) as client:
        while not questions(gateway):
            await look_up(client, "ana")
    assert not [text for text in said.messages if text.startswith("PS7 question")]
    assert len(asyncio.all_tasks()) == 1
