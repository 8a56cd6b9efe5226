"""The action server is away. Rasa goes on with the slots of before, and what a bot then says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.conversation.cast import BOTS
from tests.conversation.spoken import GREETINGS

if TYPE_CHECKING:
    from tests.conversation.harness import Bot, Stage
    from tests.conversation.talking import Chat

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ACCOUNT, BALANCE = "qual minha agência e conta", "qual meu saldo"
ANA_ACCOUNT = ["Você fala da agência 0341, conta 00123456."]


def alone(name: str) -> Bot:
    """Return a bot whose action server serves no other one, so that a test may kill it."""
    bot = BOTS[name]
    return replace(bot, settings={**bot.settings, "PS7_MAX_AGE": "3000"})


async def told(chat: Chat, *questions: str, **metadata: object) -> list[str]:
    """Ask, and return the answers in which a digit stands: of a CPF, an agency, an account."""
    answers = [text for question in questions for text in await chat.say(question, metadata)]
    return [text for text in answers if re.search(r"\d", text)]


async def test_the_example_bot_tells_nothing_of_a_customer(stage: Stage) -> None:
    """Ana is known; the server dies; she asks, and then Diego does in the same conversation."""
    bot = alone("oss_bot")
    chat = (await stage.open("oss_bot-alone", bot)).chat()
    assert await chat.say(ACCOUNT, {"contextId": "ana"}) == ANA_ACCOUNT
    assert len(await told(chat, BALANCE)) == 1

    await stage.kill_actions(bot)

    assert (await chat.slots())["account"] == "00123456", "this test shows nothing"
    assert await told(chat, BALANCE, ACCOUNT) == []
    assert await told(chat, BALANCE, ACCOUNT, contextId="diego") == []
    assert await chat.say("oi") == GREETINGS["Personnalité"], "a segment may be a turn too old"


async def test_the_bot_whose_rule_looks_up_tells_nothing_of_a_customer(stage: Stage) -> None:
    """The rule goes on after the lookup that could not run."""
    bot = alone("rule_bot")
    chat = (await stage.open("rule_bot-alone", bot)).chat()
    assert await chat.say(ACCOUNT, {"channel": {"contextId": "ana"}}) == ANA_ACCOUNT

    await stage.kill_actions(bot)

    assert (await chat.slots())["account"] == "00123456", "this test shows nothing"
    assert await told(chat, ACCOUNT) == []
    assert await told(chat, ACCOUNT, channel={"contextId": "diego"}) == []
