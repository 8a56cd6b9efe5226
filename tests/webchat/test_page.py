"""The page itself: languages, keyboard, screens, and what it says when something breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from examples.webchat import server
from examples.webchat.server import Backstage
from tests.conversation import spoken
from tests.conversation.cast import ARRIVAL_KEYS, BOTS
from tests.conversation.spoken import BALANCES, GOODBYE, HANDOVER, greeting
from tests.webchat.cast import HELD
from tests.webchat.conftest import SIZES
from tests.webchat.visit import AXE, served

if TYPE_CHECKING:
    from playwright.async_api import Route, WebSocketRoute

    from actions.ps7.testing import Simulator
    from tests.conversation.harness import Stage
    from tests.conversation.talking import RunningBot
    from tests.webchat.visit import Visit, Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

GREETING = greeting(PERSONAS["ana"])
(BALANCE,) = BALANCES["ana"]
_STOP = """() => {
  const node = document.activeElement, style = getComputedStyle(node);
  return {
    name: node.id || node.dataset.card || node.dataset.language || node.dataset.side
      || node.value || (node.matches("summary") && node.querySelector(".number")?.textContent)
      || node.closest("details")?.className || node.className || node.tagName,
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
  };
}"""


async def stops(visit: Visit) -> list[str]:
    """Press Tab all around the page, and see the focus at each stop."""
    found: list[str] = []
    await visit.page.focus("#home")
    while (stop := await visit.page.evaluate(_STOP))["name"] not in {"BODY", *found}:
        assert stop["seen"], f"no focus is seen at {stop['name']}"
        found.append(stop["name"])
        await visit.page.keyboard.press("Tab")
    return found


async def test_by_keyboard_alone(visitors: Visitors, page_url: str) -> None:
    """A card opens the chat; one types, takes a suggestion, and keeps the focus all the while."""
    visit = await visitors(page_url)
    await visit.open()
    await visit.page.focus("[data-card=ana]")
    keys = visit.page.keyboard
    await keys.press("Enter")
    await visit.finished(1)
    await keys.type("qual meu saldo?")
    await keys.press("Enter")
    await visit.finished(2)
    await visit.hears(*GREETING, BALANCE)
    assert (await visit.page.evaluate(_STOP))["name"] == "input"

    assert await stops(visit) == [
        *("home", "pt-BR", "en", "back", "messages"),
        *("Qual é o meu saldo?", "Qual é a minha agência e conta?", "Que horas o banco abre?"),
        *("Quero falar com uma pessoa", "Tchau", "input", "BUTTON", "panel", "2", "1", "how"),
    ]
    await visit.page.focus("#suggestions button")
    await keys.press("Space")
    await visit.finished(3)
    await visit.hears(*GREETING, BALANCE, BALANCE)
    assert (await visit.page.evaluate(_STOP))["name"] == "Qual é o meu saldo?"


async def test_a_yes_to_what_the_bot_offers(visitors: Visitors, page_url: str) -> None:
    """The bot's own suggestions come first, and go with the next message; the focus stays there."""
    visit = await visitors(page_url)
    await visit.arrive("ana")
    first = visit.page.locator("#suggestions button").first
    await expect(visit.page.locator(".reply")).to_have_text(["SimYes", "NãoNo"])
    await first.press("Enter")
    await visit.finished(2)
    await visit.hears(*GREETING, BALANCE)
    await expect(visit.page.locator(".reply")).to_have_count(0)
    await expect(first).to_be_focused()


