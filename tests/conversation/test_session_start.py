"""The example bot that looks up where a session starts: who is greeted, and what it notices later.

On no turn does the plugin run by itself. The rule for the balance calls it.
"""

from __future__ import annotations

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.cast import BOTS
from tests.conversation.harness import Stage
from tests.conversation.spoken import BALANCES, NO_BALANCE, is_unknown
from tests.conversation.talking import Chat, RunningBot, down

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
BALANCE, HOURS = "qual meu saldo", "que horas o banco abre?"
PERSONNALITE, PRIVATE, WELCOME = (
    f"Bem-vindo ao {whose}." for whose in ("Personnalité", "Private", "banco")
)
HELLO = "Olá! Como posso ajudar?"
OPEN_FROM_TEN = ["As agências atendem de segunda a sexta, das 10h às 16h."]
ACCOUNTS = {"ana": "00123456", "diego": "00900019", None: None}


def asked(ps7: Simulator) -> list[str]:
    """Return the contextIds that PS7 was asked for, in order."""
    return [request.json["contextId"] for request in ps7.requests]


async def shows(chat: Chat, who: str) -> None:
    """Check whose account the slots show."""
    slots = await chat.slots()
    assert (slots["account"], slots["ps7_status"]) == (ACCOUNTS[who], "ok")


# -- a session opens ------------------------------------------------------------------------------


async def test_the_greeting_knows_the_customer(any_start_bot: RunningBot, ps7: Simulator) -> None:
    """It is said before the first message is answered; later turns ask PS7 nothing.

    The Rasa of the forgetful bot sends the domain only where `send_domain` asks for it.
    """
    chat, anonymous = any_start_bot.chat(), any_start_bot.chat()

    assert await anonymous.say("oi") == [WELCOME, HELLO]
    await is_unknown(anonymous, "missing")
    assert ps7.requests == []
    assert await chat.say("oi", {"contextId": "ana"}) == [PERSONNALITE, HELLO]
    await shows(chat, "ana")
    assert await chat.say("oi", {"contextId": "ana"}) == [HELLO]
    assert await chat.say(BALANCE) == BALANCES["ana"]
    assert asked(ps7) == ["ana"]


async def test_ps7_is_down_and_the_first_message_is_answered_all_the_same(
    any_start_bot: RunningBot, ps7: Simulator
) -> None:
    """The session starts without a customer, who is looked up again where the rule says so."""
    chat = any_start_bot.chat()
    async with down(ps7):
        said = await chat.say("oi", {"contextId": "ana"})
        assert said == [WELCOME, *NO_BALANCE["unavailable"], HELLO]
        await is_unknown(chat, "unavailable")

    assert await chat.say(BALANCE) == BALANCES["ana"]


async def test_a_second_session(start_bot: RunningBot, forgetful_start_bot: RunningBot) -> None:
    """The bot's own slots stay if the domain says so; the customer ends with the session.

    The contextId of the first message of the next session counts; if its lookup fails, nothing of
    the customer before is left.
    """
    for bot, language, ended in (
        (start_bot, "en", NO_BALANCE["expired"]),
        (forgetful_start_bot, "pt", []),
    ):
        chat = bot.chat()
        await chat.say("oi", {"contextId": "ana"})
        await chat.write("language", "en")
        await chat.let_pass(AN_HOUR)

        assert await chat.say("oi") == [WELCOME, *ended, HELLO]
        assert (await chat.slots())["language"] == language
        assert await chat.say(BALANCE) == NO_BALANCE["missing"]
        await chat.let_pass(AN_HOUR)
        assert await chat.say("oi", {"contextId": "diego"}) == [PRIVATE, HELLO]
        assert await chat.say(BALANCE) == BALANCES["diego"]
        await chat.let_pass(AN_HOUR)
        assert await chat.say("oi", {"contextId": "not-found"}) == [WELCOME, HELLO]
        await is_unknown(chat, "rejected")


