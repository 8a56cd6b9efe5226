"""`PS7SessionStart` in a bot whose lookup runs where a session starts: who is greeted, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conversation.spoken import NOBODY, of_the_customer

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator
    from tests.conversation.talking import Chat, RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
PERSONNALITE, PRIVATE = ["Bem-vinda ao Personnalité."], ["Bem-vindo ao Private."]
WELCOME = ["Bem-vindo ao banco."]
ANA, DIEGO = ["Estado ok, conta 00123456."], ["Estado ok, conta 00900019."]
NOT_KNOWN = ["Estado missing, conta None."]


@pytest.fixture(params=["lobby", "forgetful_lobby"])
def any_lobby(request: pytest.FixtureRequest, rasa_bots: dict[str, RunningBot]) -> RunningBot:
    """Run the bot that carries slots over, and the one that does not."""
    return rasa_bots[request.param]


async def is_nobody(chat: Chat, status: str) -> None:
    """Look at the slots: no value of a customer, and this status."""
    slots = await chat.slots()
    assert slots["ps7_status"] == status
    assert of_the_customer(slots) == NOBODY


async def test_the_first_message_is_answered_to_a_known_customer(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """Before any rule is read the segment is there; later turns ask PS7 nothing."""
    chat = any_lobby.chat()

    assert await chat.say("oi", {"contextId": "ana"}) == PERSONNALITE
    assert await chat.say("quem sou eu") == ANA
    assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]


async def test_a_first_message_without_a_context_id_is_answered_to_anybody(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """Nobody is looked up."""
    chat = any_lobby.chat()

    assert await chat.say("oi") == WELCOME
    await is_nobody(chat, "missing")
    assert ps7.requests == []


async def test_ps7_is_down_and_the_first_message_is_answered_all_the_same(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """The session starts without a customer, who is looked up again on a later turn."""
    chat = any_lobby.chat()
    await ps7.stop()
    try:
        assert await chat.say("oi", {"contextId": "ana"}) == WELCOME
        await is_nobody(chat, "unavailable")
    finally:
        await ps7.start()

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


async def test_the_actions_of_the_plugin_are_sent_the_domain_in_any_case(
    selective_lobby: RunningBot,
) -> None:
    """Where Rasa leaves it out of other calls: `send_domain` in the fragment asks for it."""
    chat = selective_lobby.chat()
    assert await chat.say("oi", {"contextId": "ana"}) == PERSONNALITE
    assert await chat.say("quem sou eu") == ANA
    await chat.execute("action_ps7_forget")
    assert (await chat.slots())["ps7_status"] == "missing"
    await chat.let_pass(AN_HOUR)

    assert await chat.say("oi", {"contextId": "diego"}) == PRIVATE
    await chat.let_pass(AN_HOUR)
    assert await chat.say("oi") == WELCOME, "the domain says that nothing is carried over"


async def test_a_second_session_is_greeted_as_the_customer_it_brings(
    any_lobby: RunningBot,
) -> None:
    """The contextId of its first message counts, not the one before."""
    chat = any_lobby.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.let_pass(AN_HOUR)

    assert await chat.say("oi", {"contextId": "diego"}) == PRIVATE
    assert await chat.say("quem sou eu") == DIEGO


async def test_a_second_session_whose_lookup_fails_is_nobodys(any_lobby: RunningBot) -> None:
    """Nothing of the customer before is left, whether slots are carried over or not."""
    chat = any_lobby.chat()
    await chat.say("oi", {"contextId": "ana"})
    await chat.let_pass(AN_HOUR)

    assert await chat.say("oi", {"contextId": "not-found"}) == WELCOME
    await is_nobody(chat, "rejected")


async def test_each_session_may_bring_another_context_id(any_lobby: RunningBot) -> None:
    """What a session asks about is limited, and not how many sessions a conversation has."""
    chat = any_lobby.chat()
    for context_id in ("bruno", "carla", "elisa", "fabio", "heitor", "joao"):
        await chat.say("oi", {"contextId": context_id})
        await chat.let_pass(AN_HOUR)

    assert await chat.say("oi", {"contextId": "ana"}) == PERSONNALITE


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
    any_lobby: RunningBot,
) -> None:
    """It names whom the session is for, in mid-conversation."""
    chat = any_lobby.chat()
    await chat.say("oi", {"contextId": "ana"})

    assert await chat.say("/session_start", {"contextId": "diego"}) == []
    assert await chat.say("oi") == PRIVATE
    assert await chat.say("quem sou eu") == DIEGO


async def test_a_session_start_while_ps7_is_down_is_looked_up_later(
    any_lobby: RunningBot, ps7: Simulator
) -> None:
    """Its contextId stays at hand, although its message belongs to the session before."""
    chat = any_lobby.chat()
    await chat.say("oi", {"contextId": "diego"})
    await ps7.stop()
    try:
        await chat.say("/session_start", {"contextId": "ana"})
        await is_nobody(chat, "unavailable")
    finally:
        await ps7.start()

    assert await chat.say("quem sou eu") == ANA


async def test_a_restart_forgets_everybody(any_lobby: RunningBot) -> None:
    """The session after it is anonymous, from its first word on."""
    chat = any_lobby.chat()
    await chat.say("oi", {"contextId": "ana"})

    await chat.say("/restart")

    await is_nobody(chat, "missing")
    assert await chat.say("oi") == WELCOME
    assert await chat.say("quem sou eu") == NOT_KNOWN
