"""One visitor of the page: what they do and see, and what their browser did unseen.

Knows the page's markup, so that the tests need not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import Page

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
ASK, ACCOUNT, HOURS, A_PERSON, LEAVE = SUGGESTED = (
    *("Qual é o meu saldo?", "Qual é a minha agência e conta?", "Que horas o banco abre?"),
    *("Quero falar com uma pessoa", "Tchau"),
)
"""What the page suggests: the tests say each, and the bot understands it."""
_BROKEN = """async () => (await axe.run()).violations.map(
  ({ id, nodes }) => [id, ...nodes.map((node) => node.html)])"""
_MEDIA: tuple[tuple[Literal["light", "dark"], Literal["none", "active"]], ...] = (
    *(("light", "none"), ("dark", "none"), ("light", "active")),
)
_TURNS = """() => [...document.querySelectorAll("#turns > .turn")].reverse().map((turn) => {
  const text = (node) => node?.textContent.trim();
  const all = (selector) => [...turn.querySelectorAll(selector)];
  return {
    number: text(turn.querySelector(".number")),
    said: text(turn.querySelector(".said")),
    status: turn.querySelector("summary .pill")?.title ?? null,
    meaning: text(turn.querySelector(".meaning")?.firstChild) ?? null,
    calls: all(".requests li").map((row) => [...row.children].map(text)),
    ends: all(".end").map((end) => [
      end.querySelector(".pill").title, text(end.querySelector(".reason")) ?? null,
      text(end.lastChild)]),
    plain: all(":scope > p:not(.meaning, .end)").map(text),
    slots: all("tr[data-slot]").map((row) => {
      const cell = row.querySelector("td").cloneNode(true);
      cell.querySelector(".new")?.remove();
      const note = cell.querySelector("code, small");
      note?.remove();
      return [row.dataset.slot, text(cell), text(note) ?? ""];
    }),
  };
})"""


class Visit:
    """A page, and what it did that no page may do: complain, or ask a stranger."""

    def __init__(self, page: Page, url: str) -> None:
        """Watch a page that is not open yet."""
        self.page, self.url = page, url
        self.misdeeds: list[str] = []
        self.logins = 0
        """How often somebody logged in."""
        page.set_default_timeout(15_000)
        page.on("console", lambda line: self._note(line.type, line.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", lambda request: self._called(request.url))
        page.on("websocket", lambda socket: self._called(socket.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.misdeeds.append(text)

    def _called(self, url: str) -> None:
        self.logins += url.endswith("/api/login")
        if urlsplit(url).hostname != "127.0.0.1":
            self.misdeeds.append(f"asked {url}")

    async def arrive(self, name: str, language: str = "pt-BR") -> None:
        """Log in with a card, and wait until the bot has greeted."""
        await self.page.goto(f"{self.url}?lang={language}")
        await self.page.click(f"[data-card={name}]")
        await self.finished(1)

    async def types(self, text: str) -> None:
        """Type something, and send it."""
        await self.page.fill("#input", text)
        await self.page.press("#input", "Enter")

    async def say(self, text: str, number: int) -> None:
        """Type something, and wait until its turn is over."""
        await self.types(text)
        await expect(self.page.locator("#input")).to_have_value("")
        await self.finished(number)

    async def finished(self, number: int) -> None:
        """Wait until the newest turn has this number and is over."""
        newest = self.page.locator("#turns > .turn").first
        await expect(newest.locator(".number")).to_have_text(str(number), timeout=15_000)
        await expect(newest.locator("table, h3 + p, .failed").first).to_be_attached(timeout=15_000)
        await expect(self.page.locator(".typing")).to_have_count(0)

    async def hears(self, *texts: str) -> None:
        """See that the bot has said this, and nothing else."""
        await expect(self.page.locator(".message.bot > .words")).to_have_text(list(texts))

    async def is_in(self, state: str) -> None:
        """Wait until the page says that the conversation is in this state."""
        await expect(self.page.locator("#conversation")).to_have_attribute("data-state", state)

    async def turns(self) -> list[dict[str, Any]]:
        """Return what the panel says, oldest turn first."""
        turns: list[dict[str, Any]] = await self.page.evaluate(_TURNS)
        return turns

    async def violations(self) -> list[Any]:
        """Return which rules of axe-core the page breaks: light, dark, and in forced colours."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[Any] = []
        for colours, forced in _MEDIA:
            await self.page.emulate_media(color_scheme=colours, forced_colors=forced)
            found += await self.page.evaluate(_BROKEN)
        await self.page.emulate_media(forced_colors="none")
        return found
