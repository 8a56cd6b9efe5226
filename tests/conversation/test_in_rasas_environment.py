"""The plugin in Rasa's own environment, to which requirements/in-rasa.txt adds what it needs.

There the story bot runs its actions (`test_examples`), and `tests/wheel` has every other way to
take the plugin in. The other bots run them in an environment of their own: the recommended place.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conversation.fixtures import _rasa_python
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot
from tests.docs.documents import document
from tests.support.pins import ADDED_TO_RASA, RASA_PINS, pinned
from tests.support.processes import ROOT

RASA = {canonicalize_name(name): version for name, version in pinned(RASA_PINS).items()}
ADDED = {canonicalize_name(name): version for name, version in pinned(ADDED_TO_RASA).items()}
PYDANTIC, SDK = canonicalize_name("pydantic"), canonicalize_name("rasa-sdk")


@pytest.mark.release
@pytest.mark.conversation
@pytest.mark.asyncio(loop_scope="session")
async def test_rasa_tests_a_bot_there(
    rasa_stage: Stage, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """`rasa test core` finds that the story of docs/testing.md goes as it says, without a PS7."""
    blocks = document("docs/testing.md").blocks
    (story,) = (block.code for block in blocks if block.code.startswith("stories:"))
    (tmp_path / "test_stories.yml").write_text(story, encoding="utf-8")
    options = ("--fail-on-prediction-errors", "--no-plot", "--stories", "test_stories.yml")
    test = ("test", "core", *options, "--model", str(oss_bot.model))
    code, said = await rasa_stage.command("test-core", *test, cwd=tmp_path)
    assert code == 0, said


@pytest.mark.conversation
def test_pydantic_alone_is_over_rasas_pin() -> None:
    """Of all that is there, pip finds nothing else that does not fit."""
    pip = (_rasa_python(), "-m", "pip", "check")
    check = subprocess.run(pip, capture_output=True, text=True, check=False)
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
