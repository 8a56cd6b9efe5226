"""Ana on WhatsApp, straight into a real Rasa: what is in a post, and what she hears."""

from __future__ import annotations

import base64
import json
import re

import pytest

from actions.ps7.testing import Simulator
from examples.desk import Rasa
from tests.channels.services import SECRET, Services, Somebody, said_to
from tests.channels.updates import CODE, WITHOUT_TEXT
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import Chat, RunningBot

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
GREETED = [spoken.GREETINGS["Personnalité"][0], spoken.OFFER]
AWAY, ONLY_TEXT, BACK = map(spoken.answer, ("desk_away", "only_text", "agent_returned"))
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}")


def chat(bot: RunningBot, somebody: Somebody) -> Chat:
    return bot.chat(somebody.sender)


def decoded(text: str) -> str:
    """Return a text, and behind it what in it is Base64: WhatsApp's ids are."""
    whole = [found[: len(found) // 4 * 4] for found in _BASE64.findall(text)]
    hidden = [base64.b64decode(each).decode("latin-1") for each in whole]
    return "\n".join([text, *hidden])


async def test_ana_is_known_and_an_agent_comes_and_goes(
    channel_bot: RunningBot, ana: Somebody, ps7: Simulator, rasa_stage: Stage
) -> None:
    """She is known from her first message. While the agent is there the bot says nothing.

    The desk knows whom to answer, and returns the conversation. No number is in tracker or log.
    """
    before, desk = len(rasa_stage.handed_over()), Rasa(channel_bot.url)
    assert await ana.say("oi", answers=2) == GREETED
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    (ticket,) = rasa_stage.handed_over()[before:]
    assert (ticket["ps7_status"], ticket["segment"]) == ("ok", "Personnalité")
    assert (ticket["conversation"], ticket["channel"]) == (ana.sender, "whatsapp")

    assert await ana.say(A_PERSON, answers=0) == []
    await said_to(channel_bot, ana, 4)
    await desk.write(ticket["conversation"], "Olá, aqui é o Paulo.")
    assert await ana.hears(1) == ["Olá, aqui é o Paulo."]
    assert await desk.written(ana.sender) == [
        {"who": "customer", "text": A_PERSON},
        {"who": "agent", "text": "Olá, aqui é o Paulo."},
    ]
    assert len(rasa_stage.handed_over()) == before + 1, "a second wish is no second ticket"

    await desk.resume(ticket["conversation"], "agent_returned")
    assert await ana.hears(1) == BACK
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"], "she was logged out"
    ana.stub.known[ana.user] = "fabio"
    assert await ana.say(BALANCE) == ["O saldo da conta 00001509 é de R$ 87,40."]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    assert len(rasa_stage.handed_over()) == before + 2

    assert len(ps7.requests) == 2
    shown = json.dumps([await said_to(channel_bot, ana), rasa_stage.handed_over()])
    shown += rasa_stage.whole_logs()
    for secret in (ana.phone, ana.user, SECRET):
        assert secret not in decoded(shown)


async def test_a_customer_without_a_phone_number_is_known_by_the_user_id(
    channel_bot: RunningBot, ana: Somebody, stub: Services
) -> None:
    """Meta hides it: she is known and answered by her user id, in the same conversation."""
    assert await ana.say("oi", answers=2) == GREETED
    ana.hidden = True
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert len(await said_to(channel_bot, ana, 2)) == 2
    assert [each["phone"] for each in stub.asked] == [ana.phone, None]
    assert [each["userId"] for each in stub.asked] == [ana.user] * 2


async def test_a_link_brings_another_customer(channel_bot: RunningBot, ana: Somebody) -> None:
    """A second link in one chat counts: the back-end is asked with each message.

    Where the link brought its code alone, the bot opens the conversation.
    """
    assert await ana.say("oi", answers=2) == GREETED
    assert await ana.say(f"{BALANCE} {CODE}") == spoken.BALANCES["diego"]
    assert await ana.say(CODE) == [spoken.GREETINGS["Private"][0]]
    texts = [each["text"] for each in await said_to(channel_bot, ana, 3)]
    assert texts == ["oi", BALANCE, "/greet"]


async def test_a_log_out_lasts_though_the_back_end_names_her(ana: Somebody) -> None:
    """Though the back-end goes on naming her, with a token that is signed anew."""
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say("tchau") == spoken.GOODBYE
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]


async def test_what_an_agent_shows_reaches_her(
    channel_bot: RunningBot, ana: Somebody, stub: Services, rasa_stage: Stage
) -> None:
    """Pictures and buttons as well as texts, and nothing that is for channels.

    To whom nobody has an address, nothing is sent, and that is counted.
    """
    await ana.say("oi", answers=2)
    shown = {"buttons": [{"title": "Sim", "payload": "sim"}], "image": "https://bank.example/a.png"}
    said = {"event": "bot", "text": "Sim?", "data": {**shown, "custom": {"for": "channels"}}}
    query = {"output_channel": "whatsapp", "execute_side_effects": "true"}
    for sender in (ana.sender, "nobody-wrote-by-this"):
        url = f"{channel_bot.url}/conversations/{sender}/tracker/events"
        async with channel_bot.http.post(url, params=query, json=[said]) as answer:
            assert answer.status == 200
    buttons, picture = stub.heard.pop(ana.address)
    (button,) = buttons["interactive"]["action"]["buttons"]
    assert (button["reply"]["title"], picture["image"]["link"]) == ("Sim", shown["image"])
    assert "whatsapp: an answer has no address" in rasa_stage.whole_logs("channel_bot-rasa")


async def test_a_voice_note_is_answered_by_the_bots_rule(ana: Somebody) -> None:
    """As all that is no text: see `test_cloud_api`."""
    assert await ana.send(ana.message(WITHOUT_TEXT["a voice note"])) == ONLY_TEXT


@pytest.mark.parametrize(
    ("trouble", "counted"),
    [("slow", "ReadTimeout"), ("broken", "JSONDecodeError"), ("knows nobody", "")],
)
async def test_without_the_back_end_the_message_is_answered(
    ana: Somebody, stub: Services, rasa_stage: Stage, trouble: str, counted: str
) -> None:
    """As anonymous, within a second; a back-end that is back is asked with the next message.

    A failure is counted, and a stranger is none.
    """
    before = len(rasa_stage.whole_logs("channel_bot-rasa"))
    stub.back_end = trouble
    if trouble == "knows nobody":
        stub.known.clear()
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]
    stub.back_end, stub.known[ana.user] = "", "ana"
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    log = rasa_stage.whole_logs("channel_bot-rasa")[before:]
    assert re.findall(r"the back-end gave no contextId \((\w*)\)", log) == [counted] * bool(counted)


