"""The files of the CALM example hold together, and a test that says so can fail.

Rasa Pro reads these files only with a licence. So they are held against each other, and against
the plugin, by the checks of `calm_checks` and `calm_surroundings`; and each check against bots that
were broken on purpose.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.examples.calm_broken import BROKEN, broken
from tests.examples.calm_project import BOT, holds, load, read, walk
from tests.examples.calm_surroundings import faults
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from tests.examples.calm_broken import Change

PROJECT = load()

REGISTER = """
import json
from rasa_sdk.executor import ActionExecutor
executor = ActionExecutor()
executor.register_package("actions")
print(json.dumps(sorted(executor.actions)))
"""


def test_the_files_hold_together() -> None:
    """No check finds a fault."""
    assert faults(PROJECT) == []


def test_the_answers_of_the_plugin_are_those_of_its_own_domain() -> None:
    """They stand in two files, since Rasa Pro's slots are not Rasa Open Source's."""
    original = read(ROOT / "domain.yml")["responses"]
    copied = read(BOT / "domain" / "ps7.yml")["responses"]
    assert copied == original


def test_the_action_server_registers_what_the_domain_lists() -> None:
    """With rasa_sdk's executor, from the bot's folder, the plugin behind its link."""
    settings = {"PS7_BASE_URL": "http://127.0.0.1:9", "PS7_USERNAME": "u", "PS7_PASSWORD": "p"}
    result = subprocess.run(
        [sys.executable, "-c", REGISTER],
        cwd=BOT,
        env={"PATH": "/usr/bin:/bin", **settings},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr.decode()
    registered = json.loads(result.stdout.splitlines()[-1])
    assert registered == sorted(PROJECT.domain["actions"])


@pytest.mark.parametrize(("colour", "run"), [("red", "abcf"), ("blue", "abdf"), (None, "abef")])
def test_a_walk_goes_where_the_flow_says(colour: str | None, run: str) -> None:
    """Into a flow that is called and back, to the branch that fits, to a named step, and on."""
    flows: dict[str, dict[str, Any]] = {
        "x": {
            "steps": [
                {"action": "a"},
                {"call": "called", "next": "there"},
                {"action": "never"},
                {
                    "id": "there",
                    "noop": True,
                    "next": [
                        {"if": 'slots.colour = "red"', "then": [{"action": "c", "next": "last"}]},
                        {"if": "slots.colour and not slots.size", "then": "other"},
                        {"else": [{"action": "e", "next": "last"}]},
                    ],
                },
                {"id": "other", "action": "d", "next": "last"},
                {"id": "last", "link": "linked"},
            ]
        },
        "called": {"steps": [{"action": "b", "next": "END"}, {"action": "never"}]},
        "linked": {"steps": [{"action": "f"}]},
    }
    assert "".join(walk(flows, "x", lambda: {"colour": colour, "size": None})) == run


def test_a_condition_that_the_walk_does_not_know_is_an_error() -> None:
    """It must not be taken for one that holds, or for one that does not."""
    with pytest.raises(ValueError, match="or slots"):
        holds('slots.colour = "red" or slots.size', {"colour": "red", "size": None})


@pytest.mark.parametrize(
    ("path", "change", "fault"), BROKEN, ids=[f"{path}: {fault}" for path, _, fault in BROKEN]
)
def test_a_broken_bot_is_found(path: str, change: Change, fault: str) -> None:
    """One thing is changed in a copy, and a check names the fault."""
    found = faults(broken(PROJECT, path, change))
    assert any(line.startswith(fault) for line in found), found
