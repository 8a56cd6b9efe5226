"""A device that several people use, and a network that breaks: who arrives by themselves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from examples.desk import Rasa
from tests.conversation import spoken
from tests.conversation.spoken import BALANCES, GOODBYE, HANDOVER, NO_BALANCE, greeting

if TYPE_CHECKING:
    from playwright.async_api import WebSocketRoute

    from tests.conversation.harness import Stage
    from tests.conversation.talking import RunningBot
    from tests.webchat.visit import Visit, Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

GREETING = greeting(PERSONAS["ana"])
(BALANCE,) = BALANCES["ana"]
ASK, LEAVE, A_PERSON = "qual meu saldo?", "tchau", "quero falar com uma pessoa"
LOST = "A conexão caiu. Tentando de novo…"
AGAIN = "Aviso: A conexão voltou. Para o bot, esta é uma conversa nova."


class Line:
    """The connection of a page, which a test can cut."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._sockets: list[WebSocketRoute] = []
        self.refused = self.deaf = False

    async def lay(self) -> None:
        await self._visit.page.route_web_socket("**/socket.io/**", self._between)

    async def _between(self, socket: WebSocketRoute) -> None:
        if self.refused:
            await socket.close()
            return
        server = socket.connect_to_server()
        self._sockets.append(socket)

        def to_server(message: Any) -> None:  # noqa: ANN401 - playwright's
            if not self.deaf:
                server.send(message)

        socket.on_message(to_server)

    async def cut(self, seconds: float = 0.0) -> None:
        """Cut it for so long, and wait until the page has another."""
        self.refused, before = True, len(self._sockets)
        await self._sockets[-1].close()
        await expect(self._visit.page.locator("#state")).to_have_text(LOST)
        await asyncio.sleep(seconds)
        self.refused = self.deaf = False
        await expect(self._visit.page.locator("#state")).to_have_text("", timeout=25_000)
        assert len(self._sockets) > before


async def laid(visit: Visit) -> tuple[Line, list[str]]:
    """Lay a line; return it, and the list of the arrivals that the page asks for."""
    arrivals: list[str] = []
    visit.page.on(
        "request", lambda it: arrivals.append(it.url) if it.url.endswith("/arrivals") else None
    )
    line = Line(visit)
    await line.lay()
    await visit.arrive("ana")
    assert len(arrivals) == 1
    return line, arrivals


async def asks_and_hears(visit: Visit, number: int, *texts: str) -> None:
    """Ask for the balance as whoever sits there now."""
    await visit.say(ASK, number)
    await visit.hears(*texts)


async def test_nobody_arrives_by_themselves_after_a_log_out(visitors: Visitors) -> None:
    """Ana leaves, the network drops for two seconds, and the next person asks for a balance."""
    visit = await visitors()
    line, arrivals = await laid(visit)
    await visit.say(LEAVE, 2)
    await line.cut(2)
    await expect(visit.page.locator(".message.note")).to_have_count(0)
    await asks_and_hears(visit, 3, *GREETING, *GOODBYE, *NO_BALANCE["missing"])
    assert len(arrivals) == 1
    await visit.page.reload()
    await visit.page.wait_for_selector(".card")
    assert len(arrivals) == 1, "the address names nobody any more"


async def test_a_button_begins_a_new_conversation(visitors: Visitors) -> None:
    """It asks who is there. Whoever says so arrives in a conversation of their own."""
    visit = await visitors()
    line, arrivals = await laid(visit)
    await expect(visit.page.locator("#left")).to_be_hidden()
    await expect(visit.page.locator("#metadata")).to_contain_text('contextId: "ana"')
    await visit.say(LEAVE, 2)
    await expect(visit.page.locator("#why")).to_have_text("O atendimento foi encerrado.")
    await expect(visit.page.locator("#metadata")).not_to_contain_text("contextId")
    left = "Nada: quem saiu não é consultado de novo nesta conversa."
    assert (await visit.turns())[1]["plain"] == [left]
    await line.cut()
    await visit.page.click("[data-language=en]")
    await expect(visit.page.locator("#why")).to_have_text("The conversation has ended.")
    await visit.page.click("#anew")
    await visit.page.click("[data-card=diego]")
    await visit.finished(1)
    await visit.hears(*greeting(PERSONAS["diego"]))
    assert len(await visit.turns()) == 1, "nothing of Ana's"
    assert len(arrivals) == 2