async def test_answers_stand_under_their_question(
    visitors: Visitors, page_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who types on while PS7 is slow finds each answer where it belongs; dots say which is due.

    However long a message waits for its turn, the panel shows that turn.
    """
    monkeypatch.setattr(server, "_TURN_TIMEOUT", 1)
    visit = await visitors(page_url)
    await visit.open("?as=slow")
    await visit.page.wait_for_selector(".turn")
    for text in ("que horas o banco abre?", "qual meu saldo?"):
        await visit.page.fill("#input", text)
        await visit.page.press("#input", "Enter")
    shown = visit.page.locator("#messages > .message > span:last-child, #messages > .typing")
    await expect(shown).to_have_text(["", "que horas o banco abre?", "", "qual meu saldo?", ""])
    answered = [*spoken.GREETING, "que horas o banco abre?", *spoken.HOURS, "qual meu saldo?"]
    await expect(shown).to_have_text([*answered, ""], timeout=15_000)
    await expect(shown).to_have_text([*answered, *spoken.NO_BALANCE["unavailable"]], timeout=15_000)
    await visit.finished(3)
    assert [turn["status"] for turn in await visit.turns()] == ["unavailable"] * 3


async def test_the_language_changes_and_the_chat_goes_on(visitors: Visitors, page_url: str) -> None:
    """All texts of the page change, those of the bot stay; the address remembers."""
    visit = await visitors(page_url)
    await visit.arrive("ana")
    assert await visit.page.title() == "Ana · Seu Banco"
    await visit.page.click("[data-language=en]")
    assert await visit.page.title() == "Ana · Your Bank"
    assert visit.page.url == f"{page_url}?lang=en&as=ana"
    assert await visit.page.get_attribute("html", "lang") == "en"
    assert await visit.page.text_content("#about") == "Personnalité · authenticated, token valid"
    assert (await visit.turns())[0]["meaning"] == "PS7 knows this context."
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*GREETING, BALANCE)
    assert (await visit.turns())[1]["plain"] == [HELD["en"]]


@pytest.mark.release
async def test_a_phone_shows_one_side_at_a_time(visitors: Visitors, page_url: str) -> None:
    """Two buttons change between chat and panel; a computer shows both and no buttons."""
    visit = await visitors(page_url, "phone")
    await visit.arrive("ana")
    chat, panel = visit.page.locator(".chat"), visit.page.locator(".panel")
    await expect(chat).to_be_visible()
    await expect(panel).to_be_hidden()

    await visit.page.click(".sides [data-side=panel]")
    await expect(chat).to_be_hidden()
    await expect(panel).to_be_visible()
    assert await visit.overflowing() == []
    pressed = visit.page.locator(".sides [aria-pressed=true]")
    await expect(pressed).to_have_text("Bastidores 1")

    await visit.page.set_viewport_size(SIZES["desktop"])
    await expect(chat).to_be_visible()
    await expect(panel).to_be_visible()
    await expect(visit.page.locator(".sides")).to_be_hidden()
    assert await visit.overflowing() == []


@pytest.mark.parametrize(
    ("language", "size"),
    [("pt-BR", "desktop"), pytest.param("en", "phone", marks=pytest.mark.release)],
)
async def test_nothing_that_axe_finds(
    visitors: Visitors, page_url: str, language: str, size: str
) -> None:
    """Cards, chat and panel pass every rule of axe-core, contrast included."""
    visit = await visitors(page_url, size)
    await visit.open(f"?lang={language}")
    await visit.page.wait_for_selector(".card")
    assert await visit.overflowing() == []
    assert await _violations(visit) == []

    for name in ("http-503", "ana"):
        await visit.arrive(name, language)
        await visit.page.locator(".how").evaluate("node => (node.open = true)")
        assert await _violations(visit) == []
        if size == "phone":
            await visit.page.click(".sides [data-side=panel]")
            assert await _violations(visit) == []
            assert await visit.overflowing() == []


async def _violations(visit: Visit) -> list[Any]:
    await visit.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[Any] = await visit.page.evaluate(
        """async () => (await axe.run()).violations.map(
          ({ id, nodes }) => [id, ...nodes.map((node) => node.html)])"""
    )
    return found


async def test_a_goodbye_forgets_the_customer(visitors: Visitors, page_url: str) -> None:
    """After a goodbye the panel shows every slot empty, and PS7 is not asked about them again."""
    visit = await visitors(page_url)
    await visit.arrive("ana")
    known = [slot for slot, *_ in (await visit.turns())[0]["slots"]]
    await visit.say("tchau", 2)
    await visit.hears(*GREETING, *GOODBYE)
    await visit.say("oi", 3)
    _, left, later = await visit.turns()

    cleared = [slot for slot in known if slot != "ps7_context"]
    assert left["status"] == "missing"
    assert left["slots"] == [
        *([slot, "apagado", "", "changed"] for slot in cleared),
        ["ps7_context", "selado", "", "changed"],
    ]
    assert later["slots"] == [["ps7_context", "selado", "", ""]]
    assert later["plain"] == ["Nada: quem saiu não é consultado de novo nesta conversa."]


async def test_what_goes_on_to_a_person_is_no_message(visitors: Visitors, page_url: str) -> None:
    """The customer reads what is said to them; the panel shows what the agents' desk got."""
    visit = await visitors(page_url)
    await visit.arrive("ana")
    await visit.say("quero falar com uma pessoa", 2)
    await visit.hears(*GREETING, HANDOVER)
    handed_over = visit.page.locator("#turns > .turn").first.locator(".desk tr")
    assert await handed_over.all_inner_texts() == [
        "Motivo\nreason\n\task_human",
        "Resultado\nps7_status\n\tok",
        "CPF para exibir\ncpf_masked\n\t***.982.247-**",
        "Segmento\nsegment\n\tPersonnalité",
        "Opção na URA\nivr_option\n\tsaldo",
        "Cliente\nidentification\n\tautenticado",
        "Dispositivo\nsecurity_device\n\ttoken",
        "Token\ntoken_status\n\tválido",
    ]


async def test_how_the_context_id_arrives(
    visitors: Visitors,
    page_url: str,
    guarded_bot: RunningBot,
    rasa_stage: Stage,
    rasa_simulator: Simulator,
) -> None:
    """The panel shows the call as it is made; with a key, a token stands for the contextId."""
    visit = await visitors(page_url)
    await visit.arrive("ana")
    assert await visit.page.text_content("#metadata") == (
        'socket.emit("user_uttered", {\n  message: "…",\n  metadata: {\n    contextId: "ana",\n'
        "    correlationId: crypto.randomUUID(),\n  },\n});"
    )
    assert "PS7_ARRIVAL_KEYS" in str(await visit.page.text_content("#production"))

    log = rasa_stage.actions_log(BOTS["guarded_bot"])
    desk = rasa_stage.desk_log
    backstage = Backstage(
        guarded_bot.url, rasa_simulator.url, log, desk, arrival_key=ARRIVAL_KEYS[0]
    )
    async with served(backstage) as signed_url:
        signed = await visitors(signed_url)
        await signed.arrive("ana")
        await signed.say("qual meu saldo?", 2)
        await signed.hears(*GREETING, BALANCE)
        assert 'contextId: "eyJ' in str(await signed.page.text_content("#metadata"))
        assert str(await signed.page.text_content("#production")).startswith("Este contextId veio")


async def test_a_connection_that_breaks(visitors: Visitors, page_url: str) -> None:
    """The page says so, takes no message meanwhile, and goes on as a new conversation."""
    visit = await visitors(page_url)
    sockets: list[WebSocketRoute] = []
    refused = False

    async def between(socket: WebSocketRoute) -> None:
        if refused:
            await socket.close()
            return
        socket.connect_to_server()
        sockets.append(socket)

    await visit.page.route_web_socket("**/socket.io/**", between)
    await visit.arrive("ana")
    refused = True
    await sockets[0].close()
    state = visit.page.locator("#state")
    await expect(state).to_have_text("A conexão caiu. Tentando de novo…")
    await visit.page.fill("#input", "qual meu saldo?")
    await visit.page.press("#input", "Enter")
    assert await visit.page.input_value("#input") == "qual meu saldo?"
    assert len(await visit.turns()) == 1

    refused = False
    await expect(state).to_have_text("", timeout=15_000)
    note = "Aviso: A conexão voltou. Para o bot, esta é uma conversa nova."
    await expect(visit.page.locator(".message").last).to_have_text(note)
    await visit.page.press("#input", "Enter")
    await visit.finished(2)
    await visit.hears(*GREETING, BALANCE)
    assert (await visit.turns())[1]["ends"] == [["ok", None]]


async def test_a_connection_that_breaks_within_a_turn(visitors: Visitors, page_url: str) -> None:
    """Nothing is awaited any more; the panel still shows what came of the turn."""
    visit = await visitors(page_url)
    sockets: list[WebSocketRoute] = []

    async def between(socket: WebSocketRoute) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    await visit.page.route_web_socket("**/socket.io/**", between)
    await visit.open("?as=slow")
    typing = visit.page.locator(".typing")
    await expect(typing).to_have_count(1)
    await sockets[0].close()
    await expect(typing).to_have_count(0, timeout=1_000)
    await visit.finished(1)
    await visit.hears()


@pytest.mark.parametrize(
    ("path", "selector", "text"),
    [
        ("**/api/page", "#failure", "O servidor desta página não responde."),
        ("**/api/arrivals", "#failure", "O servidor desta página não responde."),
        ("**/api/turns/**", ".failed", "O painel não recebeu este turno"),
    ],
)
async def test_a_server_that_is_gone(
    visitors: Visitors, page_url: str, path: str, selector: str, text: str
) -> None:
    """The page says which part is missing."""
    visit = await visitors(page_url)

    async def refuse(route: Route) -> None:
        await route.abort()

    await visit.page.route(path, refuse)
    await visit.open("?as=ana")

    await expect(visit.page.locator(selector)).to_contain_text(text)
    visit.forgive("net::ERR_FAILED")
