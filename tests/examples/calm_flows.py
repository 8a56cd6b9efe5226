"""The flows of the CALM example, walked as Rasa Pro would, which is not here to do it.

It follows the documentation of flows as far as this bot needs it, and refuses what it does not
know. What picks a flow is a language model: a test says which one starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.support.processes import ROOT

BOT = ROOT / "examples" / "calm-bot"

Step = dict[str, Any]

_TERM = re.compile(r'(?P<negated>not )?slots\.(?P<slot>\w+)(?: = "(?P<value>[^"]*)")?')


def read(file: Path) -> dict[str, Any]:
    """Read a file as YAML 1.2, as Rasa does. A key that stands twice is an error."""
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    return loaded


FLOWS: dict[str, dict[str, Any]] = {
    name: flow
    for file in sorted(BOT.glob("data/*.yml"))
    for name, flow in read(file)["flows"].items()
}


def branches(step: Step) -> list[dict[str, Any]]:
    """Return the branches behind a step; most have none."""
    following = step.get("next")
    return following if isinstance(following, list) else []


def sequences(steps: list[Step]) -> Iterator[list[Step]]:
    """Yield this list of steps, and every list that is nested in it."""
    yield steps
    for step in steps:
        for branch in branches(step):
            nested = branch.get("then", branch.get("else"))
            if isinstance(nested, list):
                yield from sequences(nested)


def steps_of(flow: str) -> list[Step]:
    """Return every step of a flow, the nested ones too."""
    return [step for steps in sequences(FLOWS[flow]["steps"]) for step in steps]


def holds(condition: str, slots: Mapping[str, Any]) -> bool:
    """Whether a condition holds. An empty slot has no value, and is not true."""
    for text in condition.split(" and "):
        term = _TERM.fullmatch(text)
        assert term, text
        value = slots[term["slot"]]
        met = bool(value) if term["value"] is None else value == term["value"]
        if met == bool(term["negated"]):
            return False
    return True


def walk(flow: str, slots: Mapping[str, Any]) -> list[str]:
    """Return the actions that a flow runs, one after the other, and those of flows it links to."""
    run: list[str] = []
    all_steps: list[Step] = FLOWS[flow]["steps"]
    steps = all_steps
    while steps:
        step, *steps = steps
        if "link" in step:
            return run + walk(step["link"], slots)
        run.append(step["action"])
        following = step.get("next")
        if choices := branches(step):
            following = next(
                each.get("then", each.get("else"))
                for each in choices
                if "if" not in each or holds(each["if"], slots)
            )
        if following == "END":
            return run
        if isinstance(following, str):
            (steps,) = (
                found[place:]
                for found in sequences(all_steps)
                for place, each in enumerate(found)
                if each.get("id") == following
            )
        elif following is not None:
            steps = following
    return run
