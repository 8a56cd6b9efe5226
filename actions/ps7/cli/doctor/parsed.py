"""From parsed YAML to a bot. Pure.

YAML that is not as Rasa expects it counts as not there: that is for `rasa data validate` to find.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .bot import Bot, Flow, Slot, Story

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

DOMAIN_KEYS = frozenset(
    {"intents", "entities", "actions", "slots", "forms", "responses", "session_config"}
)
"""A file that has one of them is part of a domain, as for Rasa."""
DATA_KEYS = frozenset({"rules", "stories", "flows"})
"""Likewise of training data, as far as it speaks of actions and slots."""
_FILLED_IN = frozenset({"text", "image", "custom", "buttons", "attachment", "quick_replies"})
"""The parts of a response in which Rasa fills in variables."""
_VARIABLE = re.compile(r"(?<!{)(?:{{)*{([^\n{}]+)}")
_COMPARED = re.compile(r"""slots\.(\w+)\s*(?:==?|!=|is)\s*["']([^"']*)["']""")


def domain(parts: Iterable[Mapping[str, Any]]) -> Bot:
    """Merge the parts of a domain. What is named twice is taken from where it stands first."""
    slots: dict[str, Slot] = {}
    forms: dict[str, tuple[str, ...]] = {}
    responses: dict[str, object] = {}
    actions: dict[str, bool] = {}
    session: Mapping[str, Any] = {}
    for part in parts:
        for name, content in table(part.get("slots")).items():
            slots.setdefault(name, slot(name, content))
        for name, content in table(part.get("forms")).items():
            required = table(content).get("required_slots")
            forms.setdefault(name, tuple(map(str, required if isinstance(required, list) else ())))
        responses = {**table(part.get("responses")), **responses}
        actions = {**dict(map(_action, rows(part.get("actions")))), **actions}
        session = session or table(part.get("session_config"))
    return Bot(
        slots=slots,
        actions=actions,
        forms=forms,
        conditions=tuple(_conditions(responses)),
        variables=tuple(_variables(responses)),
        session=session,
    )


def configured(bot: Bot, config: Mapping[str, Any]) -> Bot:
    """Give a bot with what its config.yml says."""
    names = [str(table(entry).get("name")) for entry in rows(config.get("pipeline"))]
    policies = tuple(table(entry) for entry in rows(config.get("policies")))
    return replace(bot, policies=policies, pipeline=tuple(names))


def slot(name: str, content: object) -> Slot:
    """Read one slot."""
    said = table(content)
    type_ = str(said.get("type"))
    return Slot(
        name=name,
        type=type_,
        values=tuple(str(value).lower() for value in rows(said.get("values"))),
        # Rasa's default, but for the type that it never featurises.
        influences=said.get("influence_conversation", True) is True and type_ != "any",
        mappings=tuple(entry for entry in rows(said.get("mappings")) if isinstance(entry, dict)),
        initial_value=said.get("initial_value"),
        shared=said.get("shared_for_coexistence") is True,
    )


def stories(parts: Iterable[Mapping[str, Any]]) -> tuple[Story, ...]:
    """Read the rules and stories of training data."""
    return tuple(
        Story(
            kind=kind,
            name=str(table(content).get(kind)),
            actions=frozenset(str(value) for key, value in walk(content) if key == "action"),
            waits_for=tuple(
                pair
                for key, value in walk(content)
                if key == "slot_was_set"
                for pair in _set(value)
            ),
        )
        for part in parts
        for kind, group in (("rule", "rules"), ("story", "stories"))
        for content in rows(part.get(group))
    )


def flows(parts: Iterable[Mapping[str, Any]]) -> tuple[Flow, ...]:
    """Read the flows of training data."""
    return tuple(
        _flow(name, table(content))
        for part in parts
        for name, content in table(part.get("flows")).items()
    )


def _flow(name: str, content: Mapping[str, Any]) -> Flow:
    said = list(walk(content))
    return Flow(
        name=name,
        actions=frozenset(str(value) for key, value in said if key == "action"),
        collects=tuple(str(value) for key, value in said if key == "collect"),
        sets=tuple(slot for key, value in said if key == "set_slots" for slot, _ in _set(value)),
        guard=str(content.get("if", "")),
        compares=tuple(
            pair for key, value in said if key == "if" for pair in _COMPARED.findall(str(value))
        ),
    )


def walk(content: object) -> Iterator[tuple[str, object]]:
    """Give every key with its value, however deep it stands."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield str(key), value
            yield from walk(value)
    elif isinstance(content, list):
        for value in content:
            yield from walk(value)


def table(content: object) -> dict[str, Any]:
    """Give a mapping as it is, and anything else as an empty one."""
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def rows(content: object) -> Sequence[Any]:
    """Give a list as it is, and anything else as an empty one."""
    return content if isinstance(content, list) else []


def _action(entry: object) -> tuple[str, bool]:
    """Return an action's name, which may have options below it, and whether `send_domain` is on."""
    name, options = next(iter(table(entry).items()), (str(entry), {}))
    return name, table(options).get("send_domain") is True


def _set(content: object) -> Iterator[tuple[str, object]]:
    """Read `slot: value` pairs, in a list or not; a name alone stands for any value."""
    for entry in content if isinstance(content, list) else [content]:
        if isinstance(entry, str):
            yield entry, ...
        yield from table(entry).items()


def _conditions(responses: Mapping[str, object]) -> Iterator[tuple[str, str, object]]:
    for name, variations in responses.items():
        for variation in rows(variations):
            for entry in rows(table(variation).get("condition")):
                if table(entry).get("type") == "slot":
                    yield name, str(table(entry).get("name")), table(entry).get("value")


def _variables(responses: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, variations in responses.items():
        for variation in rows(variations):
            filled_in = [value for key, value in table(variation).items() if key in _FILLED_IN]
            for variable in _VARIABLE.findall(str(filled_in)):
                yield name, variable
