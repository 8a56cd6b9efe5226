"""A real Rasa Open Source, with its action server in either place: the same conversation.

In Rasa's own environment pydantic 2 stands over Rasa's pin, as pip leaves it with a warning: there
the bot is trained, run and given its actions by the same interpreter.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.harness import OSS_BOT, Bot, Stage
from tests.conversation.spoken import GOODBYE, GREETINGS, NOBODY, of_the_customer
from tests.host.conftest import seal_keys
from tests.matrix.cells import ADDED_TO_RASA, RASA_PINS, pinned
from tests.matrix.environments import INSIDE_RASA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.matrix]

ANA = PERSONAS["ana"].slots


def inside() -> str:
    """Give the interpreter that has both; skip the test where there is none."""
    if not INSIDE_RASA.stands:
        reason = "`make matrix` has not made the environment, or from other pins"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return str(INSIDE_RASA.python)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bot_inside(
    rasa_simulator: Simulator,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RunningBot]:
    """Run the example bot and its actions in one environment."""
    python = inside()
    stage = Stage(
        INSIDE_RASA.python,
        request.config.cache.mkdir("rasa-models"),
        tmp_path_factory.mktemp("inside"),
        {**rasa_simulator.environment, "PS7_SEAL_KEYS": seal_keys()},
        run_actions=(python, "-m", "rasa", "run", "actions"),
    )
    try:
        yield await stage.open("inside", Bot(OSS_BOT))
    finally:
        await stage.close()
    assert stage.complaints() == []


async def greeted_served_and_gone(bot: RunningBot, ps7: Simulator) -> None:
    """Be known from the first turn on, see a balance, and log out; PS7 is asked once."""
    ps7.requests.clear()
    chat = bot.chat()

    assert await chat.say("oi", {"contextId": "ana"}) == GREETINGS["Personnalité"]
    slots = await chat.slots()
    shown = {name: value for name, value in ANA.items() if name in slots}
    assert {name: slots[name] for name in shown} == shown
    assert {*shown, "ps7_expires_at"} == {"ps7_status", *NOBODY}

    await chat.write("account", "00000000")
    assert await chat.say("qual meu saldo") == ["O saldo da conta 00123456 é de R$ 15.230,75."]
    assert (await chat.slots())["account"] == ANA["account"]

    assert await chat.say("tchau") == GOODBYE
    slots = await chat.slots()
    assert (slots["ps7_status"], of_the_customer(slots)) == ("missing", NOBODY)
    assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]


@pytest.mark.asyncio(loop_scope="session")
async def test_the_action_server_has_an_environment_of_its_own(
    oss_bot: RunningBot, rasa_simulator: Simulator
) -> None:
    """As recommended: Rasa and the plugin share no package."""
    await greeted_served_and_gone(oss_bot, rasa_simulator)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_action_server_runs_in_rasas_environment(
    bot_inside: RunningBot, rasa_simulator: Simulator
) -> None:
    """`rasa train`, `rasa run` and `rasa run actions` work there."""
    await greeted_served_and_gone(bot_inside, rasa_simulator)


def test_pydantic_alone_is_over_rasas_pin() -> None:
    """What pip says of that environment is said in docs/compatibility.md, and it says no more."""
    command = (inside(), "-m", "pip", "check")
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rasa, pydantic = pinned(RASA_PINS)["rasa"], pinned(ADDED_TO_RASA)["pydantic"]
    wants = f"rasa {rasa} has requirement pydantic<1.10.10"
    assert said == f"{wants}, but you have pydantic {pydantic}.\n"
