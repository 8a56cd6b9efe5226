"""The picture of the web chat in the README: `python -m tests.webchat.screenshot URL`.

URL is what `make webchat` printed. The picture shows Ana, who has asked for her balance, and beside
her what was asked on her arrival.
"""

from __future__ import annotations

import asyncio
import sys

from playwright.async_api import async_playwright

from tests.support.processes import ROOT
from tests.webchat.conftest import CHROMIUM, FLAGS
from tests.webchat.visit import Visit

PICTURE = ROOT / "docs" / "images" / "webchat.png"


async def take(url: str) -> None:
    """Open the page, let Ana talk, and keep what one sees."""
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS) as browser,
        await browser.new_context(
            viewport={"width": 1200, "height": 760},
            device_scale_factor=1.4,
            locale="pt-BR",
            timezone_id="America/Sao_Paulo",
        ) as context,
    ):
        visit = Visit(await context.new_page(), url)
        await visit.arrive("ana")
        await visit.say("Qual é o meu saldo?", 2)
        for turn in (1, 2):  # close the balance, open the arrival
            await visit.page.click(f".turn:nth-child({turn}) summary")
        await visit.page.focus("#input")
        await visit.page.screenshot(path=PICTURE)


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1]))
