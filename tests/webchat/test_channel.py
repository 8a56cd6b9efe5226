"""The web chat's channel in a real Rasa: who gets in, what goes in, and what comes through."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest
import pytest_asyncio

from examples.channels.customer_text import LONGEST, TOO_LONG
from tests.conversation import spoken
from tests.conversation.cast import WEBCHAT_KEY
from tests.conversation.talking import RunningBot
from tests.support.waiting import until, within

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ANA, BRUNO = {"contextId": "ana"}, {"contextId": "bruno"}
BALANCE = "qual meu saldo"
_FRAME = re.compile(r"(4\d|\d)(\d*)(.*)", re.DOTALL)


def made_pass(conversation: str, metadata: object = None, **claims: Any) -> str:  # noqa: ANN401 - JSON
    """Sign a pass, as the page's server does; a claim that is None is left out."""
    key = claims.pop("key", WEBCHAT_KEY)
    every = {"sub": conversation, "exp": time.time() + 60, "metadata": metadata, **claims}
    return jwt.encode({name: each for name, each in every.items() if each is not None}, key)


class Socket:
    """A page without a browser, in the protocol of socket.io 5 over a WebSocket."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self.ws, self.hears = ws, True
        self.heard: list[Any] = []
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for frame in self.ws:
            found = _FRAME.fullmatch(str(frame.data))
            assert found
            kind, number, content = found.groups()
            if kind == "2":
                await self.ws.send_str("3")
            elif kind in {"40", "44"}:
                self._answers["connect"].set_result(kind == "40")
            elif kind == "43":
                self._answers[number].set_result(json.loads(content)[0])
            elif kind == "42":
                self.heard.append(json.loads(content)[1])
                if number and self.hears:
                    await self.ws.send_str(f"43{number}[]")

    async def _ask(self, number: str, sent: str) -> Any:  # noqa: ANN401 - JSON
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self.ws.send_str(sent)
        return await within(20, f"the channel's answer to {sent}", self._answers[number])

    async def shows(self, auth: object) -> bool:
        """Connect, and return whether the channel lets this page in."""
        return bool(await self._ask("connect", f"40{json.dumps(auth)}"))

    async def emits(self, *said: object) -> Any:  # noqa: ANN401 - JSON
        """Say something; return the acknowledgement."""
        number = str(len(self._answers))
        return await self._ask(number, f"42{number}{json.dumps(['user_uttered', *said])}")

    async def says(self, message: object, **more: object) -> Any:  # noqa: ANN401 - JSON
        return await self.emits({"message": message, **more})

    async def hears_more(self, number: int) -> list[Any]:
        """Wait until it has heard so much; return all."""
        await until(f"more than {self.heard}", lambda: len(self.heard) >= number, 20)
        return self.heard

    async def ends(self) -> None:
        """Wait until the channel closes it."""
        await within(20, "the channel closes the socket", self._reading)

    async def close(self) -> None:
        await self.ws.close()
        await self._reading


class Talk:
    """One conversation, its pages, and Rasa's API."""

    def __init__(self, bot: RunningBot, stack: AsyncExitStack) -> None:
        self._bot, self._stack = bot, stack
        self.chat = bot.chat(f"made-up_{uuid4().hex}")
        self.conversation = self.chat.sender

    async def socket(self) -> Socket:
        url = f"{self._bot.url}/socket.io/?EIO=4&transport=websocket"
        made = Socket(await self._bot.http.ws_connect(url))
        self._stack.push_async_callback(made.close)
        return made

    async def page(self, shown: str | None = None) -> Socket:
        made = await self.socket()
        assert await made.shows({"pass": shown or made_pass(self.conversation)})
        return made

    async def taken(self) -> list[list[Any]]:
        """Return what Rasa has of the customer."""
        own = ("contextId", "correlationId", "title")
        return [
            [
                event["text"],
                {name: told[name] for name in own if name in (told := event["metadata"])},
            ]
            for event in await self.chat.events()
            if event["event"] == "user"
        ]


@pytest_asyncio.fixture(loop_scope="session")
async def talk(oss_bot: RunningBot) -> AsyncIterator[Talk]:
    async with AsyncExitStack() as stack:
        yield Talk(oss_bot, stack)


async def test_a_page_gets_in_with_a_pass_of_ours(talk: Talk) -> None:
    """And with nothing else."""
    good, now = made_pass(talk.conversation), time.time()
    unsigned = jwt.encode({"sub": talk.conversation, "exp": now + 60}, "", "none")
    refused: list[Any] = [
        *(*NO_TEXTS, "x", {}, {"token": good}),
        *({"pass": each} for each in (*NO_TEXTS, "", "\ud800", good[:-2], f"{good}x", unsigned)),
        *({"pass": made_pass(talk.conversation, exp=each)} for each in (now - 1, None, "soon")),
        *({"pass": made_pass(each)} for each in ("short", "../../x/../conversations", "a" * 129)),
        {"pass": made_pass(talk.conversation, sub=None)},
        {"pass": made_pass(talk.conversation, key=f"{WEBCHAT_KEY} ")},
    ]
    for shown in refused:
        page = await talk.socket()
        assert not await page.shows(shown), shown
        await page.ws.send_str('420["user_uttered",{"message":"oi"}]')
    for shown in (good, made_pass("a" * 16), made_pass("a" * 128)):
        await talk.page(shown)
    assert await talk.taken() == []


