"""Bots as they are found in the wild: before `rasa-ps7 init`, and after it.

Rasa trains each of them twice, as it was and as `init` and a person left it, and talks over REST.
What `init` refuses, and what it leaves to a person, the tests of the command say.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from actions.ps7.customer import CUSTOMER_SLOTS, STATUS
from actions.ps7.testing import PERSONAS
from tests.conversation.harness import OSS_BOT, Bot, Stage
from tests.docs.documents import document
from tests.support.processes import ROOT, run

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]

FOUND = Path(__file__).parent / "bots"
COPIES = ("before", "after")
ANA = {
    slot: value
    for slot, value in PERSONAS["ana"].slots.items()
    if slot == STATUS or CUSTOMER_SLOTS[slot].declared
}


def derive_the_session_start(bot: Path) -> None:
    """Do what the page shows, and let the rule for the balance look up first."""
    page = document("docs/integration.md")
    (code,) = (block.code for block in page.blocks if block.path == "actions/start.py")
    (bot / "actions" / "start.py").write_text(code)
    rules = bot / "data" / "rules.yml"
    looks_up = r"\1      - action: action_ps7_context\n"
    rules.write_text(re.sub("(.* intent: ask_balance\n)", looks_up, rules.read_text()))


def give_mappings(bot: Path) -> None:
    """Bring a bot from Rasa 2 to Rasa 3, as `init` says."""
    assert "`- {type: from_entity, entity: NAME}` if an entity of its name" in types(bot, "init")
    domain = bot / "domain.yml"
    mapped = "    type: text\n    mappings: [{type: from_entity, entity: brand}]\n"
    domain.write_text(domain.read_text().replace("    type: text\n", mapped))


@dataclass(frozen=True)
class Found:
    """What is said to a bot, and what a builder meets."""

    said: tuple[str, ...]
    """The first one is answered by `utter_greet`, and perhaps others."""
    greeting: str = "Hello! I am the assistant of Personnalité."
    slots: dict[str, Any] = field(default_factory=lambda: ANA)
    options: tuple[str, ...] = ()
    first: Callable[[Path], None] | None = None
    """What a person does before `init` …"""
    person: Callable[[Path], None] | None = None
    """… and after it."""


BOTS = {
    "own_fallback": Found(
        ("hi", "my computer is broken", "tell me a joke", "xyzzy qwfp", "how is my ticket", "hello")
    ),
    "own_cpf": Found(
        ("oi", "quem é você", "quero pagar", "111.444.777-35", "abracadabra", "bom dia"),
        "Olá! Sou a assistente do Personnalité.",
        ANA | {"customer_cpf": ANA["cpf"], "cpf": "111.444.777-35"},
    ),
    "own_session_start": Found(
        ("hi", "what is my balance", "which currency", "lorem ipsum", "hello"),
        slots={"ps7_status": "ok", "segment": ANA["segment"], "currency": "$"},
        options=("--at-session-start",),
        person=derive_the_session_start,
    ),
    "buttons": Found(("hi", "send something back", "hello", "where is my order", "is it in stock")),
    "rasa_two": Found(("hi", "i want a gold card", "hello"), first=give_mappings),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def doctors(rasa_stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Put the plugin into one copy of each bot, and run all; return what the doctor says."""
    folder = tmp_path_factory.mktemp("bots")
    (folder / "rasa_ps7").symlink_to(ROOT / "actions" / "ps7")
    installed = {"PYTHONPATH": str(folder)}
    said: dict[str, str] = {}
    bots: dict[str, Bot] = {}
    for name, found in BOTS.items():
        for copy in COPIES:
            bot = folder / copy / name
            shutil.copytree(FOUND / name, bot)
            if found.first:
                found.first(bot)
        types(bot, "init", "--yes", *found.options)
        if found.person:
            found.person(bot)
        said[name] = types(bot, "doctor", "--bot", ".", "--only-bot", "--strict")
        for copy in COPIES:
            bot = folder / copy / name
            actions_in = bot if (bot / "actions").exists() else OSS_BOT
            bots[f"{name}-{copy}"] = Bot(bot, actions_in=actions_in, settings=installed)
    await rasa_stage.open(**bots)
    return said


def types(bot: Path, *arguments: str) -> str:
    """Run the plugin's command in a bot, as if it was installed; return what it prints."""
    command = (sys.executable, "-m", "rasa_ps7", *arguments)
    done = run(*command, cwd=bot, variables={"PYTHONPATH": str(bot.parents[1])})
    return done.stdout + done.stderr


async def says(
    stage: Stage, name: str, who: str | None = None
) -> tuple[list[list[dict[str, Any]]], dict[str, Any]]:
    """Say all that is said to a bot; return the answers, and the slots in the end."""
    chat, metadata, heard = stage.running[name].chat(), {"contextId": who} if who else None, []
    for text in BOTS[name.partition("-")[0]].said:
        answers = await chat.answers(text, metadata)
        heard.append([answer | {"recipient_id": "…"} for answer in answers])
    return heard, await chat.slots()


@pytest.mark.parametrize("name", BOTS)
async def test_all_answers_but_the_greeting_are_as_before(
    rasa_stage: Stage, doctors: dict[str, str], name: str
) -> None:
    """For somebody without a contextId every one is; Ana is greeted by segment, buttons kept.

    The doctor finds nothing, also where warnings are errors.
    """
    assert "no errors, no warnings" in doctors[name], doctors[name]
    bot = BOTS[name]
    before, _ = await says(rasa_stage, f"{name}-before")
    assert all(before[:2])
    assert (await says(rasa_stage, f"{name}-after"))[0] == before
    after, slots = await says(rasa_stage, f"{name}-after", "ana")
    everybodys = before[0][0]["text"]
    for said in (answer for answers in before for answer in answers):
        said["text"] = said["text"].replace(everybodys, bot.greeting)
    assert after == before
    assert {slot: slots[slot] for slot in bot.slots} == bot.slots
