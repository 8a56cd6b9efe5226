"""A bot as its files describe it, merged. Pure: tables in, properties out."""

from __future__ import annotations

from collections import ChainMap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...customer import (
    CONTEXT_ACTION,
    FILLED_BY_ACTIONS,
    FORGET_ACTION,
    SESSION_ACTION,
    VERIFY_ACTION,
)
from .yaml import rows, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .code import Code
    from .yaml import Table

OURS = (CONTEXT_ACTION, VERIFY_ACTION, FORGET_ACTION)
_RASAS = {
    *("action_listen", "action_restart", SESSION_ACTION, "action_default_fallback"),
    *("action_deactivate_loop", "action_revert_fallback_events", "action_default_ask_affirmation"),
    *("action_default_ask_rephrase", "action_two_stage_fallback", "action_back"),
    *("action_unlikely_intent", "action_extract_slots", "action_validate_slot_mappings"),
    "action_send_text",
}
"""Actions that Rasa has by itself; a bot may list one all the same."""
_RUN_BY_RASA = ("validate_", "action_ask_", "action_validate_")
"""How names of actions begin that Rasa runs for a form, or for every message."""


@dataclass(frozen=True)
class Script:
    """A rule, a story, or a flow of Rasa Pro."""

    title: str
    content: Table

    def names(self, key: str) -> list[str]:
        """Return the names under a key at any depth, each once."""
        return list(dict.fromkeys(self._names(self.content, key)))

    def compares(self, slot: str) -> bool:
        """Whether a rule's condition is that a slot has one text, not only that it is set."""
        conditions = [table(each) for each in rows(self.content.get("condition"))]
        said = [table(entry) for each in conditions for entry in rows(each.get("slot_was_set"))]
        return any(isinstance(each.get(slot), str) for each in said)

    def _names(self, content: object, key: str) -> Iterator[str]:
        for name, value in table(content).items():
            for each in rows(value) or [value]:
                if name == key:
                    yield from table(each) or [str(each)]
                yield from self._names(each, key)


class Bot:
    """All of it, merged: if a name comes twice, the first one applies.

    Content is None if no file of its kind was looked at.
    """

    def __init__(self, parts: dict[str, list[tuple[Path, Table]]], code: Code | None) -> None:
        self.domain_files = parts["domain"]
        only = {kind: [content for _, content in files] for kind, files in parts.items()}

        def said(key: str, *before: str) -> Table:
            files = [part for kind in (*before, "domain") for part in only.get(kind, ())]
            return dict(ChainMap(*(table(part.get(key)) for part in files)))

        def first(kind: str) -> Table | None:
            return only[kind][0] if only.get(kind) else None

        listed = [entry for part in only["domain"] for entry in rows(part.get("actions"))]
        self.slots = {name: table(slot) for name, slot in said("slots").items()}
        self.actions = dict(_action(entry) for entry in reversed(listed))
        """Those that the domain lists, and whether each is sent the domain in any case."""
        self.forms = {name: table(form) for name, form in said("forms").items()}
        # Rasa reads those in the training data too, and prefers them.
        self.responses, self.session = said("responses", "data"), said("session_config")
        self.response_files = [file for file, _ in (*parts.get("data", ()), *parts["domain"])]
        self.scripts = list(_scripts(only["data"])) if "data" in only else None
        self.config, self.endpoints = first("config"), first("endpoints")
        self.credentials, self.code = first("credentials"), code
        self.e2e_tests = only.get("e2e", [])

    @property
    def action_endpoint(self) -> Table:
        """What endpoints.yml has about the action server."""
        return table((self.endpoints or {}).get("action_endpoint"))

    @property
    def own_actions(self) -> list[str]:
        """The actions of the domain that code of the bot's own must have."""
        others = {*_RASAS, *OURS, *self.responses, *self.forms}
        named = [name for name in self.actions if name not in others]
        return sorted(name for name in named if not name.startswith(("utter_", "respond_")))

    @property
    def code_less_actions(self) -> list[str]:
        """Those of them that the code that was read does not name."""
        named = set() if self.code is None else self.code.words
        return [name for name in self.own_actions if name not in named]

    @property
    def own_session_start(self) -> bool:
        """Whether code of the bot's own starts a session, and not by the plugin's class."""
        return self.code is not None and self.code.starts_session and not self.code.looks_up

    @property
    def has_session_start(self) -> bool:
        """Whether the bot has, or is said to have, an `action_session_start`."""
        coded = self.code is not None and self.code.starts_session
        return coded or SESSION_ACTION in self.actions

    @property
    def looks_up_at_start(self) -> bool | None:
        """Whether a session starts with the lookup; None if no code was read."""
        if SESSION_ACTION not in self.actions:
            return False
        return None if self.code is None else self.code.looks_up

    @property
    def is_calm(self) -> bool:
        """Whether a language model takes part in the dialogue."""
        kinds = {mapping.get("type") for slot in self.slots.values() for mapping in mappings(slot)}
        flows = any(script.title.startswith("flow ") for script in self.scripts or ())
        pro = kinds & {"controlled", "from_llm"}
        return flows or bool(pro) or "CommandGenerator" in str(self.config)

    def says(self, name: str) -> bool:
        """Whether a rule, a story, a flow or code of the bot's names a response, or an action."""
        scripts = any(name in script.names("action") for script in self.scripts or ())
        return scripts or (self.code is not None and name in self.code.words)

    def runs(self, action: str) -> bool:
        """Whether an action is run by a script, a form or a slot, as far as that is known."""
        if self.scripts is None or action.startswith(_RUN_BY_RASA):
            return True
        every = [mapping for slot in self.slots.values() for mapping in mappings(slot)]
        return self.says(action) or any(action in each.values() for each in every)


def mappings(slot: Table) -> list[Table]:
    """Return what fills a slot, but for what Rasa would not take."""
    entries = map(table, rows(slot.get("mappings")))
    return [entry for entry in entries if isinstance(entry.get("type"), str)]


def filled_by(slot: Table) -> list[str]:
    """Return the mappings of a slot that are not of an action."""
    kinds = dict.fromkeys(each["type"] for each in mappings(slot))
    return [kind for kind in kinds if kind not in FILLED_BY_ACTIONS]


def influences(slot: Table) -> bool:
    """Whether rules and stories see a slot: Rasa's default, but for the type `any`."""
    return slot.get("influence_conversation", True) is True and slot.get("type") != "any"


def _action(entry: object) -> tuple[str, bool]:
    name, options = next(iter(table(entry).items()), (str(entry), {}))
    return name, table(options).get("send_domain") is True


def _scripts(data: Iterable[Table]) -> Iterator[Script]:
    for part in data:
        for kind, group in (("rule", "rules"), ("story", "stories")):
            for content in map(table, rows(part.get(group))):
                yield Script(f"{kind} “{content.get(kind)}”", content)
        for name, content in table(part.get("flows")).items():
            yield Script(f"flow {name}", table(content))
