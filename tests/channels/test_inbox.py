"""Between a service's 200 and the turn: once, in order, not too many, and counted at the end."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from types import SimpleNamespace

import pytest

from examples.channels import inbox as module
from examples.channels.cloud_api import MAX_AGE
from examples.channels.inbox import Inbox


async def test_a_delivery_is_taken_once_in_one_process() -> None:
    """Without Redis a second process, or a restart, takes it again."""
    inbox = Inbox("whatsapp")
    assert [await inbox.is_new(each) for each in "aab"] == [True, False, True]
    assert await Inbox("whatsapp").is_new("a")


# redis-py 4, which comes with Rasa, lets go of a connection before it is closed.
@pytest.mark.filterwarnings("ignore:.*StreamWriter:pytest.PytestUnraisableExceptionWarning")
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


@pytest.mark.parametrize(
    ("listens", "error"),
    [(False, "ConnectionError"), (True, "TimeoutError")],
    ids=["away", "silent"],
)
async def test_without_its_redis_a_message_is_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, listens: bool, error: str
) -> None:
    """Perhaps twice. It costs half a second, and a line that names neither message nor sender."""
    assert module.PATIENCE <= 0.5
    if listens:
        monkeypatch.setattr(module, "PATIENCE", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listens:
            silent.listen()
        inbox = Inbox("whatsapp", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        asked = (inbox.is_new("wamid.a"), inbox.is_new("wamid.a"))
        assert [*await asyncio.wait_for(asyncio.gather(*asked), 5)] == [True, True]
        await inbox.remember("sender", "5511912345678")
        assert await inbox.address("sender") is None
    assert inbox.counts == {f"Redis did not answer ({error})": 4}
    assert "wamid" not in caplog.text
    assert "5511912345678" not in caplog.text


async def test_what_is_remembered_has_an_age_and_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first. A delivery is known while it would be answered, an address for a day.

    What is kept anew is not the oldest any more.
    """
    monkeypatch.setattr(module, "MOST", 2)
    inbox, now = Inbox("whatsapp"), time.monotonic()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now))
    assert [await inbox.is_new(each) for each in "abca"] == [True, True, True, True]
    await inbox.remember("a", "5511912345678")
    now += MAX_AGE + 60
    assert [await inbox.is_new(each) for each in "aa"] == [False, False]
    now += 23 * 3600 - MAX_AGE
    assert [await inbox.is_new(each) for each in "aa"] == [True, False]
    assert await inbox.address("a") == "5511912345678"
    assert await inbox.is_new("b")
    assert (await inbox.address("a"), await inbox.is_new("a")) == (None, False)
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
    """400 messages of one sender: the log-out, which is the last, is among the answered."""
    inbox, done = Inbox("whatsapp"), list[int]()

    async def run(number: int) -> None:
        await asyncio.sleep(0.001)
        done.append(number)

    inbox.take("a", lambda: run(0))
    await asyncio.sleep(0)
    for number in range(1, 400):
        inbox.take("a", lambda number=number: run(number))  # type: ignore[misc]
    inbox.take("b", lambda: run(1000))
    await inbox.close(5)
    assert [each for each in done if each < 1000] == [0, *range(390, 400)]
    assert 1000 in done
    assert sum(inbox.counts.values()) == 389
    assert "gave way to newer ones of its sender, 389 so far" in caplog.text


async def test_what_is_not_answered_at_the_end_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """What runs and what waits, in one line; what can end in time does."""
    caplog.set_level(logging.INFO)
    inbox, done = Inbox("whatsapp"), list[str]()

    async def slow() -> None:
        await asyncio.sleep(9)

    async def quick() -> None:
        await asyncio.sleep(0.05)
        done.append("quick")

    for sender, turn in (("a", slow), ("a", quick), ("b", quick)):
        inbox.take(sender, turn)
    await inbox.close(0.5)
    assert done == ["quick"]
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["whatsapp: messages were not answered before the end, 2 so far"]
