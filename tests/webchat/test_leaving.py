"""A device that several people use, and a network that breaks: who arrives by themselves.

What is sent over a connection that breaks is in `test_chat`.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from examples.desk import Rasa
from tests.conversation.spoken import BALANCES, GOODBYE, HANDOVER, NO_BALANCE, greeting
from tests.webchat.visit import A_PERSON, ASK, LEAVE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import WebSocketRoute

    from tests.conversation.harness import Stage
    from tests.conversation.talking import RunningBot
    from tests.webchat.visit import Visit, Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

GREETING = greeting(PERSONAS["ana"])
LOST = "A conexão caiu. Tentando de novo…"
AGAIN = "Aviso: A conexão voltou. Para o bot, esta é uma conversa nova."


class Line:
    """The connection of a page, which a test can cut."""

    def __init__(self, visit: Visit) -> None:
        self._state = visit.page.locator("#state")
        self._sockets: list[WebSocketRoute] = []
        self.refused = self.deaf = False

    async def between(self, socket: WebSocketRoute) -> None:
        if self.refused:
            await socket.close()
            return
        server = socket.connect_to_server()
        self._sockets.append(socket)

        def to_server(message: Any) -> None:  # noqa: ANN401 - playwright's
            if not self.deaf:
                server.send(message)

        socket.on_message(to_server)

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Cut it until the block ends and the page has another."""
        self.refused = True
        await self._sockets[-1].close()
        await expect(self._state).to_have_text(LOST)
        yield
        self.refused = self.deaf = False
        await expect(self._state).to_have_text("", timeout=25_000)


async def arrived(visit: Visit) -> Line:
    """Let Ana arrive, over a line that can be cut."""
    line = Line(visit)
    await visit.page.route_web_socket("**/socket.io/**", line.between)
    await visit.arrive("ana")
    return line


async def test_nobody_arrives_by_themselves_after_a_log_out(visitors: Visitors) -> None:
    """Nor after the network drops, or the page is loaded again. A button asks who is there."""
    visit = await visitors()
    line = await arrived(visit)
    left, why, metadata = map(visit.page.locator, ("#left", "#why", "#metadata"))
    await expect(left).to_be_hidden()
    await expect(metadata).to_contain_text('contextId: "ana"')
    await visit.say(LEAVE, 2)
    await expect(why).to_have_text("O atendimento foi encerrado.")
    await expect(metadata).not_to_contain_text("contextId")
    unasked = "Nada: quem saiu não é consultado de novo nesta conversa."
    assert (await visit.turns())[1]["plain"] == [unasked]
    async with line.cut():
        pass
    await visit.say(ASK, 3)
    await visit.hears(*GREETING, *GOODBYE, *NO_BALANCE["missing"])
    await expect(visit.page.locator(".message.note")).to_have_count(0)
    await visit.page.click("[data-language=en]")
    await expect(why).to_have_text("The conversation has ended.")
    assert visit.arrivals == 1
    await visit.page.click("#anew")
    await visit.page.click("[data-card=diego]")
    await visit.finished(1)
    await visit.hears(*greeting(PERSONAS["diego"]))
    await visit.say(LEAVE, 2)
    await visit.page.reload()
    await visit.page.wait_for_selector(".card")
    assert visit.arrivals == 2, "the address names nobody any more"


async def test_a_hand_over_and_the_agent(
    visitors: Visitors, oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """An agent writes into the page, and the bot comes back; nobody arrives by themselves."""
    visit = await visitors()
    await visit.arrive("ana")
    why = visit.page.locator("#why")
    await visit.say(A_PERSON, 2)
    await expect(why).to_have_text("Uma pessoa da nossa equipe continua por aqui.")
    ticket, desk = rasa_stage.handed_over()[-1], Rasa(oss_bot.url)
    assert ticket["channel"] == "socketio"
    got = visit.page.locator("#turns > .turn").first.locator(".desk tr")
    await expect(got.filter(has_text="CPF para exibir")).to_contain_text("***.982.247-**")
    await visit.say(ASK, 3)
    await desk.say(ticket["conversation"], "k", "Olá, aqui é o Paulo.", "Paulo", None)
    heard = [*GREETING, HANDOVER, "Olá, aqui é o Paulo."]
    await visit.hears(*heard)
    await desk.resume(ticket["conversation"])
    told = {"conversation": "returned", "agent": "Paulo"}
    await desk.say(ticket["conversation"], "back", "Estou de volta.", None, told)
    heard.append("Estou de volta.")
    await visit.hears(*heard)
    await expect(why).to_have_text("A assistente está de volta, e não sabe mais quem você é.")
    await visit.say(ASK, 4)
    await visit.hears(*heard, *NO_BALANCE["missing"])
    assert visit.arrivals == 1


async def test_a_broken_connection_is_shown_and_ana_arrives_anew(visitors: Visitors) -> None:
    """The page says so, takes no message meanwhile, and Ana arrives in a new conversation.

    If it breaks under a message, that is marked. It may have been a goodbye: nobody arrives.
    """
    visit = await visitors()
    line = await arrived(visit)
    async with line.cut():
        await visit.page.fill("#input", ASK)
        await visit.page.press("#input", "Enter")
        assert await visit.page.input_value("#input") == ASK
        assert len(await visit.turns()) == 1
    await expect(visit.page.locator(".message").last).to_have_text(AGAIN)
    await visit.page.press("#input", "Enter")
    await visit.finished(2)
    await visit.hears(*GREETING, *BALANCES["ana"])
    assert visit.arrivals == 2

    line.deaf = True
    await visit.page.fill("#input", LEAVE)
    await visit.page.press("#input", "Enter")
    async with line.cut():
        pass
    broken = visit.page.locator(".message.you .broken")
    await expect(broken).to_have_text("pode não ter chegado")
    await expect(visit.page.locator(".typing")).to_have_count(0)
    why = "A conexão caiu durante o envio da mensagem."
    await expect(visit.page.locator("#why")).to_have_text(why)
    assert visit.arrivals == 2
