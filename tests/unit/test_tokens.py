"""The API Fabric token: when it is fetched, how it is shared, and how its failures come out."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from types import SimpleNamespace

import pytest

from actions.ps7 import PS7Settings, clock
from actions.ps7.lookup import tokens
from actions.ps7.lookup.tokens import Kept, Tokens
from actions.ps7.lookup.wire import HEADERS, Answer, Request
from actions.ps7.outcomes import LookupFailed, Reason
from tests.support.waiting import within

KEYS = {"app_key": "planted-app-key", "app_secret": "planted-app-secret"}


class Gateway:
    """The token endpoint: it answers as it is told, or hands out tokens, once it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
        self.asked: list[Request] = []
        self.replies: list[Answer | LookupFailed] = []
        self.now = 5000.0
        self.takes = 0.0
        """Seconds until it answers."""
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        monkeypatch.setattr(tokens, "time", SimpleNamespace(monotonic=lambda: self.now))
        login = {"base_url": "https://ps7.example", "username": "u", "password": "p"}
        given = PS7Settings.model_validate({**login, **KEYS, **settings})
        self.kept = Kept()
        self.begin = partial(Tokens, given, self.send, self.kept)
        """Begin with what an event loop has of its own."""
        self.tokens = self.begin()

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        number = len(self.asked)
        self.now += self.takes
        await self.may_answer.wait()
        reply = self.replies.pop(0) if self.replies else handed_out(f"planted-{number}")
        if isinstance(reply, LookupFailed):
            raise reply
        return reply

    async def get(self) -> str:
        """Return the text of the token that a lookup gets."""
        token, _ = await self.tokens.get()
        return token.text

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
    assert await gateway.get() == "planted-1"
    headers = {**HEADERS, "X-Token-Expire": "600"}
    url = "https://ps7.example/apigovernance/api/oauth/tokenByAkSk"
    assert gateway.asked == [Request(url, headers, json.dumps(KEYS).encode())]
    assert "planted" not in repr(vars(gateway.tokens))
    assert "planted" not in repr(gateway.kept)


@pytest.mark.parametrize("missing", KEYS)
def test_a_token_is_wanted_if_there_are_a_key_and_a_secret(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """A gateway may ask for the key only."""
    assert not Gateway(monkeypatch, **{missing: None}).tokens.are_wanted


@pytest.mark.parametrize(
    ("expires", "takes", "good_for"),
    [("600", 0.0, 540.0), (1, 0.0, 0.9), ("0.5", 0.0, 0.45), ("600", 539.0, 1.0)],
)
async def test_a_token_is_renewed_before_it_ends(
    gateway: Gateway, expires: object, takes: float, good_for: float
) -> None:
    """After nine tenths of its life, which the gateway may have counted since it was asked."""
    gateway.takes = takes
    gateway.replies = [handed_out("first", expires)]
    got = [await gateway.get()]
    for seconds in (good_for - 0.001, 0.002):
        gateway.now += seconds
        got.append(await gateway.get())
    assert got == ["first", "first", "planted-2"]


# A token that PS7 refuses


async def test_a_token_that_is_refused_is_replaced_once_for_all_who_hold_it(
    gateway: Gateway,
) -> None:
    """A late 401 about the old one gets the new one, and fetches none.

    Until there is another one it serves others: a gateway that hands out none takes nothing away.
    """
    old, _ = await gateway.tokens.get()
    gateway.replies = [Answer(429, {}, b"")]
    with pytest.raises(LookupFailed):
        await gateway.tokens.instead_of(old)
    assert await gateway.get() == "planted-1"
    newer = await asyncio.gather(*(gateway.tokens.instead_of(old) for _ in range(5)))
    assert {token.text for token in newer if token} == {"planted-3"}
    assert await gateway.tokens.instead_of(old) is newer[0]
    assert (await gateway.get(), len(gateway.asked)) == ("planted-3", 3)


async def test_a_token_that_was_refused_when_new_is_no_reason_to_fetch_another(
    gateway: Gateway,
) -> None:
    """It is used on for ten seconds, or to the end of its life: one fetch in that time at most."""
    token, _ = await gateway.tokens.get()
    for _ in range(3):
        gateway.now += 3.0
        gateway.tokens.doubt(token)
        assert await gateway.tokens.instead_of(token) is None
        assert await gateway.get() == "planted-1"
    gateway.now += 4.001
    second, is_new = await gateway.tokens.get()
    assert (second.text, len(gateway.asked)) == ("planted-2", 2)
    assert is_new
    gateway.now += 539.0
    gateway.tokens.doubt(second)
    gateway.now += 1.0
    assert await gateway.get() == "planted-3"


# Lookups at the same time


async def test_lookups_at_once_wait_for_one_fetch(gateway: Gateway) -> None:
    """If it fails, each has an error of its own: an error keeps where it was raised.

    The token is new to each: to be refused with it says that the token is not to blame.
    """
    gateway.replies = [Answer(401, {}, b"")]
    failures = await asyncio.gather(*(gateway.fails() for _ in range(20)))
    assert len({id(failure) for failure in failures}) == 20
    assert {failure.reason for failure in failures} == {Reason.TOKEN_REFUSED}
    got = await asyncio.gather(*(gateway.tokens.get() for _ in range(20)))
    assert {(token.text, is_new) for token, is_new in got} == {("planted-2", True)}
    token, is_new = await gateway.tokens.get()
    assert token == got[0][0]
    assert not is_new
    assert len(gateway.asked) == 2


async def _given_up(gateway: Gateway) -> None:
    """Begin a lookup, and cancel it while its token is fetched."""
    gateway.may_answer.clear()
    first = asyncio.create_task(gateway.get())
    for _ in range(2):
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])


