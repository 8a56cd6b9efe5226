"""The page itself: languages, screens, and what it says when something breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from tests.conversation import spoken
from tests.conversation.spoken import BALANCES, NO_BALANCE, greeting
from tests.webchat.visit import AXE

if TYPE_CHECKING:
    from tests.webchat.visit import Visit, Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

GREETING = greeting(PERSONAS["ana"])
(BALANCE,) = BALANCES["ana"]
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

    await visit.page.click("[data-language=en]")
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


@pytest.mark.parametrize(
    ("language", "phone"),
    [("pt-BR", False), pytest.param("en", True, marks=pytest.mark.release)],
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