async def test_an_answer_that_whatsapp_does_not_take_keeps_nobody_logged_in(
    channel_bot: RunningBot, ana: Somebody, stub: Services, rasa_stage: Stage
) -> None:
    """The text of the log-out is refused, and she is logged out all the same."""
    await ana.say("oi", answers=2)
    stub.status = 400
    await ana.say("tchau", answers=0)
    await said_to(channel_bot, ana, 2)
    assert (await chat(channel_bot, ana).slots())["ps7_status"] == "missing"
    assert "whatsapp: an answer was not taken (code 131047), " in rasa_stage.whole_logs("rasa")


async def test_a_slow_graph_api_holds_nobody_up(
    channel_bot: RunningBot, ana: Somebody, stub: Services
) -> None:
    """Other conversations are answered while Ana's answer is under way."""
    stub.slow = 3.0
    await ana.say("obrigado", answers=0)
    other = channel_bot.chat()
    assert await other.say("obrigado") == spoken.THANKED
    assert stub.heard[ana.address] == []
    assert await ana.hears(1) == spoken.THANKED


async def test_the_bot_keeps_ana_while_the_desk_is_away(ana: Somebody, rasa_stage: Stage) -> None:
    """Ana hears so and stays with the bot; what is sent when it is back is sent once."""
    await ana.say("oi", answers=2)
    async with rasa_stage.without_desk():
        assert await ana.say(A_PERSON) == AWAY
        assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    assert len(rasa_stage.handed_over()) == 1