@pytest.mark.usefixtures("no_complaints")
async def test_a_lookup_that_is_cancelled_does_not_take_the_fetch_from_the_others(
    gateway: Gateway,
) -> None:
    """Not even the one that began it; and if nobody is left, its failure is nobody's."""
    await _given_up(gateway)
    second = asyncio.create_task(gateway.get())
    await asyncio.sleep(0)
    gateway.may_answer.set()
    assert await second == "planted-1"

    gateway.now += 600.0
    gateway.replies = [Answer(500, {}, b"")]
    await _given_up(gateway)
    gateway.may_answer.set()
    for _ in range(2):
        await gateway.tokens.join()
    assert await gateway.get() == "planted-3"


async def test_a_fetch_has_a_deadline_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends where no lookup is left to end it."""
    gateway = Gateway(monkeypatch, deadline=0.05, read_timeout=60)
    await _given_up(gateway)
    failure = await within(5, "the fetch ends", gateway.fails())
    assert failure.reason is Reason.DEADLINE


@pytest.mark.usefixtures("no_complaints")
def test_a_fetch_ends_with_its_event_loop_and_a_token_does_not(gateway: Gateway) -> None:
    """A lookup in another loop begins its own; a token belongs to the process."""
    asyncio.run(_given_up(gateway))
    gateway.may_answer = asyncio.Event()
    gateway.may_answer.set()
    for _ in range(2):
        gateway.tokens = gateway.begin()
        assert asyncio.run(gateway.get()) == "planted-2"


# Failures


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((status, Reason.TOKEN_REFUSED) for status in (400, 401, 403)),
        (429, Reason.TOO_MANY_REQUESTS),
        *((status, Reason.TOKEN_UNAVAILABLE) for status in (201, 500, 503)),
    ],
)
async def test_a_status_that_gives_no_token(gateway: Gateway, status: int, reason: Reason) -> None:
    """Refused credentials, too many requests, or no token for whatever reason."""
    gateway.replies = [Answer(status, {"retry-after": "60"}, b"planted")]
    failure = await gateway.fails()
    assert (failure.reason, failure.status, failure.retry_after) == (reason, status, 60.0)
    assert await gateway.get() == "planted-2"


async def test_a_date_may_say_when_to_ask_again(gateway: Gateway) -> None:
    """By the clock of this moment, as in an answer of PS7."""
    later = clock.utc_now() + timedelta(seconds=60)
    gateway.replies = [Answer(503, {"retry-after": format_datetime(later, usegmt=True)}, b"")]
    wait = (await gateway.fails()).retry_after
    assert wait is not None
    assert 50 < wait <= 60


NO_LIVES = ("0", "abc", None, "inf", [600])
NO_TOKENS = (None, ["planted"], "planted\r\nuserName: x", "planted\u00e9")
NO_OBJECTS = (b"", b'["planted"]', b'{"Expires": "600"}', b'{"AccessToken": "planted"}')
UNREADABLE = [
    *(Answer(200, {}, body) for body in NO_OBJECTS),
    *(handed_out("planted", expires) for expires in NO_LIVES),
    *(handed_out(token) for token in NO_TOKENS),
    LookupFailed(Reason.ANSWER_TOO_LARGE, 200),  # as it comes from below
    LookupFailed(Reason.NOT_HTTP, 200),
]


@pytest.mark.parametrize("reply", UNREADABLE)
async def test_an_answer_that_is_no_token(gateway: Gateway, reply: Answer | LookupFailed) -> None:
    """It is not used, not kept, and not asked for again before the next lookup."""
    gateway.replies = [reply]
    failure = await gateway.fails()
    assert (failure.reason, failure.status) == (Reason.TOKEN_UNREADABLE, 200)
    assert await gateway.get() == "planted-2"
