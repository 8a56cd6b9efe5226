"""A real Rasa Open Source with the action server in its own environment, beside pydantic 2.

There pydantic 2 stands over Rasa's pin, as pip leaves it with a warning, and the same interpreter
trains the bot, runs it and its actions. tests/conversation has the recommended place.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.harness import OSS_BOT, Bot, Stage
from tests.conversation.spoken import GOODBYE, NOBODY, greeting, of_the_customer
from tests.host.conftest import seal_keys
from tests.matrix.cells import ADDED_TO_RASA, RASA_PINS, pinned
from tests.matrix.environments import INSIDE_RASA, usable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.release]

ANA = PERSONAS["ana"].slots


@pytest.fixture(scope="session")
def inside() -> str:
    """Return the interpreter that has both; skip the test where there is none."""
    return str(usable(INSIDE_RASA.python if INSIDE_RASA.stands else None))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bot_inside(
    inside: str,
    rasa_simulator: Simulator,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RunningBot]:
    """Run the example bot and its actions in one environment."""
    stage = Stage(
        INSIDE_RASA.python,
        request.config.cache.mkdir("rasa-models"),
        tmp_path_factory.mktemp("inside"),
        {**rasa_simulator.environment, "PS7_SEAL_KEYS": seal_keys()},
        run_actions=(inside, "-m", "rasa", "run", "actions"),
    )
    try:
        yield await stage.open("inside", Bot(OSS_BOT))
    finally:
        await stage.close()
    assert stage.complaints() == []


@pytest.mark.asyncio(loop_scope="session")
async def test_the_action_server_runs_in_rasas_environment(
    bot_inside: RunningBot, rasa_simulator: Simulator
) -> None:
    """A customer is known from the first turn on, sees a balance, logs out; PS7 is asked once."""
    rasa_simulator.requests.clear()
    chat = bot_inside.chat()
    assert await chat.say("oi", {"contextId": "ana"}) == greeting(PERSONAS["ana"])
    slots = await chat.slots()
    shown = {name: value for name, value in ANA.items() if name in slots}
    assert {name: slots[name] for name in shown} == shown
    assert {*shown, "ps7_expires_at"} == {"ps7_status", *NOBODY}

    await chat.write("account", "00000000")
    assert await chat.say("qual meu saldo") == ["O saldo da conta 00123456 é de R$ 15.230,75."]
    assert await chat.say("tchau") == GOODBYE
    slots = await chat.slots()
    assert (slots["ps7_status"], of_the_customer(slots)) == ("missing", NOBODY)
    assert [request.json for request in rasa_simulator.requests] == [{"contextId": "ana"}]


def test_pydantic_alone_is_over_rasas_pin(inside: str) -> None:
    """What pip says of that environment is said in docs/compatibility.md, and it says no more."""
    command = (inside, "-m", "pip", "check")
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rasa, pydantic = pinned(RASA_PINS)["rasa"], pinned(ADDED_TO_RASA)["pydantic"]
    wants = f"rasa {rasa} has requirement pydantic<1.10.10"
    assert said == f"{wants}, but you have pydantic {pydantic}.\n"
