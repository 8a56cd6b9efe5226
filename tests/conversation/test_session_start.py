"""`PS7SessionStart` in a bot whose lookup runs where a session starts: who is greeted, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conversation.spoken import is_unknown
from tests.conversation.talking import down

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator
    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
PERSONNALITE, PRIVATE = ["Bem-vinda ao Personnalité."], ["Bem-vindo ao Private."]
WELCOME = ["Bem-vindo ao banco."]
ANA, DIEGO = ["Estado ok, conta 00123456."], ["Estado ok, conta 00900019."]
NOT_KNOWN = ["Estado missing, conta None."]


async def test_the_first_message_is_answered_to_a_known_customer(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """Before any rule is read the segment is there; later turns ask PS7 nothing.

    The Rasa of the forgetful lobby sends the domain only where `send_domain` asks for it.
    """
    chat, anonymous = any_lobby.chat(), any_lobby.chat()

    assert await anonymous.say("oi") == WELCOME
    await is_unknown(anonymous, "missing")
    assert ps7.requests == []
    assert await chat.say("oi", {"contextId": "ana"}) == PERSONNALITE
    assert await chat.say("quem sou eu") == ANA
    assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]
    await chat.execute("action_ps7_forget")
    await is_unknown(chat, "missing")


async def test_ps7_is_down_and_the_first_message_is_answered_all_the_same(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """The session starts without a customer, who is looked up again on a later turn."""
    chat = any_lobby.chat()
    async with down(ps7):
        assert await chat.say("oi", {"contextId": "ana"}) == WELCOME
        await is_unknown(chat, "unavailable")

    assert await chat.say("quem sou eu") == ANA


async def test_a_second_session_without_a_context_id(
    lobby: RunningBot, forgetful_lobby: RunningBot
) -> None:
    """Slots of the bot and of the customer stay where the domain says so, and only there."""
    for bot, language, greeting, who in (
        (lobby, "en", PERSONNALITE, ANA),
        (forgetful_lobby, "pt", WELCOME, NOT_KNOWN),
    ):
        chat = bot.chat()
        await chat.say("oi", {"contextId": "ana"})
        await chat.write("language", "en")
        await chat.let_pass(AN_HOUR)

        assert await chat.say("oi") == greeting
        assert (await chat.slots())["language"] == language
        assert await chat.say("quem sou eu") == who


async def test_each_session_is_of_the_customer_it_brings(any_lobby: RunningBot) -> None:
    """The contextId of its first message counts, however many there were in sessions before.

    Where the lookup fails nothing of the customer before is left.
    """
    chat = any_lobby.chat()
    for context_id in ("bruno", "carla", "elisa", "fabio", "heitor", "joao", "ana"):
        answer = await chat.say("oi", {"contextId": context_id})
        await chat.let_pass(AN_HOUR)
    assert answer == PERSONNALITE

    assert await chat.say("oi", {"contextId": "diego"}) == PRIVATE
    assert await chat.say("quem sou eu") == DIEGO
    await chat.let_pass(AN_HOUR)
    assert await chat.say("oi", {"contextId": "not-found"}) == WELCOME
    await is_unknown(chat, "rejected")


async def test_a_session_start_that_is_asked_for_keeps_its_customer(
    forgetful_lobby: RunningBot, kiosk: RunningBot
) -> None:
    """`/session_start` stands before the session: where nothing is carried over, Rasa loses it."""
    chat, without = forgetful_lobby.chat(), kiosk.chat()
    for each in (chat, without):
        await each.say("/session_start", {"contextId": "ana"})

    assert await chat.say("oi") == PERSONNALITE
    assert await chat.say("quem sou eu") == ANA
    assert await without.say("quem sou eu") == ["Estado missing, conta None, CPF None."]


async def test_a_session_start_that_is_asked_for_replaces_the_customer(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """It names whom the session is for, in mid-conversation; while PS7 is down, for later.

    Its contextId stays at hand, although its message belongs to the session before. After a
    `/restart` no customer is known.
    """
    chat = any_lobby.chat()
    await chat.say("oi", {"contextId": "ana"})

    assert await chat.say("/session_start", {"contextId": "diego"}) == []
    assert await chat.say("oi") == PRIVATE
    assert await chat.say("quem sou eu") == DIEGO
    async with down(ps7):
        await chat.say("/session_start", {"contextId": "ana"})
        await is_unknown(chat, "unavailable")

    assert await chat.say("quem sou eu") == ANA

    await chat.say("/restart")
    await is_unknown(chat, "missing")
    assert await chat.say("oi") == WELCOME
    assert await chat.say("quem sou eu") == NOT_KNOWN
