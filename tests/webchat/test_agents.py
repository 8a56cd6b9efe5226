"""Two agents at a real desk, and Ana in her browser: what each of them sees of a hand-over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.conversation.spoken import NO_BALANCE
from tests.support.agents import CAIO, JOINED, LIA, NEVER_CAME, RETURNED, Opened
from tests.webchat.test_leaving import arrived
from tests.webchat.visit import A_PERSON, ASK

if TYPE_CHECKING:
    from tests.conversation.harness import Stage
    from tests.conversation.talking import RunningBot
    from tests.webchat.visit import Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

HELLO, AGAIN = "Olá, aqui é o Caio.", "Ainda aí?"


async def test_two_agents_and_ana(
    visitors: Visitors, oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """The first has her, and hears if her page was not there; the same key then reaches her, once.

    After the return nobody of the desk reads or writes any more, and the bot does not know her.
    """
    visit = await visitors()
    line = await arrived(visit)
    desks, agents = (visit.page.locator(f".message.{each} .words") for each in ("desk", "agent"))
    await visit.say(A_PERSON, 2)
    await visit.is_in("waiting")
    async with Opened(oss_bot.url) as desk:
        await desk.takes(rasa_stage.handed_over()[-1])
        assert await desk.does("PUT", CAIO, "/agent") == {"delivered": True}
        await visit.is_in("agent")
        assert [
            await desk.does("PUT", LIA, "/agent"),
            await desk.does("POST", LIA, "/messages", "Oi, sou a Lia."),
            await desk.does("GET", LIA, "/messages"),
        ] == [409] * 3
        assert await desk.does("POST", CAIO, "/messages", HELLO) == {"delivered": True}
        again = CAIO | {"Idempotency-Key": "again"}
        async with line.cut():
            assert await desk.does("POST", again, "/messages", AGAIN) == 502
        for _ in range(2):
            assert await desk.does("POST", again, "/messages", AGAIN) == {"delivered": True}
        await visit.say(ASK, 3)
        read = await desk.does("GET", CAIO, "/messages")
        assert [line["text"] for line in read] == [JOINED, HELLO, AGAIN, ASK]
        assert await desk.does("DELETE", CAIO) == {"delivered": True}
        await visit.is_in("back")
        for agent in (CAIO, LIA):
            assert await desk.does("GET", agent, "/messages") == 410
            assert await desk.does("POST", agent, "/messages", "x") == 410
    await expect(agents).to_have_text([HELLO, AGAIN])
    await expect(desks).to_have_text([JOINED, RETURNED])
    await visit.say(ASK, 4)
    await expect(visit.page.locator(".message.bot").last).to_contain_text(*NO_BALANCE["missing"])


async def test_nobody_comes(visitors: Visitors, oss_bot: RunningBot, rasa_stage: Stage) -> None:
    """The desk says so, and the bot is back."""
    visit = await visitors()
    await visit.arrive("nobody")
    await visit.say(A_PERSON, 2)
    async with Opened(oss_bot.url, patience=0) as desk:
        await desk.takes(rasa_stage.handed_over()[-1])
        await visit.is_in("back")
        await expect(visit.page.locator(".message.desk .words")).to_have_text(NEVER_CAME)
        assert await desk.does("PUT", CAIO, "/agent") == 410
