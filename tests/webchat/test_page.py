"""The page itself: languages, screens, and what it says when something breaks."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from examples.webchat.cards import CARDS
from tests.conversation import spoken
from tests.conversation.spoken import ANA_ACCOUNT, BALANCES, NO_BALANCE, greeting
from tests.support.waiting import within
from tests.webchat.visit import ACCOUNT, ASK, HOURS, SUGGESTED, Visit

if TYPE_CHECKING:
    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

PORTUGUESE = CARDS["ana"].about["pt-BR"]
LEFT_BEHIND = """() => ({
  input: document.querySelector("#input").value,
  kept: localStorage.length + sessionStorage.length,
  title: document.title,
  cookies: document.cookie,
})"""
CALL = "POST /apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"


async def test_the_panel_shows_each_turn_masked(visit: Visit) -> None:
    """Each turn with its requests, its lookup and the slots, masked; PS7 is asked once.

    Ana takes the balance that she is offered, and types a slash, which is no command. In another
    language all texts of the page change, those of the bot stay.
    """
    heard = [*greeting(PERSONAS["ana"]), *BALANCES["ana"], *ANA_ACCOUNT]
    await visit.arrive("ana")
    replies = visit.page.locator(".reply button")
    await expect(replies).to_have_text(["SimYes", "NãoNo"])
    await replies.first.click()
    await visit.finished(2)
    await expect(replies).to_have_count(0)
    await expect(visit.page.locator("#suggestions [lang=pt-BR]")).to_have_text(SUGGESTED)
    await visit.types("/\u00a0/ ")
    await visit.say(f" /\u00a0/ {ACCOUNT}", 3)
    await visit.hears(*heard)

    first, _, third = await visit.turns()
    shown = {slot: (value, note) for slot, value, note in first["slots"]}
    assert (first["status"], first["ends"]) == ("ok", [["ok", None, "1 requisição"]])
    assert first["calls"] == [[CALL, "200"]]
    assert shown["segment"] == ("Personnalité", "")
    assert shown["cpf"] == ("***.982.247-**", "mascarado aqui")
    assert shown["identification"] == ("autenticado", "authenticated")
    assert shown["ps7_context"] == ("selado", "")
    assert (third["number"], third["said"], third["status"]) == ("3", ACCOUNT, "ok")
    assert (third["calls"], third["plain"]) == ([], ["Nada: o contexto selado ainda vale."])
    await expect(visit.page.locator("#about")).to_have_text(f"Personnalité · {PORTUGUESE}")
    await expect(visit.page.locator("#count")).to_have_text("3")
    await expect(visit.page.locator("#production")).to_contain_text("make webchat SIGNED=1")

    await visit.page.locator("summary").nth(2).click()
    await visit.page.click("[data-language=en]")
    await expect(visit.page.locator(".turn").last).to_have_attribute("open", "")
    assert await visit.page.title() == "Your Bank"
    assert visit.page.url == f"{visit.url}?lang=en"
    first, _, third = await visit.turns()
    assert first["meaning"] == "PS7 knows this context."
    assert third["plain"] == ["Nothing: the sealed context still holds."]
    await visit.hears(*heard)
    await visit.page.locator(".how").evaluate("node => (node.open = true)")
    assert await visit.violations() == []


async def test_one_goes_back_to_who_arrives(visit: Visit) -> None:
    """By the button and by the browser's, in the language that one chose: that is a log-out.

    Nothing of the customer stays in the page, nor what was typed and not sent; no address, title
    or script has it, and the next one is in a conversation of their own.
    """
    await visit.page.goto(f"{visit.url}?lang=xx")  # no such language: Portuguese
    await visit.page.click("[data-language=en]")
    await expect(visit.page.locator("#faults .pill")).to_have_count(6)
    await expect(visit.page.locator("#customers .card")).to_have_count(len(PERSONAS))
    await expect(visit.page.locator("[data-card=diego] .segment")).to_have_text("Private")
    closed = asyncio.Event()
    visit.page.on("websocket", lambda socket: socket.on("close", lambda _: closed.set()))
    for back in (visit.page.go_back, partial(visit.page.click, "#back")):
        await visit.page.click("[data-card=ana]")
        await visit.finished(1)
        await visit.say(ACCOUNT, 2)
        await visit.hears(*greeting(PERSONAS["ana"]), *ANA_ACCOUNT)
        await visit.page.fill("#input", "minha senha é 4321")
        await back()
        await expect(visit.page.locator("#arrivals")).to_be_visible()
        await expect(visit.page.locator("[data-card=ana]")).to_be_focused()
        assert visit.page.url == f"{visit.url}?lang=en"
        await within(15, "the page closes its socket as it is left", closed.wait())
        closed.clear()
        left = await visit.page.evaluate(LEFT_BEHIND)
        assert left.pop("cookies") == "", "no script can read it"
        assert left == {
            "input": "",
            "kept": 0,
            "title": "rasa-ps7: the chat that knows who arrives",
        }
        content = await visit.page.content()
        assert not [each for each in ("00123456", "••56", "982.247") if each in content]
        assert await visit.page.context.cookies() == []
    for way in (visit.page.go_forward, visit.page.reload):
        await way()
        await expect(visit.page.locator("#arrivals")).to_be_visible()
    assert visit.logins == 2


async def test_the_page_says_what_it_did_not_get(visit: Visit) -> None:
    """An answer of PS7, a turn, or its own server; and that a text is too long, which stays."""
    await visit.arrive("http-503")
    await visit.types("a" * 2_001)
    note = visit.page.locator(".message.note")
    await expect(note).to_have_text("Aviso: A mensagem é longa demais: tire 1 caractere.")
    assert await visit.page.input_value("#input") == "a" * 2_001
    await visit.say(ASK, 2)
    first, second = await visit.turns()
    assert first["calls"] == [[CALL, "503, 503, 503"]]
    ends = [["unavailable", "server_error", "3 requisições"]]
    assert [first["ends"], second["ends"]] == [ends] * 2
    assert [slot for slot, *_ in first["slots"]] == ["ps7_context"]

    lost = {
        "status": "unavailable",
        "contextId": "ana",
        "slots": [
            {"name": "segment", "value": None, "masked": False, "changed": True},
            {"name": "ps7_expires_at", "value": "2026-01-02T12:00:00Z", "masked": False},
        ],
        "lookups": [{"outcome": "unavailable", "reason": "timeout", "status": None, "ms": 4000}],
        "requests": [{"method": "POST", "path": "/x", "status": 200}],
        "handedOver": [],
    }
    no_json = {"body": "no JSON"}
    answers: list[dict[str, Any]] = [{"json": lost}, {"status": 504, "json": lost}, no_json]
    await visit.page.route("**/api/turns/**", lambda route: route.fulfill(**answers.pop(0)))
    for number in (3, 4, 5):
        await visit.say(HOURS, number)
    await visit.hears(*spoken.GREETING, *NO_BALANCE["unavailable"], *spoken.HOURS * 3)
    _, _, third, fourth, fifth = await visit.turns()
    assert third["calls"] == [["POST /x", "sem resposta"]]
    (segment, until) = third["slots"]
    assert (segment[1], until[1][:10]) == ("apagado", "02/01/2026")
    said = ["O painel não recebeu este turno: o Rasa ou o simulador não respondeu."]
    assert [fourth["plain"], fifth["plain"]] == [said, said]
    await visit.page.click("[data-language=en]")
    (_, until) = (await visit.turns())[2]["slots"]
    assert until[1].startswith("1/2/26, ")

    failure = visit.page.locator("#failure")
    await visit.page.click("#back")
    await expect(failure).to_be_hidden()
    await visit.page.route("**/api/login", lambda route: route.fulfill(**no_json))
    await visit.page.click("[data-card=bruno]")
    await expect(failure).to_contain_text("The server of this page does not answer.")
    await visit.page.unroute("**/api/login")
    await visit.page.click("[data-card=bruno]")
    await expect(failure).to_be_hidden()
    (misdeed,) = visit.misdeeds
    assert "status of 504" in misdeed
    visit.misdeeds.clear()


SAYS: list[dict[str, Any]] = [
    {"text": "um\n\ndois", "data": {"image": "mark.svg"}},
    {
        "text": "Qual?",
        "data": {
            "elements": [
                {"title": "Ouro", "subtitle": "sem anuidade", "buttons": [{"title": "Ouro"}]},
                {"title": "Prata", "default_action": {"url": "https://a.example/prata"}},
            ]
        },
    },
    {"text": None, "data": {"custom": {"type": "pdf"}}},
    {"text": "Quer?", "data": {"buttons": [{"title": "Quero sim", "payload": "/thank"}]}},
]


async def test_whatever_the_bot_says_is_drawn(visit: Visit, oss_bot: RunningBot) -> None:
    """With its line ends; and what is pressed reads as its title, also when the page comes back."""
    async with visit.page.expect_response("**/api/pass") as answered:
        await visit.arrive("nobody")
    shown = (await (await answered.value).json())["pass"]
    conversation = jwt.decode(shown, options={"verify_signature": False})["sub"]
    SAYS[0]["data"]["image"] = f"{visit.url}mark.svg"
    for said in SAYS:
        assert await oss_bot.chat(conversation).write(said) == (200, "")
    heard = visit.page.locator(".message.bot")
    words = ["Olá!", "um\n\ndois", "", "Qual?", "Ouro", "(conteúdo que esta página", "Quer?"]
    for comes_back in (None, visit.page.reload):
        if comes_back is not None:
            await comes_back()
        await expect(heard).to_contain_text(words, use_inner_text=True)
        assert await heard.nth(1).locator(".words").inner_text() == SAYS[0]["text"]
        await heard.locator("img").evaluate("picture => picture.decode()")
        await expect(heard.locator("a")).to_have_attribute("href", "https://a.example/prata")
        assert await visit.violations() == []
    await visit.page.click("text=Quero sim")
    await visit.finished(2)
    await visit.page.reload()
    mine = visit.page.locator(".message.you .words")
    await expect(mine).to_have_text(["Quero sim"])
    await expect(heard.last).to_contain_text(*spoken.THANKED)


async def test_nothing_that_axe_finds_on_a_phone(visit: Visit) -> None:
    """Cards, chat and panel pass every rule of axe-core; a phone shows one side at a time."""
    await visit.page.set_viewport_size({"width": 390, "height": 800})
    await visit.page.goto(visit.url)
    await visit.page.wait_for_selector(".card")
    assert await visit.violations() == []
    await visit.arrive("http-503")
    await expect(visit.page.locator(".panel")).to_be_hidden()
    assert await visit.violations() == []
    await visit.page.click(".sides [data-side=panel]")
    await expect(visit.page.locator(".chat")).to_be_hidden()
    assert await visit.violations() == []
