"""Between a service's 200 and the turn: once, in order, not too many, and counted at the end."""

from __future__ import annotations

import asyncio
import socket
import time
from functools import partial
from types import SimpleNamespace

import pytest

from examples.channels import inbox as module
from examples.channels.cloud_api import MAX_AGE
from examples.channels.inbox import Inbox
from tests.support.waiting import within

# redis-py 4, which comes with Rasa, lets go of a connection before it is closed.
LETS_GO = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning",
    "ignore:.*(StreamWriter|SelectorTransport|socket.socket):"
    "pytest.PytestUnraisableExceptionWarning",
)


@LETS_GO
async def test_a_delivery_is_taken_once_by_all_servers(redis: str) -> None:
    """By two servers, and after a restart. An address is known to both."""
    one, two = Inbox("whatsapp", redis), Inbox("whatsapp", redis)
    assert [await one.is_new("a"), await two.is_new("a")] == [True, False]
    another = Inbox("another", redis)
    assert await another.is_new("a")
    await one.remember("sender", "5511912345678")
    assert await two.address("sender") == "5511912345678"
    assert await two.address("nobody") is None
    for inbox in (one, two, another):
        await inbox.close(0)


@LETS_GO
async def test_without_its_redis_a_message_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Perhaps twice. It costs half a second, and a line that names neither message nor sender."""
    assert module.PATIENCE <= 0.5
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        inbox = Inbox("whatsapp", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        assert await inbox.is_new("wamid.a")
        silent.listen()
        assert await within(5, "a silent Redis holds nobody up", inbox.is_new("wamid.a"))
        await inbox.remember("sender", "5511912345678")
        assert await inbox.address("sender") is None
        await inbox.close(0)
    away, slow = (f"Redis did not answer ({kind}Error)" for kind in ("Connection", "Timeout"))
    assert inbox.counts == {away: 1, slow: 3}
    assert caplog.messages == [
        f"whatsapp: {what}, {number} so far"
        for what, number in ((away, 1), (slow, 1), (slow, 2), (slow, 3))
    ]


async def test_what_is_remembered_has_an_age_and_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first. A delivery is known while it would be answered, an address for a day.

    What is kept anew is not the oldest any more.
    """
    monkeypatch.setattr(module, "MOST", 2)
    inbox, now = Inbox("whatsapp"), time.monotonic()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    assert [await inbox.is_new(each) for each in "aabca"] == [True, False, True, True, True]
    another = Inbox("whatsapp")
    alike = ["wamid.a", "wamid.A", " wamid.a", "wamid.\u00e1", "wamid.a\u0301"]
    assert [await another.is_new(each) for each in alike] == [True] * len(alike)
    for address in ("5511912345678", "5521912345678"):
        await another.remember("Ana", address)
        assert await another.address("Ana") == address, "where they wrote last"
    assert [await another.address(each) for each in ("ana", "Ana ", "An")] == [None] * 3
    await inbox.remember("a", "5511912345678")
    now += MAX_AGE + 60
    assert [await inbox.is_new(each) for each in "aa"] == [False, False]
    now += 23 * 3600 - MAX_AGE
    assert [await inbox.is_new(each) for each in "aa"] == [True, False]
    assert await inbox.address("a") == "5511912345678"
    assert await inbox.is_new("b")
    assert await inbox.address("a") is None
    assert not await inbox.is_new("a")
    await inbox.remember("a", "5511912345678")
    now += 24 * 3600
    assert await inbox.address("a") is None


async def test_a_sender_is_answered_in_order_and_others_meanwhile() -> None:
    """A turn that fails does not stop the next, and its text is in no line."""
    inbox, done, gate = Inbox("whatsapp"), list[str](), asyncio.Event()

    def turn(name: str) -> module.Turn:
        async def run() -> None:
            if name == "a1":
                await gate.wait()
            if name == "a2":
                raise ValueError("5511912345678")
            done.append(name)

        return run

    for name in ("a1", "a2", "a3", "b1"):
        inbox.take(name[0], turn(name))
    await asyncio.sleep(0.05)
    assert done == ["b1"]
    inbox.take("b", turn("b2"))
    gate.set()
    await inbox.close(1)
    assert done == ["b1", "b2", "a1", "a3"]
    assert inbox._workers == set(), "nothing is kept of a sender"
    assert inbox.counts == {"a turn failed (ValueError)": 1}


async def test_of_a_flood_the_newest_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    """40 messages of one sender: the log-out, which is the last, is among the answered."""
    inbox, done = Inbox("whatsapp"), list[int]()

    async def run(number: int) -> None:
        await asyncio.sleep(0.001)
        done.append(number)

    inbox.take("a", partial(run, 0))
    await asyncio.sleep(0)
    for number in range(1, 40):
        inbox.take("a", partial(run, number))
    await inbox.close(5)
    assert done == [0, *range(30, 40)]
    assert caplog.messages[-1].endswith("gave way to newer ones of its sender, 29 so far")


async def test_what_is_not_answered_at_the_end_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """What runs and what waits, in one line; what can end in time does."""
    inbox, done = Inbox("whatsapp"), list[float]()

    async def run(seconds: float) -> None:
        await asyncio.sleep(seconds)
        done.append(seconds)

    for sender, seconds in (("a", 9), ("a", 0.05), ("b", 0.05)):
        inbox.take(sender, partial(run, seconds))
    await inbox.close(0.3)
    assert done == [0.05]
    (line,) = caplog.records
    assert line.getMessage() == "whatsapp: messages were not answered before the end, 2 so far"
    assert line.levelname == "WARNING"
    await asyncio.sleep(0.05)
    assert inbox._workers == set(), "what takes too long ends"
