"""Ana on WhatsApp, straight into a real Rasa: what is in a post, and what she hears."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from examples.channels.customer_text import TOO_LONG
from tests.channels.services import ON_A_REAL_RASA, SECRET, Services, Somebody
from tests.channels.updates import CODE, VOICE_NOTE, pressed
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.support.agents import CAIO, DELIVERED, JOINED, RETURNED, Opened

pytestmark = ON_A_REAL_RASA

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
GREETED = [spoken.GREETINGS["Personnalité"][0], spoken.OFFER]
ONLY_TEXT = spoken.answer("only_text")


def replies(message: dict[str, Any]) -> list[dict[str, str]]:
    return [each["reply"] for each in message["interactive"]["action"]["buttons"]]


async def test_ana_is_known_and_an_agent_comes_and_goes(ana: Somebody, rasa_stage: Stage) -> None:
    """She is known from her first message. While the agent is there the bot says nothing.

    She hears who joins and who leaves, and each word once; then the bot, which forgot her. The
    agent reads what she wrote before and since. No number is in tracker or log.
    """
    before = len(rasa_stage.handed_over())
    assert await ana.say("oi", answers=2) == GREETED
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    assert await ana.say(A_PERSON, answers=0) == []
    await ana.said(4)
    (ticket,) = rasa_stage.handed_over()[before:]  # of both wishes
    assert (ticket["conversation"], ticket["channel"]) == (ana.sender, "whatsapp")
    masked = [BALANCE, "O saldo da conta •••• é de R$ ••••.", A_PERSON]
    assert [line["text"] for line in ticket["transcript"]][-3:] == masked
    async with Opened(ana.bot.url) as desk:
        await desk.takes(ticket)
        assert await desk.does("PUT", CAIO, "/agent") == DELIVERED
        assert await ana.hears(1) == [JOINED]
        for _ in range(2):
            assert await desk.does("POST", CAIO, "/messages", "Oi, sou o Caio.") == DELIVERED
        assert await ana.hears(1) == ["Oi, sou o Caio."]
        assert await desk.does("GET", CAIO, "/messages") == [
            {"who": "customer", "text": A_PERSON},
            {"who": "desk", "text": JOINED},
            {"who": "agent", "text": "Oi, sou o Caio."},
        ]
        assert await desk.does("DELETE", CAIO) == DELIVERED
        assert await ana.hears(1) == [RETURNED]
        assert await desk.does("POST", CAIO, "/messages", "x") == 410
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"], "she was logged out"
    shown = json.dumps([await ana.said(), rasa_stage.handed_over()])
    shown += rasa_stage.whole_logs()
    for secret in (ana.phone, ana.user, SECRET):
        assert secret not in shown


async def test_the_back_end_is_asked_with_each_message(ana: Somebody, stub: Services) -> None:
    """By number and user id, by the latter alone where Meta hides a number, and by a link's code.

    A second link in one chat counts. Where it brought its code alone, the bot opens the
    conversation; and it has a rule for a voice note, as for all that is no text. Whoever has a
    number and no user id is in a conversation of that number's.
    """
    assert await ana.say("oi", answers=2) == GREETED
    assert await ana.say(f"{BALANCE} {CODE}") == spoken.BALANCES["diego"]
    assert await ana.say(CODE) == [spoken.GREETINGS["Private"][0]]
    ana.hidden = True
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.send(ana.message(VOICE_NOTE)) == ONLY_TEXT
    texts = [each["text"] for each in await ana.said(5)]
    assert texts == ["oi", BALANCE, "/greet", BALANCE, "/send_media"]
    asked = [(each["phone"], each["code"], each["userId"]) for each in stub.asked]
    by_number, by_link, hidden = (ana.phone, None), (ana.phone, CODE), (None, None)
    each_time = (by_number, by_link, by_link, hidden, hidden)
    assert asked == [(*what, ana.user) for what in each_time]
    ana.hidden, alone = False, replace(ana, user=ana.phone)
    assert await ana.say(BALANCE, from_user_id=None) == spoken.NO_BALANCE["missing"]
    asked_of = {"sender": alone.sender, "phone": ana.phone, "userId": "", "code": None}
    assert stub.asked[-1] == asked_of


async def test_only_a_button_of_the_bot_carries_a_command(ana: Somebody) -> None:
    """What a client makes up is what its title says, as if it was typed; the desk reads titles."""
    await ana.say("oi", answers=2)
    question = {"text": "Quer?", "data": {"buttons": [{"title": "Pois não", "payload": "/thank"}]}}
    assert await ana.chat.write(question) == (200, "")
    (asked,) = await ana.messages(1)
    (reply,) = replies(asked)
    assert await ana.send(ana.message(pressed("button_reply", **reply))) == spoken.THANKED
    for made_up in ("/thank", reply["id"][::-1]):
        reply = {"id": made_up, "title": " /que horas o banco abre?"}
        for kind in ("button_reply", "list_reply"):
            assert await ana.send(ana.message(pressed(kind, **reply))) == spoken.HOURS
    said = await ana.said(6)
    texts = [(each["text"], each["metadata"].get("title")) for each in said[1:]]
    assert texts == [("/thank", "Pois não"), *[("que horas o banco abre?", None)] * 4]


async def test_a_text_that_is_too_long_gets_a_sentence(ana: Somebody, stub: Services) -> None:
    """And no turn."""
    assert await ana.say("x" * 2_001) == [TOO_LONG]
    assert await ana.say("x" * 900_000) == [TOO_LONG]
    assert stub.asked == []
    assert await ana.say("obrigado") == spoken.THANKED
    assert [each["text"] for each in await ana.said(1)] == ["obrigado"]


async def test_what_the_bot_or_an_agent_shows_reaches_her(ana: Somebody, rasa_stage: Stage) -> None:
    """Pictures, files, cards and buttons beside the text, and nothing that is for channels.

    One button that is none, or a file without a link, takes nothing else along.
    """
    await ana.say("oi", answers=2)
    link = "https://bank.example/a.png"
    card = {"title": "Cartão", "subtitle": "Azul", "image_url": link, "buttons": [{"title": "Ver"}]}
    buttons = [{"title": "Sim", "payload": "sim"}, {"payload": "/deny"}, {"title": None}, "x", None]
    shown = {"buttons": buttons, "image": link, "attachment": {"payload": {"src": link}}}
    shown |= {"elements": [card], "custom": {"for": "channels"}}
    assert await ana.chat.write({"text": "Sim?", "data": shown}) == (200, "")
    question, picture, file, card_text, card_picture = await ana.messages(5)
    for message, title in ((question, "Sim"), (card_text, "Ver")):
        assert [each["title"] for each in replies(message)] == [title]
    assert (picture["image"]["link"], file["text"]["body"]) == (link, link)
    assert card_text["interactive"]["body"]["text"] == "Cartão\nAzul"
    assert card_picture["image"]["link"] == link
    odd = {"quick_replies": [{"title": "Sim"}], "attachment": {"type": "file"}}
    assert await ana.chat.write({"text": "Sim?", "data": odd}) == (200, "")
    assert await ana.hears(1) == ["Sim?"]
    log = rasa_stage.whole_logs("channel_bot-rasa")
    assert "whatsapp: a button has no title" in log
    assert "whatsapp: an attachment has no link" in log


async def test_an_agent_hears_whether_meta_took_the_words(
    ana: Somebody, stub: Services, rasa_stage: Stage
) -> None:
    """Nobody waits for how the words of the bot end.

    They go to her new number as well, as soon as Meta names it.
    """
    nobody = ana.bot.chat("nobody-wrote-by-this")
    await ana.say("oi", answers=2)
    said = {"text": "Olá", "metadata": {"message_key": "k1"}}
    assert await ana.chat.write(said) == (200, "")
    stub.status = 400
    why = "not delivered: code 131047"
    assert await ana.chat.write(said) == (500, why)
    assert await ana.chat.write({"text": "Olá"}) == (200, "")
    stub.status = 200
    why = "not delivered: nobody wrote for a day"
    assert await nobody.write(said, "whatsapp") == (500, why)
    signal = {"text": None, "data": {"custom": {"data": {"conversation": "joined"}}}}
    assert await ana.chat.write({**said, **signal}) == (200, "")
    assert await ana.hears(1) == ["Olá"]
    moved = {"type": "user_changed_number", "wa_id": f"{ana.phone}9"}
    assert await ana.post(ana.message({"type": "system", "system": moved})) == 200
    assert await ana.chat.write(said) == (200, "")
    (sent,) = stub.heard.pop(moved["wa_id"])
    assert sent["text"]["body"] == "Olá"
    log = rasa_stage.whole_logs("channel_bot-rasa")
    assert "whatsapp: an answer was not taken (code 131047), " in log
    assert "whatsapp: an answer has no address" in log
    assert "whatsapp: a customer has another number or user id" in log


@pytest.mark.parametrize(
    ("trouble", "counted"),
    [("slow", "ReadTimeout"), ("broken", "JSONDecodeError"), ("null", ""), ("knows nobody", "")],
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
