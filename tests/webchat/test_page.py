"""The page itself: languages, screens, and what it says when something breaks."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from examples.webchat.cards import CARDS
from tests.conversation import spoken
from tests.conversation.spoken import BALANCES, NO_BALANCE, greeting
from tests.webchat.visit import AXE

if TYPE_CHECKING:
    from tests.conversation.talking import RunningBot
    from tests.webchat.visit import Visit, Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

GREETING = greeting(PERSONAS["ana"])
(BALANCE,) = BALANCES["ana"]
PORTUGUESE = CARDS["ana"].about["pt-BR"]
CALL = "POST /apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"


async def test_the_panel_shows_each_turn_masked(visitors: Visitors) -> None:
    """Each turn with its requests, its lookup and the slots, masked; PS7 is asked once.

    In another language all texts of the page change, those of the bot stay.
    """
    visit = await visitors()
    await visit.arrive("ana")
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*GREETING, BALANCE)
    first, second = await visit.turns()

    shown = {slot: (value, note) for slot, value, note in first["slots"]}
    assert (first["status"], first["ends"]) == ("ok", [["ok", None]])
    assert first["calls"] == [[CALL, "200"]]
    assert shown["segment"] == ("Personnalité", "")
    assert shown["cpf"] == ("***.982.247-**", "mascarado aqui")
    assert shown["identification"] == ("autenticado", "authenticated")
    assert shown["ps7_context"] == ("selado", "")
    assert (second["number"], second["said"], second["status"]) == ("2", "qual meu saldo?", "ok")
    assert (second["calls"], second["plain"]) == ([], ["Nada: o contexto selado ainda vale."])

    await expect(visit.page.locator("#about")).to_have_text(f"Personnalité · {PORTUGUESE}")
    await expect(visit.page.locator("#count")).to_have_text("2")
    await expect(visit.page.locator("#production")).to_contain_text("make webchat SIGNED=1")
    await visit.page.locator("summary").nth(1).click()
    await visit.page.click("[data-language=en]")
    await expect(visit.page.locator(".turn").last).to_have_attribute("open", "")
    assert await visit.page.title() == "Ana · Your Bank"
    assert visit.page.url == f"{visit.url}?lang=en&as=ana"
    first, second = await visit.turns()
    assert first["meaning"] == "PS7 knows this context."
    assert second["plain"] == ["Nothing: the sealed context still holds."]
    await visit.hears(*GREETING, BALANCE)


async def test_the_panel_shows_why_when_ps7_fails(visitors: Visitors) -> None:
    """The bot keeps to its rules, and the panel shows why, and how often PS7 was asked."""
    visit = await visitors()
    await visit.arrive("http-503")
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*spoken.GREETING, *NO_BALANCE["unavailable"])
    first, second = await visit.turns()

    assert first["calls"] == [[CALL, "503, 503, 503"]]
    assert [first["ends"], second["ends"]] == [[["unavailable", "server_error"]]] * 2
    assert [slot for slot, *_ in first["slots"]] == ["ps7_context"]


async def test_what_is_suggested_is_said_and_understood(
    visitors: Visitors, oss_bot: RunningBot
) -> None:
    """Ana takes the balance that she is offered; the offer then goes, the rest stays."""
    visit = await visitors()
    await visit.arrive("ana")
    replies = visit.page.locator(".reply button")
    await expect(replies).to_have_text(["SimYes", "NãoNo"])
    await replies.first.click()
    await visit.finished(2)
    await visit.hears(*GREETING, BALANCE)
    await expect(replies).to_have_count(0)
    suggested = await visit.page.locator("#suggestions button").all()
    assert len(suggested) == 5
    for each in suggested:
        said = await each.get_attribute("value")
        heard = await oss_bot.chat().say(str(said))
        assert heard not in (spoken.OUT_OF_SCOPE, spoken.NOT_UNDERSTOOD), said


async def test_one_goes_back_to_who_arrives(visitors: Visitors) -> None:
    """By the link and by the browser's button, in the language that one chose; the chat ends."""
    visit = await visitors()
    await visit.page.goto(f"{visit.url}?lang=xx")  # no such language: Portuguese
    await visit.page.click("[data-language=en]")
    await expect(visit.page.locator("#faults .pill")).to_have_count(6)
    await expect(visit.page.locator("#customers .card")).to_have_count(len(PERSONAS))
    await expect(visit.page.locator("[data-card=diego] .segment")).to_have_text("Private")
    closed = asyncio.Event()
    visit.page.on("websocket", lambda socket: socket.on("close", lambda _: closed.set()))
    for back in (visit.page.go_back, partial(visit.page.click, "#back")):
        await visit.page.click("[data-card=nobody]")
        await visit.finished(1)
        nobody = visit.page.locator("#turns p", has_text="Nothing about who is there.")
        await expect(nobody).to_have_count(1)
        await visit.say("tchau", 2)
        await back()
        await expect(visit.page.locator("#arrivals")).to_be_visible()
        assert visit.page.url == f"{visit.url}?lang=en"
        await asyncio.wait_for(closed.wait(), 15)
        closed.clear()


