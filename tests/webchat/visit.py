"""One visitor of the page: what they do and see, and what their browser did unseen.

Knows the page's markup, so that the tests need not.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from aiohttp.test_utils import TestServer
from playwright.async_api import expect

from actions.ps7.testing import PERSONAS
from examples.webchat.server import Backstage, application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator

    from playwright.async_api import Page, Request, WebSocket

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
_PERSONAL = ("u_cpf", "u_cc", "u_cssc", "u_numA")
_LEAST = 8
"""Digits of the shortest account: anything shorter could be in a text by chance."""
_TURNS = """() => [...document.querySelectorAll("#turns > .turn")].reverse().map((turn) => {
  const text = (node) => node?.textContent.trim();
  const all = (selector) => [...turn.querySelectorAll(selector)];
  return {
    number: text(turn.querySelector(".number")),
    said: text(turn.querySelector(".said")),
    status: turn.querySelector("summary .pill")?.title ?? null,
    open: turn.open,
    meaning: text(turn.querySelector(".meaning")?.firstChild) ?? null,
    calls: all(".requests li").map((row) => [...row.children].map(text)),
    ends: all(".end").map((end) => [
      end.querySelector(".pill").title, text(end.querySelector(".reason")) ?? null]),
    plain: all(":scope > p:not(.meaning, .end)").map(text),
    slots: all("tr[data-slot]").map((row) => {
      const cell = row.querySelector("td").cloneNode(true);
      cell.querySelector(".new")?.remove();
      const note = cell.querySelector("code, small");
      note?.remove();
      return [row.dataset.slot, text(cell), text(note) ?? "", row.className];
    }),
  };
})"""
_OVERFLOWING = """() => [...document.querySelectorAll("body *:not(.unseen)")].filter((node) => {
  const box = node.getBoundingClientRect();
  const scrolls = node.closest(".suggestions") && innerWidth < 900;
  return box.width && !scrolls && (box.left < -0.5 || box.right > innerWidth + 0.5);
}).map((node) => node.outerHTML.slice(0, 120))"""


class Visitors(Protocol):
    """Opens the page at this address, on a screen of this size."""

    def __call__(self, url: str, size: str = ...) -> Awaitable[Visit]: ...


@asynccontextmanager
async def served(backstage: Backstage) -> AsyncIterator[str]:
    """Serve the page on a free port; yield its address."""
    async with TestServer(application(backstage), host="127.0.0.1") as server:
        yield str(server.make_url("/"))


class Visit:
    """A page, and everything that it did on the network."""

    def __init__(self, page: Page, url: str) -> None:
        """Watch a page that is not open yet."""
        self.page, self.url = page, url
        self._complaints: list[str] = []
        self._bodies: list[asyncio.Task[tuple[str, bytes]]] = []
        self._heard: list[str] = []
        page.set_default_timeout(15_000)
        page.on("console", lambda line: self._note(line.type, line.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", lambda request: self._called(request.url))
        page.on("requestfinished", self._finished)
        page.on("websocket", self._listen)

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self._complaints.append(text)

    def _called(self, url: str) -> None:
        if urlsplit(url).hostname != "127.0.0.1":
            self._complaints.append(f"asked {url}")

    def _finished(self, request: Request) -> None:
        self._bodies.append(asyncio.create_task(_body(request)))

    def _listen(self, socket: WebSocket) -> None:
        self._called(socket.url)
        socket.on("framereceived", lambda frame: self._heard.append(str(frame)))

    async def misdeeds(self) -> list[str]:
        """Return what no page may do: complain, ask a stranger, get to know personal data."""
        self.page.remove_listener("requestfinished", self._finished)
        found = list(self._complaints)
        for url, body in await asyncio.gather(*self._bodies):
            found += [f"{url} holds {value}" for value in _personal() if value.encode() in body]
        # What the bot says to the customer is the customer's own: an account may be in it.
        said = "".join(self._heard)
        return found + [
            f"the socket brought {value}" for value in _personal("u_cpf", "u_numA") if value in said
        ]

    async def open(self, query: str = "") -> None:
        """Load the page, once what the one before has loaded was looked at."""
        await asyncio.gather(*self._bodies)
        await self.page.goto(f"{self.url}{query}")

    async def arrive(self, name: str, language: str = "pt-BR") -> None:
        """Arrive with a card, by the address, and wait until the bot has greeted."""
        await self.open(f"?lang={language}&as={name}")
        await self.finished(1)

    async def say(self, text: str, number: int) -> None:
        """Type something, and wait until its turn is over."""
        await self.page.fill("#input", text)
        await self.page.press("#input", "Enter")
        await self.finished(number)

    async def finished(self, number: int) -> None:
        """Wait until the newest turn has this number and is over."""
        newest = self.page.locator("#turns > .turn").first
        await expect(newest.locator(".number")).to_have_text(str(number), timeout=15_000)
        await expect(newest.locator("table, h3 + p, .failed").first).to_be_attached(timeout=15_000)

    async def hears(self, *texts: str) -> None:
        """See that the bot has said this, and nothing else."""
        said = self.page.locator(".message.bot > span:last-child")
        await expect(said).to_have_text(list(texts))

    async def turns(self) -> list[dict[str, Any]]:
        """Return what the panel says, oldest turn first."""
        turns: list[dict[str, Any]] = await self.page.evaluate(_TURNS)
        return turns

    async def overflowing(self) -> list[str]:
        """Return what stands out of the screen to the left or right."""
        found: list[str] = await self.page.evaluate(_OVERFLOWING)
        return found


async def _body(request: Request) -> tuple[str, bytes]:
    response = await request.response()
    assert response is not None, f"{request.url} was finished without an answer"
    return request.url, await response.body()


def _personal(*fields: str) -> Iterator[str]:
    """Yield what PS7 knows of its customers and no browser may see, as sent and as digits."""
    for persona in PERSONAS.values():
        for payload in (persona.payload, persona.payload.get("contexto", {})):
            for field in fields or _PERSONAL:
                sent = str(payload.get(field) or "")
                digits = "".join(filter(str.isdigit, sent)).removeprefix("000")
                yield from {
                    text for text in (sent, digits) if sum(map(str.isdigit, text)) >= _LEAST
                }
