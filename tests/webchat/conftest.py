"""A browser, and the page's server in front of the bots that every conversation test shares.

Needs Chromium (`PS7_CHROMIUM` names another than Debian's), what npm installs (`make test` does),
and a Python that has Rasa.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
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
    from tests.webchat.visit import Visitors

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
async def visitors(
    browser: Browser, oss_bot: RunningBot, rasa_stage: Stage, simulator: Simulator
) -> AsyncIterator[Visitors]:
    """Let visitors open the page, in front of the example bot.

    Afterwards see that no page did what none may do.
    """
    log = rasa_stage.actions_log("oss_bot")
    backstage = Backstage(oss_bot.url, simulator.url, log, rasa_stage.desk_log, WEBCHAT_KEY)
    async with (
        TestServer(application(backstage), host="127.0.0.1") as server,
        AsyncExitStack() as contexts,
    ):
        visits: list[Visit] = []

        async def visit(*, phone: bool = False) -> Visit:
            size: ViewportSize = {"width": 390 if phone else 1280, "height": 800}
            context = await browser.new_context(viewport=size, locale="pt-BR")
            await contexts.enter_async_context(context)
            visits.append(Visit(await context.new_page(), str(server.make_url("/"))))
            return visits[-1]

        yield visit
        for one in visits:
            assert one.misdeeds == []
