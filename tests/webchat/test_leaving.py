"""A device that several people use, and a network that breaks: who arrives by themselves.

What is sent over a connection that breaks is in `test_chat`.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import BALANCES, GOODBYE, HANDOVER, NO_BALANCE, greeting
from tests.support.agents import CAIO, DELIVERED, JOINED, Opened
from tests.support.waiting import until
from tests.webchat.visit import A_PERSON, ASK, LEAVE, Visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import WebSocketRoute

    from tests.conversation.harness import Stage
    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

GREETING = greeting(PERSONAS["ana"])
LOST = "A conexão caiu. Tentando de novo…"


class Line:
    """The connection of a page, which a test can cut."""

    def __init__(self, visit: Visit) -> None:
        self._state = visit.page.locator("#state")
        self._sockets: list[WebSocketRoute] = []
        self.refused = self.dumb = False
        self.deaf_to: str | None = None
        """What does not get to the server, until the connection is cut; "" is in all."""
        self.sent = ""
        """All that left the page, also what does not get there."""

    async def between(self, socket: WebSocketRoute) -> None:
        if self.refused:
            await socket.close()
            return
        server = socket.connect_to_server()
        self._sockets.append(socket)

        def to_server(message: Any) -> None:  # noqa: ANN401 - playwright's
            if self.deaf_to is None or self.deaf_to not in str(message):
                server.send(message)
            self.sent += str(message)

        def to_page(message: Any) -> None:  # noqa: ANN401 - playwright's
            if not self.dumb:
                socket.send(message)

        socket.on_message(to_server)
        server.on_message(to_page)

    async def breaks_under(self, text: str) -> None:
        """Be gone for a moment, once this has left the page."""
        await until(f"{text} has left the page", lambda: text in self.sent)
        await self.breaks()

    async def breaks(self) -> None:
        """Be gone for a moment."""
        async with self.cut():
            pass

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """Cut it until the block ends and the page has another."""
        self.refused = True
        await self._sockets[-1].close()
        await expect(self._state).to_have_text(LOST)
        yield
        self.refused, self.dumb, self.deaf_to = False, False, None
        await expect(self._state).not_to_have_text(LOST, timeout=25_000)


async def arrived(visit: Visit) -> Line:
    """Let Ana arrive, over a line that can be cut."""
    line = Line(visit)
    await visit.page.route_web_socket("**/socket.io/**", line.between)
    await visit.arrive("ana")
    return line


async def test_who_is_logged_out_is_gone(visit: Visit) -> None:
    """From the page, but for the goodbye; from its server; and nobody arrives by themselves.

    Nor after the page is loaded again. A button asks who is there.
    """
    await visit.arrive("ana")
    why, metadata, heading = map(visit.page.locator, ("#state", "#metadata", "#who"))
    await expect(metadata).to_contain_text('"contextId": "ana"')
    await expect(heading).to_have_text("Ana")
    await visit.say(ASK, 2)
    await visit.page.evaluate("document.querySelector('#input').value = 'minha senha é'")
    await visit.page.click("text=Tchau")
    await visit.is_in("over")
    await expect(why).to_have_text("O atendimento foi encerrado.")
    await visit.hears(*GOODBYE)
    await expect(visit.page.locator("#anew")).to_be_focused()
    await expect(visit.page.locator("#input")).to_be_disabled()
    await expect(visit.page.locator("#suggestions")).to_be_hidden()
    (last,) = await visit.turns()
    unasked = "Nada: quem saiu não é consultado de novo nesta conversa."
    assert (last["said"], last["plain"]) == ("Saída", [unasked])
    content = await visit.page.evaluate("document.body.innerHTML + document.forms[0][0].value")
    gone = ("00123456", "••56", "982.247", "Personnalité ·", "senha", "eyJ")
    assert [each for each in gone if each in content] == []
    await expect(metadata).to_be_empty()
    assert await visit.page.context.cookies() == []
    assert await visit.violations() == []
    await visit.page.click("[data-language=en]")
    await expect(why).to_have_text("The conversation has ended.")
    await visit.page.keyboard.press("Tab")
    await visit.page.click("#anew")
    await visit.page.click("[data-card=diego]")
    await visit.finished(1)
    await visit.hears(*greeting(PERSONAS["diego"]))
    await visit.say(LEAVE, 2)
    await visit.is_in("over")
    await visit.page.reload()
    await visit.page.wait_for_selector(".card")
    assert visit.logins == 2


async def test_a_hand_over_and_the_agent(
    visit: Visit, oss_bot: RunningBot, rasa_stage: Stage
) -> None:
    """She waits and may write, a person writes to her by name, and the bot comes back.

    A page that is loaded again, offline for a while, or is another tab, is where she left it; and
    nobody arrives by themselves.
    """
    line = await arrived(visit)
    why, suggestions, anew = map(visit.page.locator, ("#state", "#suggestions", "#anew"))
    await visit.say(A_PERSON, 2)
    await visit.is_in("waiting")
    await expect(why).to_have_text("Aguardando uma pessoa da nossa equipe…")
    await expect(suggestions).to_be_hidden()
    await expect(anew).to_be_hidden()
    assert await visit.violations() == []
    ticket = rasa_stage.handed_over()[-1]
    assert ticket["channel"] == "webchat"
    got = visit.page.locator("#turns > .turn").first.locator(".desk tr")
    await expect(got.filter(has_text="CPF para exibir")).to_contain_text("***.982.247-**")
    await visit.say("alô?", 3)
    await visit.page.reload()
    await visit.is_in("waiting")
    async with Opened(oss_bot.url) as desk:
        await desk.takes(ticket)
        assert await desk.does("PUT", CAIO, "/agent") == DELIVERED
        await visit.say(ASK, 4)
        assert await desk.does("POST", CAIO, "/messages", "Olá,\naqui é o Caio.") == DELIVERED
        words = ["Olá! Sou", "Vi que", A_PERSON, HANDOVER, "alô?", f"Aviso: {JOINED}", ASK]
        words += ["Caio Olá,\naqui é o Caio."]
        for comes_back in (None, visit.page.reload, line.breaks):
            if comes_back is not None:
                await comes_back()
            await expect(why).to_have_text("Você está falando com Caio, da nossa equipe.")
            messages = visit.page.locator(".message:not(.note)")
            await expect(messages).to_contain_text(words, use_inner_text=True)
            await expect(suggestions).to_be_hidden()
        assert await visit.violations() == []
        again = CAIO | {"Idempotency-Key": "again"}
        async with line.cut():
            writing = asyncio.create_task(desk.does("POST", again, "/messages", "Ainda aí?"))
        assert await writing == DELIVERED, "what an agent says waits for the page"
        await expect(visit.page.locator(".message.agent")).to_have_count(2)
        assert await desk.does("DELETE", CAIO) == DELIVERED
    await visit.is_in("back")
    await expect(why).to_have_text("A assistente está de volta, e não sabe mais quem você é.")
    await expect(suggestions).to_be_visible()
    await expect(anew).to_be_visible()
    await visit.say(ASK, 5)
    await expect(visit.page.locator(".message.bot").last).to_contain_text(*NO_BALANCE["missing"])
    await visit.is_in("back")
    assert visit.logins == 1


async def test_a_conversation_survives_what_a_network_does(visit: Visit) -> None:
    """The page says that the connection broke, takes no message meanwhile, and goes on.

    A message that was under way has arrived, or is marked; what broke under the greeting is said of
    no message.
    """
    line = await arrived(visit)
    async with line.cut():
        await visit.is_in("lost")
        await visit.types(ASK)
        assert await visit.page.input_value("#input") == ASK
        assert len(await visit.turns()) == 1
        await expect(visit.page.locator("#suggestions")).to_be_hidden()
        assert await visit.violations() == []
    await expect(visit.page.locator(".message").last).to_have_text("Aviso: A conexão voltou.")
    await visit.page.press("#input", "Enter")
    await visit.finished(2)
    await visit.hears(*GREETING, *BALANCES["ana"])

    # what the bot answers is lost, and read when the page is back
    line.dumb, line.sent = True, ""
    await visit.types(ASK)
    await line.breaks_under(ASK)
    await visit.finished(3)
    await visit.hears(*GREETING, *BALANCES["ana"] * 2)
    line.deaf_to = ""
    await visit.types(LEAVE)
    await line.breaks_under(LEAVE)
    broken = visit.page.locator(".message.you .broken")
    await expect(broken).to_have_text("pode não ter chegado", timeout=25_000)
    await expect(visit.page.locator(".typing")).to_have_count(0)
    await visit.is_in("bot")
    await visit.say(ASK, 5)
    await visit.hears(*GREETING, *BALANCES["ana"] * 3)
    assert visit.logins == 1
    (misdeed,) = visit.misdeeds
    assert "status of 504" in misdeed, "nobody knows of that message"
    visit.misdeeds.clear()


async def test_a_break_under_the_greeting_loses_no_message(visit: Visit) -> None:
    line = Line(visit)
    line.deaf_to = "user_uttered"
    await visit.page.route_web_socket("**/socket.io/**", line.between)
    await visit.page.goto(visit.url)
    await visit.page.click("[data-card=ana]")
    await visit.is_in("bot")
    await line.breaks_under("user_uttered")
    await visit.finished(1)
    await visit.hears(*GREETING)
    await expect(visit.page.locator(".broken")).to_have_count(0)


async def test_another_tab_is_in_the_same_conversation(visit: Visit) -> None:
    """And is logged out with it."""
    await visit.arrive("ana")
    other = Visit(await visit.page.context.new_page(), visit.url)
    await other.page.goto(other.url)
    await other.hears(*GREETING)
    await other.say(ASK, 2)
    await visit.hears(*GREETING, *BALANCES["ana"])
    await visit.page.click("#back")
    await expect(other.page.locator("#arrivals")).to_be_visible()
    await other.page.close()
    assert other.misdeeds == []
