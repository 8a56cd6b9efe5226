"""The action server is away. Rasa goes on with the slots of before, and what a bot then says."""

from __future__ import annotations

import re

import pytest

from tests.conversation.cast import BOTS, signed_arrival
from tests.conversation.harness import Stage
from tests.conversation.spoken import ANA_ACCOUNT
from tests.conversation.talking import Chat, RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

ACCOUNT, BALANCE = "qual minha agência e conta", "qual meu saldo"


async def told(chat: Chat, *questions: str, **metadata: object) -> list[str]:
    """Ask, and return the answers in which a digit stands: of a CPF, an agency, an account."""
    answers = [text for question in questions for text in await chat.say(question, metadata)]
    return [text for text in answers if re.search(r"\d", text)]


@pytest.mark.parametrize(
    ("name", "questions"), [("oss_bot", (BALANCE, ACCOUNT)), ("rule_bot", (ACCOUNT,))]
)
async def test_without_its_action_server_a_bot_tells_nothing_of_a_customer(
    rasa_stage: Stage, rasa_bots: dict[str, RunningBot], name: str, questions: tuple[str, ...]
) -> None:
    """Ana is known; the server dies; she asks, and then Diego does in the same conversation.

    A rule goes on after the lookup that could not run. Where the session start is Rasa's own, the
    first message of a new conversation is answered as well.
    """
    chat = rasa_bots[name].chat()
    ana, diego = (
        signed_arrival(chat, who) if name == "rule_bot" else {"contextId": who}
        for who in ("ana", "diego")
    )
    assert await chat.say(ACCOUNT, ana) == ANA_ACCOUNT
    assert len(await told(chat, *questions)) == len(questions)

    async with rasa_stage.without_actions(BOTS[name]):
        slots = await chat.slots()
        assert slots["account"] == "00123456", "this test shows nothing"
        assert await told(chat, *questions) == []
        assert await told(chat, *questions, **diego) == []
        assert await rasa_bots[name].chat().say("que horas o banco abre?", ana) != []
