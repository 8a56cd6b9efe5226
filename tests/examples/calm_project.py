"""The CALM example as data: its files, and a walk through its flows.

Rasa Pro is not here to read them. The walk follows the documentation of flows as far as this bot
needs it, and refuses what it does not know. Nothing here judges; that is `calm_checks`.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping
    from pathlib import Path

BOT = ROOT / "examples" / "calm-bot"
END = "END"

Step = dict[str, Any]

_TERM = re.compile(r'(?P<negated>not )?slots\.(?P<slot>\w+)(?: = "(?P<value>[^"]*)")?')


@dataclass
class Project:
    """The files of the bot, as they are loaded. A test may break its copy."""

    domain: dict[str, Any]
    flows: dict[str, dict[str, Any]]
    config: dict[str, Any]
    endpoints: dict[str, Any]
    e2e: dict[str, dict[str, Any]]
    """By the name of the file."""
    said_in_code: dict[str, set[str]]
    """The answers that an action of the bot says, and the variables it fills in each."""


def load(folder: Path = BOT) -> Project:
    """Load the bot, the parts of its domain and of its flows merged."""
    flows: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("data/*.yml")):
        new = read(file)["flows"]
        assert not flows.keys() & new, "a flow has two definitions"
        flows |= new
    return Project(
        domain=_merged(read(file) for file in sorted(folder.glob("domain/*.yml"))),
        flows=flows,
        config=read(folder / "config.yml"),
        endpoints=read(folder / "endpoints.yml"),
        e2e={file.name: read(file) for file in sorted(folder.glob("e2e_tests/*.yml"))},
        said_in_code=_said_in(folder / "actions"),
    )


def read(file: Path) -> dict[str, Any]:
    """Read a file as YAML 1.2, as Rasa does. A key that stands twice is an error."""
    loaded = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def _merged(parts: Iterator[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {
        "actions": [],
        "sent_the_domain": [],
        "slots": {},
        "responses": {},
    }
    for part in parts:
        for entry in part.pop("actions", []):
            name, options = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
            merged["actions"].append(name)
            merged["sent_the_domain"] += [name] if options.get("send_domain") is True else []
        for table in ("slots", "responses"):
            new = part.pop(table, {})
            assert not merged[table].keys() & new, "a part of the domain has two definitions"
            merged[table] |= new
        merged |= part
    return merged


def _said_in(folder: Path) -> dict[str, set[str]]:
    """Find the calls of `utter_message(response=…)` in the bot's own modules."""
    said: dict[str, set[str]] = {}
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                arguments = {keyword.arg: keyword.value for keyword in node.keywords}
                answer = arguments.pop("response", None)
                if isinstance(answer, ast.Constant):
                    said.setdefault(str(answer.value), set()).update(filter(None, arguments))
    return said


def steps_of(flow: dict[str, Any]) -> Iterator[Step]:
    """Give every step of a flow, the nested ones too."""
    for sequence in sequences_of(flow["steps"]):
        yield from sequence


def sequences_of(steps: list[Step]) -> Iterator[list[Step]]:
    """Give this list of steps, and every list that is nested in it."""
    yield steps
    for step in steps:
        for nested in branches_of(step):
            if isinstance(nested, list):
                yield from sequences_of(nested)


def branches_of(step: Step) -> list[Any]:
    """Give where a step may lead: the name of a step, or a list of steps."""
    following = step.get("next")
    if not isinstance(following, list):
        return [] if following is None else [following]
    return [branch.get("then", branch.get("else")) for branch in following]


def conditions_of(flow: dict[str, Any]) -> Iterator[str]:
    """Give every condition on which a flow branches."""
    for step in steps_of(flow):
        if isinstance(step.get("next"), list):
            yield from (branch["if"] for branch in step["next"] if "if" in branch)


@cache
def terms_of(condition: str) -> list[dict[str, str | None]]:
    """Take a condition apart: for each term the slot, the value it must have, and `not`.

    Raises:
        ValueError: it says more than this bot needs; the walk would have to learn it.

    """
    matches = [_TERM.fullmatch(term) for term in condition.split(" and ")]
    if None in matches:
        raise ValueError(condition)
    return [match.groupdict() for match in matches if match]


def holds(condition: str, slots: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds. An empty slot has no value, and is not true."""
    for term in terms_of(condition):
        value = slots[str(term["slot"])]
        met = bool(value) if term["value"] is None else value == term["value"]
        if met == bool(term["negated"]):
            return False
    return True


def walk(
    flows: Mapping[str, dict[str, Any]], flow_id: str, slots: Callable[[], Mapping[str, Any]]
) -> Iterator[str]:
    """Give the actions that a flow runs, one after the other, and those of flows it leads to.

    The slots are read at each branch, so that an action may be run in between. What asks the
    customer for something, or sets a slot, is passed over: it is for `calm_checks` to say whether
    that may stand there.
    """
    following: str | None = flow_id
    while following is not None:
        following = yield from _walk_one(flows, flows[following], slots)


def _walk_one(
    flows: Mapping[str, dict[str, Any]],
    flow: dict[str, Any],
    slots: Callable[[], Mapping[str, Any]],
) -> Generator[str, None, str | None]:
    """Walk to the end of a flow; return the flow that it links to."""
    steps, at = flow["steps"], 0
    while at < len(steps):
        step = steps[at]
        if "link" in step:
            return str(step["link"])
        if "action" in step:
            yield step["action"]
        if "call" in step:
            yield from walk(flows, step["call"], slots)
        following = step.get("next")
        if isinstance(following, list):
            following = _chosen(following, slots())
        if following == END:
            return None
        steps, at = (steps, at + 1) if following is None else _target(flow, following)
    return None


def _chosen(branches: list[dict[str, Any]], slots: Mapping[str, Any]) -> str | list[Step]:
    for branch in branches:
        if "if" not in branch or holds(branch["if"], slots):
            chosen: str | list[Step] = branch["then"] if "if" in branch else branch["else"]
            return chosen
    return END


def _target(flow: dict[str, Any], following: str | list[Step]) -> tuple[list[Step], int]:
    if isinstance(following, list):
        return following, 0
    return next(
        (steps, at)
        for steps in sequences_of(flow["steps"])
        for at, step in enumerate(steps)
        if step.get("id") == following
    )
