"""What the conversation tests share: a simulator of PS7 and the bots that talk to it.

The simulator lives in the test process; everything else is a process of its own, started once for
all tests. Every test is a user whom no bot has met before.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from actions.ps7.testing import Simulator
from tests.conversation.cast import BOTS
from tests.conversation.harness import Stage
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from tests.conversation.talking import RunningBot

_STAGE = pytest.StashKey[Stage]()


def _rasa_python() -> Path:
    """Find the interpreter that has Rasa. Without one the tests are skipped, but never in CI."""
    python = Path(os.environ.get("PS7_RASA_PYTHON") or ROOT / ".venv-rasa" / "bin" / "python")
    if not python.exists():
        reason = (
            "conversation tests need a Python that has rasa==3.6.21: "
            f"{python} does not exist, and PS7_RASA_PYTHON can name another"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return python


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """Stand in for PS7."""
    async with Simulator() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage(
    simulator: Simulator,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    """Start processes, and end them after the last test: action servers without a complaint."""
    models = request.config.cache.mkdir("rasa-models")
    settings = {
        **simulator.environment,
        "PS7_SEAL_KEYS": f'["{Fernet.generate_key().decode()}"]',
        "PS7_DEADLINE": "2",
        "PS7_BREAKER_FAILURES": "1000",  # one server for all conversations: their faults add up
    }
    stage = Stage(_rasa_python(), models, tmp_path_factory.mktemp("conversation"), settings)
    request.config.stash[_STAGE] = stage
    yield stage
    await stage.close()
    assert stage.complaints() == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bots(stage: Stage, request: pytest.FixtureRequest) -> dict[str, RunningBot]:
    """Start every bot that the chosen tests ask for, before the first of them runs.

    Training and starting take seconds, and keep two cores busy: not while a test waits for a
    deadline.
    """
    asked = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    wanted = [name for name in BOTS if name in asked]
    opening = [asyncio.create_task(stage.open(name, BOTS[name])) for name in wanted]
    await asyncio.wait(opening)  # for all: none may start after a failure has ended the others
    return {name: task.result() for name, task in zip(wanted, opening, strict=True)}


@pytest.fixture
def ps7(simulator: Simulator) -> Simulator:
    """Give the simulator, with no request on its record."""
    simulator.requests.clear()
    return simulator


@pytest.fixture
def oss_bot(bots: dict[str, RunningBot]) -> RunningBot:
    """Run the example bot."""
    return bots["oss_bot"]


@pytest.fixture
def rule_bot(bots: dict[str, RunningBot]) -> RunningBot:
    """Run the variant that looks up from a rule, with the contextId under a nested key."""
    return bots["rule_bot"]


@pytest.fixture
def kiosk(bots: dict[str, RunningBot]) -> RunningBot:
    """Run the bot with Rasa's own fallback, a form that asks for `cpf`, and no carry-over."""
    return bots["kiosk"]


@pytest.fixture
def story_bot(bots: dict[str, RunningBot]) -> RunningBot:
    """Run the bot that knows stories only, without the plugin."""
    return bots["story_bot"]


@pytest.fixture
def merged_story_bot(bots: dict[str, RunningBot]) -> RunningBot:
    """Run the same bot, with the plugin's domain file merged into its own."""
    return bots["merged_story_bot"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers logged last beside a failure."""
    report = yield
    stage = item.config.stash.get(_STAGE, None)
    if report.failed and stage is not None:
        report.sections.extend(stage.logs())
    return report
