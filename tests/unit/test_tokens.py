"""The API Fabric token: when it is fetched, how it is shared, and how its failures come out."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from actions.ps7 import PS7Settings
from actions.ps7.lookup import tokens
from actions.ps7.lookup.tokens import Tokens
from actions.ps7.lookup.wire import Answer, Request
from actions.ps7.outcomes import DeadlineExceeded, LookupFailed, Reason, UnreadableAnswer

KEYS = {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}
LOGIN = {"base_url": "https://ps7.example", "username": "u", "password": "p"}


class Gateway:
    """The token endpoint: it answers as it is told, or hands out tokens, once it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
        self.asked: list[Request] = []
        self.replies: list[Answer | LookupFailed] = []
        self.now = 5000.0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        clock = SimpleNamespace(monotonic=lambda: self.now)
        monkeypatch.setattr(tokens, "time", clock)
        given = PS7Settings.model_validate({**LOGIN, **KEYS, **settings})
        self.tokens = Tokens(given, self.send)

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        number = len(self.asked)
        await self.may_answer.wait()
        reply = self.replies.pop(0) if self.replies else handed_out(f"planted-{number}")
        if isinstance(reply, LookupFailed):
            raise reply
        return reply

    async def fails(self) -> LookupFailed:
        with pytest.raises(LookupFailed) as caught:
            await self.tokens.get()
        return caught.value


def handed_out(token: object, expires: object = "600") -> Answer:
    """Return an answer as it is documented."""
    body = {"AccessToken": token, "ApplyType": "Bearer", "Expires": expires, "UserID": "1"}
    return Answer(200, {}, json.dumps(body).encode())


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """Return a gateway, and what asks it."""
    return Gateway(monkeypatch)


@pytest.fixture
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test of which an event loop has something to say."""
    yield
    gc.collect()
    assert [record for record in caplog.get_records("call") if record.name == "asyncio"] == []


async def test_a_token_is_asked_for_as_the_interface_says(gateway: Gateway) -> None:
    """The life that is asked for, key and secret in the body only; nothing of it is shown."""
    assert gateway.tokens.are_wanted
    assert await gateway.tokens.get() == "planted-1"
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "X-Token-Expire": "600",
    }
    url = "https://ps7.example/apigovernance/api/oauth/tokenByAkSk"
    assert gateway.asked == [Request(url, headers, json.dumps(KEYS).encode())]
    assert "planted" not in repr(vars(gateway.tokens))


@pytest.mark.parametrize("missing", KEYS)
def test_a_token_is_wanted_if_there_are_a_key_and_a_secret(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """A gateway may ask for the key only."""
    assert not Gateway(monkeypatch, **{missing: None}).tokens.are_wanted


@pytest.mark.parametrize(("expires", "good_for"), [("600", 540.0), (60, 54.0), ("1.5", 1.35)])
async def test_a_token_is_renewed_before_it_ends(
    gateway: Gateway, expires: object, good_for: float
) -> None:
    """After nine tenths of its life, counted from the moment at which it was asked for."""
    gateway.replies = [handed_out("first", expires)]
    got = [await gateway.tokens.get()]
    for seconds in (good_for - 0.001, 0.002):
        gateway.now += seconds
        got.append(await gateway.tokens.get())
    assert got == ["first", "first", "planted-2"]


async def test_only_the_token_that_was_refused_is_dropped(gateway: Gateway) -> None:
    """A late 401 about the old one does not take the new one from the others."""
    gateway.tokens.drop("none yet")
    await gateway.tokens.get()
    gateway.tokens.drop("planted-0")
    assert await gateway.tokens.get() == "planted-1"
    gateway.tokens.drop("planted-1")
    assert await gateway.tokens.get() == "planted-2"


# Lookups at the same time


async def test_lookups_at_once_wait_for_one_fetch(gateway: Gateway) -> None:
    """If it fails, each has its own error, about one event: it counts once for the breaker."""
    gateway.replies = [Answer(401, {}, b"")]
    failures = await asyncio.gather(*(gateway.fails() for _ in range(20)))
    assert len({id(failure) for failure in failures}) == 20
    assert len({id(failure.event) for failure in failures}) == 1
    assert {await gateway.tokens.get() for _ in range(20)} == {"planted-2"}
    assert len(gateway.asked) == 2


async def _given_up(gateway: Gateway) -> None:
    """Begin a lookup, and cancel it while its token is fetched."""
    gateway.may_answer.clear()
    first = asyncio.create_task(gateway.tokens.get())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()


@pytest.mark.usefixtures("no_complaints")
async def test_a_lookup_that_is_cancelled_does_not_take_the_fetch_from_the_others(
    gateway: Gateway,
) -> None:
    """Not even the one that began it; and if nobody is left, its failure is nobody's."""
    await _given_up(gateway)
    second = asyncio.create_task(gateway.tokens.get())
    await asyncio.sleep(0)
    gateway.may_answer.set()
    assert await second == "planted-1"

    gateway.tokens.drop("planted-1")
    gateway.replies = [Answer(500, {}, b"")]
    await _given_up(gateway)
    gateway.may_answer.set()
    await gateway.tokens.join()
    await gateway.tokens.join()
    assert await gateway.tokens.get() == "planted-3"