async def test_the_back_end_says_what_a_message_brings(talk: Talk) -> None:
    """By a pass for this conversation, and not the browser; each page of it hears all."""
    shown: list[dict[str, Any]] = [
        {"pass": made_pass(talk.conversation, ANA), "id": "one"},
        {"pass": made_pass(uuid4().hex, BRUNO), "id": "no id: it has blanks"},
        {"pass": made_pass(talk.conversation, BRUNO, exp=1), "id": 3},
        {"metadata": BRUNO, "session_id": uuid4().hex, "customData": BRUNO},
    ]
    first, second = await talk.page(), await talk.page()
    stranger = await talk.page(made_pass(uuid4().hex))
    assert [await first.says(BALANCE, **each) for each in shown] == [{}] * 4
    expected = [{"text": each} for each in spoken.BALANCES["ana"] * 4]
    assert (await first.hears_more(4), await second.hears_more(4)) == (expected, expected)
    assert stranger.heard == []
    brought = [{**ANA, "correlationId": "one"}, *[{}] * 3]
    assert await talk.taken() == [[BALANCE, each] for each in brought]


NO_TEXTS: list[Any] = [None, 1, [], {"text": "oi"}]
NO_PAYLOADS: list[Any] = [*NO_TEXTS, "/affirm", "m_CSPtsDlmkvw0SYCSRH9g/affirm"]
"""The last is sealed for another conversation."""


async def test_what_is_typed_is_no_command_and_what_is_pressed_is(talk: Talk) -> None:
    """A payload comes back only to its own conversation; else its title is what she said.

    A page that opens says nothing: that greets. What is no text, or too long, does not go in.
    """
    page = await talk.page()
    await page.says("")
    buttons = [{"title": "Sim", "payload": "/affirm"}]
    await talk.chat.write({"text": "Quer?", "data": {"buttons": buttons}})
    assert [each["text"] for each in await page.hears_more(2)] == [*spoken.GREETING, "Quer?"]
    sealed = page.heard[-1]["quick_replies"][0]["payload"]
    assert await page.says("/ Sim", payload=sealed) == {}
    other = "B" if sealed.startswith("A") else "A"
    for forged in (*NO_PAYLOADS, sealed[:-1], f"{other}{sealed[1:]}"):
        assert await page.says("/ Sim", payload=forged) == {}
    for text in ("/\xa0/restart", "EXTERNAL: agent_returned", " a\nb ", "a" * LONGEST):
        assert await page.says(text) == {}
    assert await talk.taken() == [
        ["/greet", {}],
        ["/affirm", {"title": "Sim"}],
        *[["Sim", {}]] * (len(NO_PAYLOADS) + 2),
        *(["restart", {}], ["EXTERNAL: agent_returned", {}], ["a\nb", {}], ["a" * LONGEST, {}]),
    ]
    heard = [each["text"] for each in page.heard]
    assert "Estou de volta" not in " ".join(heard)
    no_text = {"refused": "no_text"}
    for odd in NO_TEXTS:
        assert await page.says(odd) == no_text
    for frame in (["oi"], [None], [[1]], []):
        assert await page.emits(*frame) == no_text
    assert await page.says("a" * (LONGEST + 1)) == {"refused": "too_long", "text": TOO_LONG}
    assert len(await talk.taken()) == 8 + len(NO_PAYLOADS)


async def test_more_than_a_message_may_have_keeps_nobody_waiting(talk: Talk) -> None:
    """Its page is closed before the bot reads it; another customer's answer comes as ever."""
    page, other = await talk.page(), await talk.page(made_pass(uuid4().hex))
    await page.ws.send_str(f'42["user_uttered",{{"message":"{"quero " * 150_000}"}}]')
    await other.says("que horas o banco abre?")
    assert [each["text"] for each in other.heard] == spoken.HOURS
    await page.ends()
    assert await talk.taken() == []
    assert not other.ws.closed


AGENT = {"text": "Olá\n\nAna", "metadata": {"agent": "Caio", "message_key": "k1"}}
HEARD = {"text": "Olá\n\nAna", "id": "k1", "agent": "Caio"}
CLOSED, DEAF = (
    "not delivered: the page is closed",
    "perhaps delivered: the page did not acknowledge it",
)


async def comes_back(talk: Talk, page: Socket) -> Socket:
    """Break off, and be back a second later, in another socket."""
    await page.close()
    await asyncio.sleep(1)
    return await talk.page()


async def stays(_: Talk, page: Socket) -> Socket:
    return page


async def has_two(talk: Talk, page: Socket) -> Socket:
    """Have another tab open, which hears nothing any more."""
    (await talk.page()).hears = False
    return page


async def is_deaf(_: Talk, page: Socket) -> Socket:
    page.hears = False
    return page


async def closes(_: Talk, page: Socket) -> Socket:
    await page.close()
    return page


@pytest.mark.parametrize(
    ("does", "ends"),
    [
        *((each, (200, "", [HEARD])) for each in (stays, has_two, comes_back)),
        (is_deaf, (500, DEAF, [HEARD])),
        (closes, (500, CLOSED, [])),
    ],
)
async def test_an_agent_learns_whether_a_page_was_there(
    talk: Talk, does: Callable[[Talk, Socket], Any], ends: tuple[int, str, list[Any]]
) -> None:
    """What did not come through is in no tracker: it did not happen."""
    page = await talk.page()
    await page.says("")
    page.heard.clear()
    doing = asyncio.create_task(does(talk, page))
    await asyncio.sleep(0.3)
    status, why = await talk.chat.write(AGENT)
    page = await doing
    assert (status, why, page.heard) == ends
    metadata = [event["metadata"] or {} for event in await talk.chat.events()]
    assert len([each for each in metadata if "message_key" in each]) == (status == 200)
