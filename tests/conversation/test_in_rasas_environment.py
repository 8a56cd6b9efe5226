"""The plugin in Rasa's own environment, to which requirements/in-rasa.txt adds what it needs.

There the same interpreter trains the bot, runs and tests it, and runs its actions. The other tests
of this folder run Rasa there as well, `rasa data validate` among it, and the actions here: the
recommended place.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable
from pathlib import Path

import pytest
import pytest_asyncio
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.fixtures import _rasa_python
from tests.conversation.harness import OSS_BOT, Bot, Stage
from tests.conversation.spoken import BALANCES, GOODBYE, NOBODY, greeting, of_the_customer
from tests.conversation.talking import RunningBot
from tests.docs.documents import document
from tests.support.pins import ADDED_TO_RASA, RASA_PINS, pinned
from tests.support.processes import ROOT
from tests.wheel.conftest import wheel
from tests.wheel.test_adopted import WAYS

__all__ = ["wheel"]

ANA = PERSONAS["ana"].slots
RASA = {canonicalize_name(name): version for name, version in pinned(RASA_PINS).items()}
ADDED = {canonicalize_name(name): version for name, version in pinned(ADDED_TO_RASA).items()}
PYDANTIC, SDK = canonicalize_name("pydantic"), canonicalize_name("rasa-sdk")
TAKEN_IN = ("the folder", "the wheel imported")


@pytest.fixture(scope="session")
def site_packages(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel for Rasa's interpreter, and nothing with it, into a folder of its own."""
    folder = tmp_path_factory.mktemp("site-packages")
    pip = (_rasa_python(), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps")
    subprocess.run([*pip, "--target", folder, wheel], check=True)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bots(
    rasa_stage: Stage, site_packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, RunningBot]:
    """Run the example bot, with its actions in Rasa's environment, for each way to take us in."""

    def opening(name: str) -> Awaitable[RunningBot]:
        actions_in = WAYS[name].lay_out(tmp_path_factory.mktemp("bot"))
        path = {"PYTHONPATH": str(site_packages) if WAYS[name].wheel else ""}
        bot = Bot(OSS_BOT, actions_in=actions_in, settings=path, in_rasa=True)
        return rasa_stage.open(f"in-rasa-{actions_in.name}", bot)

    return dict(zip(TAKEN_IN, await asyncio.gather(*map(opening, TAKEN_IN)), strict=True))


@pytest.mark.conversation
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("way", TAKEN_IN)
async def test_the_action_server_runs_in_rasas_environment(
    bots: dict[str, RunningBot], ps7: Simulator, way: str
) -> None:
    """A customer is known from the first turn on, sees a balance, logs out; PS7 is asked once."""
    chat = bots[way].chat()
    assert await chat.say("oi", {"contextId": "ana"}) == greeting(PERSONAS["ana"])
    slots = await chat.slots()
    shown = {name: value for name, value in ANA.items() if name in slots}
    assert {name: slots[name] for name in shown} == shown
    assert {*shown, "ps7_expires_at"} == {"ps7_status", *NOBODY}

    await chat.write("account", "00000000")
    assert await chat.say("qual meu saldo") == BALANCES["ana"]
    assert await chat.say("tchau") == GOODBYE
    slots = await chat.slots()
    assert (slots["ps7_status"], of_the_customer(slots)) == ("missing", NOBODY)
    assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]


@pytest.mark.conversation
@pytest.mark.asyncio(loop_scope="session")
async def test_rasa_tests_a_bot_there(rasa_stage: Stage, oss_bot: RunningBot) -> None:
    """`rasa test core` finds that the story of docs/testing.md goes as it says, without a PS7."""
    blocks = document("docs/testing.md").blocks
    (story,) = (block.code for block in blocks if block.code.startswith("stories:"))
    code, said = await rasa_stage.test(oss_bot.model, story)

    assert code == 0, said


@pytest.mark.conversation
def test_pydantic_alone_is_over_rasas_pin(site_packages: Path) -> None:
    """Of all that is there, the wheel too, pip finds nothing else that does not fit."""
    check = subprocess.run(
        [_rasa_python(), "-m", "pip", "check"],
        env={"PYTHONPATH": str(site_packages)},
        capture_output=True,
        text=True,
        check=False,
    )
    wants = f"rasa {pinned(RASA_PINS)['rasa']} has requirement pydantic<1.10.10"
    assert check.stdout == f"{wants}, but you have pydantic {ADDED[PYDANTIC]}.\n"


def test_what_the_plugin_needs_is_added_and_nothing_of_rasas_replaced_but_pydantic() -> None:
    """Every dependency of pyproject.toml; what both files pin is the same there and here."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = map(Requirement, project["dependencies"])
    needed = {canonicalize_name(each.name): each.specifier for each in requirements}
    there = {**ADDED, SDK: RASA[SDK]}
    assert [name for name in needed if not needed[name].contains(there[name])] == []
    assert [name for name in ADDED if RASA.get(name, ADDED[name]) != ADDED[name]] == [PYDANTIC]