async def test_the_page_says_what_it_did_not_get(visitors: Visitors) -> None:
    """An answer of PS7, a turn, or its own server."""
    visit = await visitors()
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
    answers: list[dict[str, Any]] = [{"json": lost}, {"status": 504, "json": lost}]
    no_json = {"body": "no JSON"}
    await visit.page.route(
        "**/api/turns/**", lambda route: route.fulfill(**(answers.pop(0) if answers else no_json))
    )
    await visit.arrive("ana")
    await visit.say("oi", 2)
    await visit.say("oi", 3)
    first, second, third = await visit.turns()
    assert first["calls"] == [["POST /x", "sem resposta"]]
    (segment, until) = first["slots"]
    assert (segment[1], until[1][:10]) == ("apagado", "02/01/2026")
    said = ["O painel não recebeu este turno: o Rasa ou o simulador não respondeu."]
    assert [second["plain"], third["plain"]] == [said, said]

    await visit.page.route("**/api/arrivals", lambda route: route.fulfill(**no_json))
    await visit.page.click("#back")
    failure = visit.page.locator("#failure")
    await expect(failure).to_be_hidden()
    await visit.page.click("[data-card=bruno]")
    await expect(failure).to_be_visible()
    await expect(failure).to_contain_text("O servidor desta página não responde.")
    await visit.page.click("#back")
    await expect(failure).to_be_hidden()
    (misdeed,) = visit.misdeeds
    assert "status of 504" in misdeed
    visit.misdeeds.clear()


@pytest.mark.parametrize(
    ("language", "phone"),
    [("pt-BR", True), pytest.param("en", False, marks=pytest.mark.release)],
)
async def test_nothing_that_axe_finds(visitors: Visitors, language: str, *, phone: bool) -> None:
    """Cards, chat and panel pass every rule of axe-core; a phone shows one side at a time."""
    visit = await visitors(phone=phone)
    await visit.page.goto(f"{visit.url}?lang={language}")
    await visit.page.wait_for_selector(".card")
    assert await _violations(visit) == []

    for name in ("http-503", "ana"):
        await visit.arrive(name, language)
        await visit.page.locator(".how").evaluate("node => (node.open = true)")
        assert await _violations(visit) == []
        if phone:
            await expect(visit.page.locator(".panel")).to_be_hidden()
            await visit.page.click(".sides [data-side=panel]")
            await expect(visit.page.locator(".chat")).to_be_hidden()
            assert await _violations(visit) == []


async def _violations(visit: Visit) -> list[Any]:
    await visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = await visit.page.evaluate(
        """async () => (await axe.run()).violations.map(
          ({ id, nodes }) => [id, ...nodes.map((node) => node.html)])"""
    )
    return found
