"""One contextId keeps nobody else out; a PS7 that is away, or refuses us, is soon left alone."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from actions.ps7 import CustomerContext, LookupFailed, PS7Client
from tests.host.byte_gateway import ANA, ByteGateway
from tests.host.loopback import RESET, http
from tests.host.test_client import lines, settings_for

pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated")]

QUESTION = "ps7-question-"
TOKEN_PATH = "/apigovernance/api/oauth/tokenByAkSk"
UNKNOWN = [http(json.dumps({"code": "1"}).encode())]
TOKEN = [http(json.dumps({"AccessToken": "planted-token", "Expires": "600"}).encode())]
FAULTS: dict[str, Sequence[bytes | float]] = {
    **{status: [http(status=f"{status} Status")] for status in ("401", "403", "502", "503", "504")},
    "reset": [RESET],
    "silence": [60.0],
}
DENIED = ("401", "403")
OTHERS = [f"other-{number}" for number in range(10)]
each_fault = pytest.mark.parametrize("fault", FAULTS)
with_token = pytest.mark.parametrize("keys", [{}, {"app_key": "k", "app_secret": "s"}])


class Answers(dict[str, Sequence[bytes | float]]):
    """What a gateway answers: a fault about one contextId, or about any while PS7 is away."""

    away: Sequence[bytes | float] | None = None

    def __getitem__(self, name: str) -> Sequence[bytes | float]:
        if name == TOKEN_PATH:
            return TOKEN
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


async def until(client: PS7Client, reason: str, seconds: float) -> float:
    """Look up until a lookup ends like this; return how long that took."""
    began = time.monotonic()
    ended = ""
    while ended != reason:
        assert time.monotonic() < began + seconds, ended
        end = await look_up(client, "ana")
        ended = end.reason.value if isinstance(end, LookupFailed) else "ok"
        await asyncio.sleep(0.05)  # as people take a while
    return time.monotonic() - began


def asked(gateway: ByteGateway) -> list[str]:
    """Return what PS7 itself was asked about."""
    return [name for _, name in gateway.requests if name != TOKEN_PATH]


def questions(gateway: ByteGateway) -> int:
    return sum(name.startswith(QUESTION) for name in asked(gateway))


@each_fault
@with_token
@pytest.mark.parametrize("at_once", [1, 8])
async def test_one_context_id_keeps_nobody_else_out(
    gateway: ByteGateway, keys: dict[str, str], fault: str, at_once: int
) -> None:
    """Neither one message after another nor eight at once: ten of ten others are known."""
    gateway.answers["slow"] = FAULTS[fault]  # type: ignore[index]
    async with client_of(gateway, **keys) as client:
        for _ in range(6 if at_once == 1 else 2):
            await asyncio.gather(*(look_up(client, "slow") for _ in range(at_once)))
        known = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
        assert [type(each) for each in known] == [CustomerContext] * len(OTHERS)
        assert 1 <= questions(gateway) <= 3


@each_fault
@with_token
async def test_a_ps7_that_is_away_is_soon_left_alone_and_found_again(
    gateway: ByteGateway, keys: dict[str, str], fault: str, said: pytest.LogCaptureFixture
) -> None:
    """Ten requests at most, then turns take no time; and two resets at most after its return."""
    answers: Any = gateway.answers
    answers.away = FAULTS[fault]
    async with client_of(gateway, **keys) as client:
        await until(client, "circuit_open", 10)
        assert len(asked(gateway)) <= 10
        assert questions(gateway) == 1
        began = time.monotonic()
        refused = [await look_up(client, name) for name in OTHERS]
        assert time.monotonic() - began < 0.1
        outcome = "denied" if fault in DENIED else "unavailable"
        assert {each.outcome.value for each in refused if isinstance(each, LookupFailed)} == {
            outcome
        }
        assert len(asked(gateway)) <= 10
        answers.away = None
        assert await until(client, "ok", 5) < 0.4 * 2 + 0.3
    assert [line for line in lines(said) if line[1] == "ok"]
    warned = [each.getMessage() for each in said.records if each.levelno > logging.INFO]
    assert warned == [
        "Circuit breaker open after 5 failures; next probe in 0.4 s",
        "Circuit breaker closed: PS7 answers again",
    ]


async def test_a_question_looks_like_a_lookup_to_ps7_and_like_none_to_the_bot(
    gateway: ByteGateway, said: pytest.LogCaptureFixture
) -> None:
    """A contextId that nobody has, made up anew each time; a line of its own."""
    gateway.answers["slow"] = FAULTS["503"]  # type: ignore[index]
    async with client_of(gateway) as client:
        for _ in range(10):
            await look_up(client, "slow")
            await asyncio.sleep(0.02)
    made_up = [name for name in asked(gateway) if name.startswith(QUESTION)]
    assert len({*made_up}) == len(made_up) == 2
    assert all(len(name) == len(QUESTION) + 32 for name in made_up)
    own = [text for text in said.messages if text.startswith("PS7 question: ")]
    assert len(own) == len(made_up)
    assert all("outcome=rejected reason=failure_code status=200 attempts=1 ms=" in t for t in own)
    assert len(lines(said)) == 10
    assert not any(name in said.text for name in made_up)


async def test_a_failed_token_request_counts_once_for_all_who_waited_for_it(
    gateway: ByteGateway,
) -> None:
    """Each of them has an error of its own."""

    class Refusing(Answers):
        def __getitem__(self, name: str) -> Sequence[bytes | float]:
            return FAULTS["401"] if name == TOKEN_PATH else super().__getitem__(name)

    gateway.answers = Refusing()
    async with client_of(gateway, app_key="k", app_secret="s") as client:
        for _ in range(4):
            ends = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
            assert len({id(end) for end in ends}) == len(OTHERS)
            assert {str(end) for end in ends} == {"token_refused (HTTP 401)"}
        assert client._policy._failed_in_a_row == 4
    assert [name for _, name in gateway.requests] == [TOKEN_PATH] * 4


async def test_a_token_request_that_hung_before_the_question_does_not_open_the_circuit(
    gateway: ByteGateway,
) -> None:
    """All lookups waited for it until their deadline. The question waits for one of its own."""
    hung = [FAULTS["silence"]] * 2

    class Hanging(Answers):
        def __getitem__(self, name: str) -> Sequence[bytes | float]:
            return hung.pop() if name == TOKEN_PATH and hung else super().__getitem__(name)

    gateway.answers = Hanging()
    async with client_of(gateway, app_key="k", app_secret="s") as client:
        ends = await asyncio.gather(*(look_up(client, name) for name in OTHERS))
        assert {str(end) for end in ends} == {"deadline"}
        await asyncio.sleep(0.2)
        assert (hung, questions(gateway)) == ([], 1)
        assert isinstance(await look_up(client, "ana"), CustomerContext)


async def test_a_client_that_is_closed_ends_its_question_without_a_word(
    gateway: ByteGateway, said: pytest.LogCaptureFixture
) -> None:
    """What it was asked for is over."""
    answers: Any = gateway.answers
    answers.away = FAULTS["silence"]
    async with client_of(gateway, attempts=1) as client:
        await asyncio.gather(*(look_up(client, name) for name in OTHERS))
        await asyncio.sleep(0.05)
        assert questions(gateway) == 1
        said.clear()
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.sleep(0.4), 1)
    assert [text for text in said.messages if "question" not in text] == []
    assert len(asyncio.all_tasks()) == 1