async def test_a_session_start_that_is_asked_for_keeps_its_customer(
    forgetful_start_bot: RunningBot, kiosk: RunningBot
) -> None:
    """`/session_start` stands before the session: where nothing is carried over, Rasa loses it."""
    chat, without = forgetful_start_bot.chat(), kiosk.chat()
    await without.say("/session_start", {"contextId": "ana"})

    assert PERSONNALITE in await chat.say("/session_start", {"contextId": "ana"})
    assert await chat.say("oi") == [HELLO]
    assert await chat.say(BALANCE) == BALANCES["ana"]
    assert await without.say("quem sou eu") == ["Estado missing, conta None, CPF None."]


async def test_a_session_start_that_is_asked_for_replaces_the_customer(
    any_start_bot: RunningBot, ps7: Simulator
) -> None:
    """It names whom the session is for, in mid-conversation; while PS7 is down, for later.

    Its contextId stays at hand, although its message belongs to the session before. After a
    `/restart` no customer is known.
    """
    chat = any_start_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    assert await chat.say("/session_start", {"contextId": "diego"}) == [PRIVATE]
    assert await chat.say(BALANCE) == BALANCES["diego"]
    async with down(ps7):
        said = await chat.say("/session_start", {"contextId": "ana"})
        assert said == [WELCOME, *NO_BALANCE["unavailable"]]
        await is_unknown(chat, "unavailable")
    assert await chat.say(BALANCE) == BALANCES["ana"]

    assert await chat.say("/restart") == [WELCOME]
    await is_unknown(chat, "missing")
    assert await chat.say(BALANCE) == NO_BALANCE["missing"]


# -- later turns: nothing is noticed until the rule for the balance runs ---------------------------


async def test_another_context_id_is_noticed_where_the_rule_says_so(
    start_bot: RunningBot, ps7: Simulator
) -> None:
    """Until then the slots are Ana's, also where something has overwritten one."""
    chat = start_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    assert await chat.say(HOURS, {"contextId": "diego"}) == OPEN_FROM_TEN
    await chat.write("cpf", "made up")
    assert await chat.say(HOURS) == OPEN_FROM_TEN
    await shows(chat, "ana")
    assert (await chat.slots())["cpf"] == "made up"
    assert asked(ps7) == ["ana"]

    assert await chat.say(BALANCE) == BALANCES["diego"]
    await shows(chat, "diego")
    assert (await chat.slots())["cpf"] == PERSONAS["diego"].slots["cpf"]
    assert asked(ps7) == ["ana", "diego"]


# -- the action server is away --------------------------------------------------------------------


async def test_without_its_action_server_a_later_turn_tells_nothing(
    rasa_stage: Stage, start_bot: RunningBot
) -> None:
    """What needs no action is answered. Slots stay Ana's, until the rule runs again."""
    chat = start_bot.chat()
    await chat.say("oi", {"contextId": "ana"})

    async with rasa_stage.without_actions(BOTS["start_bot"]):
        assert await chat.say(HOURS) == OPEN_FROM_TEN
        assert await chat.say(BALANCE) == []
        assert await chat.say(BALANCE, {"contextId": "diego"}) == []
        await shows(chat, "ana")

    assert await chat.say(BALANCE) == BALANCES["diego"]


@pytest.mark.parametrize(("name", "kept"), [("start_bot", None), ("start_bot_sql", "diego")])
async def test_without_its_action_server_the_first_message_of_a_session_is_lost(
    rasa_stage: Stage, rasa_bots: dict[str, RunningBot], name: str, kept: str | None
) -> None:
    """As with any `action_session_start` of a bot's own; Rasa answers the next message.

    Nobody is greeted in that session. Where it keeps conversations decides what the slots show
    until the rule runs: then it is Ana, who opened the session.
    """
    new, known = rasa_bots[name].chat(), rasa_bots[name].chat()
    await known.say("oi", {"contextId": "diego"})
    await known.let_pass(AN_HOUR)

    async with rasa_stage.without_actions(BOTS[name]):
        for chat in (new, known):
            assert await chat.say(HOURS, {"contextId": "ana"}) == []
            assert await chat.say(HOURS) == OPEN_FROM_TEN
            assert await chat.say(BALANCE) == []

    assert [(await chat.slots())["account"] for chat in (new, known)] == [None, ACCOUNTS[kept]]
    for chat in (new, known):
        assert await chat.say("oi") == [HELLO]
        assert await chat.say(BALANCE) == BALANCES["ana"]
        await shows(chat, "ana")
