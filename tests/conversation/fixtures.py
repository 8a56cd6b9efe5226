"""The stage as fixtures: a simulator of PS7, and the bots that talk to it.

`tests/conftest.py` registers this module as a plugin, so that every folder whose tests need a real
Rasa shares one stage. The simulator lives in the test process; everything else is a process of its
own, started once for all tests. Every test is a user that is new to the bot.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from actions.ps7.testing import Simulator
from tests.conversation.cast import BOTS
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot
from tests.support.interpreters import rasa_python

InRasa = Callable[..., Any]
"""Takes code, and the texts that it finds in `given`."""
_RUNS = """
import json, sys
for line in sys.stdin:
    code, given = json.loads(line)
    names = {"given": given}
    exec(code, names)
    print(json.dumps(names.get("found")), flush=True)
"""
_STAGE = pytest.StashKey[Stage]()


@pytest.fixture(scope="session")
def in_rasa() -> Iterator[InRasa]:
    """Run code where Rasa is, in one process for all tests; return what it leaves in `found`."""
    command = (rasa_python(), "-W", "ignore", "-c", _RUNS)
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        orders, answers = process.stdin, process.stdout

        def run(code: str, *given: str) -> Any:  # noqa: ANN401 - JSON
            print(json.dumps([code, given]), file=orders, flush=True)
            answer = answers.readline()
            assert answer, f"Rasa's Python ended as it ran what follows; stderr says why:\n{code}"
            return json.loads(answer)

        yield run
        orders.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def simulator() -> AsyncIterator[Simulator]:
    """Run the simulator."""
    async with Simulator() as running:
        yield running


@pytest.fixture
def ps7(simulator: Simulator) -> Simulator:
    """Return the simulator, with no request on its record."""
    simulator.requests.clear()
    return simulator


def models_folder(config: pytest.Config, scratch: pytest.TempPathFactory) -> Path:
    """Return where trained models are kept for the next run, or for this one where none is kept."""
    kept: pytest.Cache | None = getattr(config, "cache", None)  # None: `-p no:cacheprovider`
    return kept.mkdir("rasa-models") if kept else scratch.mktemp("rasa-models")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def rasa_stage(
    simulator: Simulator,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    """Start processes, and end them after the last test: action servers without a complaint."""
    models = models_folder(request.config, tmp_path_factory)
    settings = {
        **simulator.environment,
        "PS7_SEAL_KEYS": f'["{Fernet.generate_key().decode()}"]',
        "PS7_BREAKER_FAILURES": "1000",  # one server for all conversations: their faults add up
    }
    stage = Stage(rasa_python(), models, tmp_path_factory.mktemp("conversation"), settings)
    request.config.stash[_STAGE] = stage
    await stage.open_desk()
    yield stage
    await stage.close()
    assert stage.complaints() == []


@pytest_asyncio.fixture(loop_scope="session")
async def rasa_bots(rasa_stage: Stage, request: pytest.FixtureRequest) -> dict[str, RunningBot]:
    """Start every bot that the chosen tests of this group ask for, before the first of them runs.

    Tests of other groups may run in another process, with a stage of its own. Training and starting
    take seconds, and keep two cores busy: not while a test waits for a deadline.
    """
    group = request.node.get_closest_marker("xdist_group")
    tests = [each for each in request.session.items if each.get_closest_marker(group.name) == group]
    asked = {name for test in tests for name in getattr(test, "fixturenames", ())}
    new = BOTS.keys() & asked - rasa_stage.running.keys()
    await rasa_stage.open(**{name: bot for name, bot in BOTS.items() if name in new})
    return rasa_stage.running


def running(name: str) -> Any:  # noqa: ANN401 - a fixture's type is pytest's own
    """Make a fixture that is a bot: `cast` says what it is."""

    @pytest.fixture(name=name)
    def bot(rasa_bots: dict[str, RunningBot]) -> RunningBot:
        return rasa_bots[name]

    return bot


oss_bot, channel_bot, kiosk = map(running, BOTS)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers logged last beside a failure of a test that needs them."""
    report = yield
    stage = item.config.stash.get(_STAGE, None)
    if report.failed and stage is not None and item.get_closest_marker("conversation"):
        logs = stage.scratch.glob("*.log")
        report.sections += [(log.stem, log.read_text(errors="replace")[-5000:]) for log in logs]
    return report