async def test_a_fetch_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends where no lookup is left to end it."""
    gateway = Gateway(monkeypatch, deadline=0.05)
    await _given_up(gateway)
    failure = await gateway.fails()
    assert (type(failure), failure.reason) == (DeadlineExceeded, Reason.DEADLINE)


@pytest.mark.usefixtures("no_complaints")
def test_a_fetch_ends_with_its_event_loop_and_a_token_does_not(gateway: Gateway) -> None:
    """A lookup in another loop begins its own; a token belongs to the process."""
    asyncio.run(_given_up(gateway))
    gateway.may_answer = asyncio.Event()
    gateway.may_answer.set()
    assert [asyncio.run(gateway.tokens.get()) for _ in range(2)] == ["planted-2"] * 2


# Failures


@pytest.mark.parametrize("status", [400, 401, 403, 201, 429, 500, 503])
async def test_a_status_that_gives_no_token(gateway: Gateway, status: int) -> None:
    """Credentials that are refused are `denied`; all else is `unavailable`, for a while perhaps."""
    gateway.replies = [Answer(status, {"retry-after": "60"}, b"planted")]
    failure = await gateway.fails()
    refused = status in (400, 401, 403)
    assert (failure.outcome.value, failure.reason, failure.status, failure.retry_after) == (
        ("denied", Reason.TOKEN_REFUSED, status, None)
        if refused
        else ("unavailable", Reason.TOKEN_UNAVAILABLE, status, 60.0)
    )
    assert failure.retryable is (status in (429, 503))
    assert await gateway.tokens.get() == "planted-2"


NO_LIVES = ("0", "abc", None, "inf", [600])
NO_TOKENS = (None, ["planted"], "planted\r\nuserName: x", "planted\u00e9")
BODIES = [
    *(b"", b'["planted"]', b'{"Expires": "600"}', b'{"AccessToken": "planted"}'),
    *(handed_out("planted", expires).body for expires in NO_LIVES),
    *(handed_out(token).body for token in NO_TOKENS),
]
UNREADABLE = [
    *(Answer(200, {}, body) for body in BODIES),
    UnreadableAnswer(Reason.ANSWER_TOO_LARGE, 200),  # as the transport says
]


@pytest.mark.parametrize("reply", UNREADABLE)
async def test_an_answer_that_is_no_token(gateway: Gateway, reply: Answer | LookupFailed) -> None:
    """It is not used, not kept, and not asked for again before the next lookup."""
    gateway.replies = [reply]
    failure = await gateway.fails()
    assert (type(failure), failure.status) == (UnreadableAnswer, 200)
    assert failure.reason is Reason.TOKEN_UNREADABLE
    assert await gateway.tokens.get() == "planted-2"
