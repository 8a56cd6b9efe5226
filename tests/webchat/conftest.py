"""A browser, and the page's server in front of the bots that every conversation test shares.

Needs Chromium (`PS7_CHROMIUM` names another than Debian's), what npm installs (`make test` does),
and a Python that has Rasa.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import async_playwright

from examples.webchat.server import CLIENT, Backstage, application
from tests.conversation.cast import WEBCHAT_KEY
from tests.support.needs import lacking
from tests.webchat.visit import AXE, Visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, ViewportSize

    from actions.ps7.testing import Simulator
    from tests.conversation.harness import Stage
    from tests.conversation.talking import RunningBot

CHROMIUM = Path(os.environ.get("PS7_CHROMIUM") or "/usr/bin/chromium")
_NEEDED = {CHROMIUM: "chromium", CLIENT: "npm", AXE: "npm"}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Start Chromium, with a profile of its own."""
    if missing := sorted({name for file, name in _NEEDED.items() if not file.exists()}):
        lacking("Chromium, and npm for what the page loads", f"apt-get install {' '.join(missing)}")
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(executable_path=CHROMIUM) as running,
    ):
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def visit(
    browser: Browser, oss_bot: RunningBot, rasa_stage: Stage, simulator: Simulator
) -> AsyncIterator[Visit]:
    """Let a visitor open the page, in front of the example bot.

    Afterwards see that the page did nothing that none may do.
    """
    log = rasa_stage.actions_log("oss_bot")
    backstage = Backstage(oss_bot.url, simulator.url, log, rasa_stage.desk_log, WEBCHAT_KEY)
    size: ViewportSize = {"width": 1280, "height": 800}
    async with (
        TestServer(application(backstage), host="127.0.0.1") as server,
        await browser.new_context(viewport=size, locale="pt-BR") as context,
    ):
        made = Visit(await context.new_page(), str(server.make_url("/")))
        yield made
        assert made.misdeeds == []
