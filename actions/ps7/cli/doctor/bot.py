"""A bot as its files describe it, as far as the doctor asks: slots, rules, flows, policies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Slot:
    """A slot as the domain declares it."""

    name: str
    type: str
    values: tuple[str, ...]
    """Of a categorical slot, in small letters, as Rasa compares them."""
    influences: bool
    """Whether it is featurised: whether rules and stories see it."""
    mappings: tuple[Mapping[str, Any], ...]
    initial_value: object
    shared: bool
    """`shared_for_coexistence`, of Rasa Pro."""


@dataclass(frozen=True)
class Story:
    """A rule or a story."""

    kind: str
    name: str
    actions: frozenset[str]
    waits_for: tuple[tuple[str, object], ...]
    """Slots and the values that it is written for."""


@dataclass(frozen=True)
class Flow:
    """A flow of Rasa Pro."""

    name: str
    actions: frozenset[str]
    collects: tuple[str, ...]
    sets: tuple[str, ...]
    guard: str
    compares: tuple[tuple[str, str], ...]
    """Slots and the texts that conditions compare them with, the guard's included."""


@dataclass(frozen=True)
class Bot:
    """All of it, merged."""

    slots: Mapping[str, Slot] = field(default_factory=dict)
    actions: Mapping[str, bool] = field(default_factory=dict)
    """Those that the domain lists, and whether each is sent the domain in any case."""
    selective: bool = False
    """Whether Rasa leaves the domain out of other calls."""
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What each form asks for."""
    conditions: tuple[tuple[str, str, object], ...] = ()
    """Response, slot, value: of the conditional responses."""
    variables: tuple[tuple[str, str], ...] = ()
    """Response, and a variable that Rasa fills in from slots if no action gives it."""
    session: Mapping[str, Any] = field(default_factory=dict)
    """What the domain says about sessions; empty where it says nothing."""
    stories: tuple[Story, ...] = ()
    flows: tuple[Flow, ...] = ()
    policies: tuple[Mapping[str, Any], ...] | None = None
    """None where no configuration was looked at; empty where it leaves them to Rasa."""
    pipeline: tuple[str, ...] = ()
    has_data: bool = False
    """Whether rules, stories and flows were looked at."""
    doubles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Slots that files of one folder declare differently, and these files."""
    session_start_looks_up: bool | None = None
    """Whether the bot's code knows `PS7SessionStart`; None where no code was looked at."""

    @property
    def is_calm(self) -> bool:
        """Whether a language model takes part in the dialogue."""
        types = {mapping.get("type") for slot in self.slots.values() for mapping in slot.mappings}
        names = (*self.pipeline, *(str(policy.get("name")) for policy in self.policies or ()))
        known = any(name.endswith(("CommandGenerator", "FlowPolicy")) for name in names)
        unseen = self.policies is None and not self.has_data
        return (
            bool(self.flows) or known or "from_llm" in types or (unseen and "controlled" in types)
        )