async def test_a_hand_over_and_the_agent(
    visitors: Visitors, oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """An agent writes into the page, and the bot comes back; nobody arrives by themselves."""
    visit = await visitors()
    line, arrivals = await laid(visit)
    await visit.say(A_PERSON, 2)
    await expect(visit.page.locator("#why")).to_have_text(
        "Uma pessoa da nossa equipe continua por aqui."
    )
    ticket, desk = rasa_stage.handed_over()[-1], Rasa(oss_bot.url)
    assert ticket["channel"] == "socketio"
    got = visit.page.locator("#turns > .turn").first.locator(".desk tr")
    await expect(got.filter(has_text="CPF para exibir")).to_contain_text("***.982.247-**")
    await visit.say(ASK, 3)
    await desk.write(ticket["conversation"], "Olá, aqui é o Paulo.")
    heard = [*GREETING, HANDOVER, "Olá, aqui é o Paulo."]
    await visit.hears(*heard)
    assert await desk.written(ticket["conversation"]) == [
        {"who": "customer", "text": ASK},
        {"who": "agent", "text": "Olá, aqui é o Paulo."},
    ]
    await desk.resume(ticket["conversation"], "agent_returned")
    heard += spoken.answer("agent_returned")
    await visit.hears(*heard)
    await expect(visit.page.locator("#why")).to_have_text(
        "A assistente está de volta, e não sabe mais quem você é."
    )
    await asks_and_hears(visit, 4, *heard, *NO_BALANCE["missing"])
    await line.cut()
    heard += NO_BALANCE["missing"]
    await asks_and_hears(visit, 5, *heard, *NO_BALANCE["missing"])
    assert len(arrivals) == 1


async def test_a_message_that_broke_with_the_connection_is_marked(visitors: Visitors) -> None:
    """It is marked. It may have been a goodbye, so that nobody arrives by themselves."""
    visit = await visitors()
    line, arrivals = await laid(visit)
    line.deaf = True
    await visit.page.fill("#input", LEAVE)
    await visit.page.press("#input", "Enter")
    await line.cut()
    broken = visit.page.locator(".message.you .broken")
    await expect(broken).to_have_text("pode não ter chegado")
    await expect(visit.page.locator(".typing")).to_have_count(0)
    await expect(visit.page.locator("#why")).to_have_text(
        "A conexão caiu durante o envio da mensagem."
    )
    assert len(arrivals) == 1


async def test_a_broken_connection_is_shown_and_ana_arrives_anew(visitors: Visitors) -> None:
    """The page says so, takes no message meanwhile, and Ana arrives in a new conversation."""
    visit = await visitors()
    line, arrivals = await laid(visit)
    cut = asyncio.create_task(line.cut(1))
    await expect(visit.page.locator("#state")).to_have_text(LOST)
    await visit.page.fill("#input", ASK)
    await visit.page.press("#input", "Enter")
    assert await visit.page.input_value("#input") == ASK
    assert len(await visit.turns()) == 1
    await cut
    await expect(visit.page.locator(".message").last).to_have_text(AGAIN)
    await visit.page.press("#input", "Enter")
    await visit.finished(2)
    await visit.hears(*GREETING, BALANCE)
    assert (await visit.turns())[1]["ends"] == [["ok", None]]
    assert len(arrivals) == 2


async def test_an_arrival_is_renewed_while_the_page_is_open(visitors: Visitors) -> None:
    """Before a message, if it is older than a token is valid; not before each."""
    visit = await visitors()
    await visit.page.clock.install()
    _, arrivals = await laid(visit)
    await visit.say(ASK, 2)
    assert len(arrivals) == 1
    await visit.page.clock.run_for(31_000)
    await visit.say(ASK, 3)
    await visit.say(ASK, 4)
    assert len(arrivals) == 2
    await visit.hears(*GREETING, *[BALANCE] * 3)


async def test_a_typed_slash_is_no_command(visitors: Visitors) -> None:
    """The page sends the text without it, and nothing where there is no other."""
    visit = await visitors()
    await visit.arrive("ana")
    await visit.page.fill("#input", "/ ")
    await visit.page.press("#input", "Enter")
    await visit.say("/ qual meu saldo?", 2)
    await visit.hears(*GREETING, BALANCE)
