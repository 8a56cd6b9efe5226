"""Ana on WhatsApp, straight into a real Rasa: what is in a post, and what she hears."""

from __future__ import annotations

import json
import re

import pytest

from examples.desk import Rasa, written
from tests.channels.services import ON_A_REAL_RASA, SECRET, Services, Somebody, said_to
from tests.channels.updates import CODE, VOICE_NOTE
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = ON_A_REAL_RASA

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
GREETED = [spoken.GREETINGS["Personnalité"][0], spoken.OFFER]
ONLY_TEXT = spoken.answer("only_text")


async def test_ana_is_known_and_an_agent_comes_and_goes(
    channel_bot: RunningBot, ana: Somebody, rasa_stage: Stage
) -> None:
    """She is known from her first message. While the agent is there the bot says nothing.

    The desk knows whom to answer, and returns the conversation. No number is in tracker or log.
    """
    before, desk = len(rasa_stage.handed_over()), Rasa(channel_bot.url)
    assert await ana.say("oi", answers=2) == GREETED
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    (ticket,) = rasa_stage.handed_over()[before:]
    assert (ticket["conversation"], ticket["channel"]) == (ana.sender, "whatsapp")
    assert await ana.say(A_PERSON, answers=0) == []
    await said_to(channel_bot, ana, 4)
    await desk.say(ana.sender, "k", "Olá, aqui é o Paulo.", "Paulo", None)
    assert await ana.hears(1) == ["Olá, aqui é o Paulo."]
    assert written(await desk.since_pause(ana.sender) or ()) == [
        {"who": "customer", "text": A_PERSON},
        {"who": "agent", "text": "Olá, aqui é o Paulo."},
    ]
    assert len(rasa_stage.handed_over()) == before + 1, "a second wish is no second ticket"

    await desk.resume(ana.sender)
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"], "she was logged out"
    shown = json.dumps([await said_to(channel_bot, ana), rasa_stage.handed_over()])
    shown += rasa_stage.whole_logs()
    for secret in (ana.phone, ana.user, SECRET):
        assert secret not in shown


async def test_the_back_end_is_asked_with_each_message(
    channel_bot: RunningBot, ana: Somebody, stub: Services
) -> None:
    """By number and user id, by the latter alone where Meta hides a number, and by a link's code.

    A second link in one chat counts. Where it brought its code alone, the bot opens the
    conversation; and it has a rule for a voice note, as for all that is no text.
    """
    assert await ana.say("oi", answers=2) == GREETED
    assert await ana.say(f"{BALANCE} {CODE}") == spoken.BALANCES["diego"]
    assert await ana.say(CODE) == [spoken.GREETINGS["Private"][0]]
    ana.hidden = True
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.send(ana.message(VOICE_NOTE)) == ONLY_TEXT
    texts = [each["text"] for each in await said_to(channel_bot, ana, 5)]
    assert texts == ["oi", BALANCE, "/greet", BALANCE, "/send_media"]
    asked = [(each["phone"], each["code"], each["userId"]) for each in stub.asked]
    by_number, by_link, hidden = (ana.phone, None), (ana.phone, CODE), (None, None)
    each_time = (by_number, by_link, by_link, hidden, hidden)
    assert asked == [(*what, ana.user) for what in each_time]


async def test_a_log_out_lasts_though_whatsapp_does_not_take_the_goodbye(
    channel_bot: RunningBot, ana: Somebody, stub: Services, rasa_stage: Stage
) -> None:
    """And though the back-end goes on naming her, with a token that is signed anew."""
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    stub.status = 400
    await ana.say("tchau", answers=0)
    await said_to(channel_bot, ana, 2)
    stub.status = 200
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]
    assert "whatsapp: an answer was not taken (code 131047), " in rasa_stage.whole_logs("rasa")


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
