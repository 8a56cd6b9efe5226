"""One run of the plugin, explained: what it found, what it decided, and what came of it.

The plugin's own `Turn` reads the tracker and decides; this module asks it, and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...dialogue import resolver
from ...dialogue.turn import ARRIVAL_REFUSED, Turn
from ...slot_table import CONTEXT
from . import words
from .moments import FORGET, VERIFY
from .place import place_of

if TYPE_CHECKING:
    from ...dialogue.context_id import Found
    from ...dialogue.runtime import Runtime
    from .moments import Moment
    from .place import Place
    from .words import Row

_TOKENS_BEGIN = "eyJ"
"""With `{"` in Base64, as every arrival token does."""

WITHOUT_KEYS = (
    "A seal stands in this conversation. Without PS7_SEAL_KEYS nobody can tell what it says, and "
    "so which row fired."
)
_OTHER_KEY = "None of PS7_SEAL_KEYS opens the seal: another key made it, or it was altered."
_OTHER_CONVERSATION = (
    "The seal was made with a key of ours, for another conversation: the sender id in this file is "
    "not the one it was made for."
)
_NOT_USABLE = "What stands there is no usable contextId."
_NOT_READ = (
    "It looks like an arrival token. PS7_ARRIVAL_KEYS is not set here, so it is taken as it stands."
)


@dataclass
class Account:
    """One run, explained. Its `repr` shows nothing of the conversation."""

    moment: Moment
    runtime: Runtime = field(repr=False)
    sealed: bool
    """Whether a seal stands, or stood, in the conversation before this run."""
    keys_known: bool

    @cached_property
    def _turn(self) -> Turn:
        return Turn(self.moment.tracker, self.runtime, self.moment.at, self.moment.domain)

    @property
    def place(self) -> Place | None:
        """Where the contextId was found."""
        if self.found is None:
            return None
        keys = self.runtime.settings.metadata_keys
        return place_of(self.found, self._turn.situation.history.session.messages, keys)

    @property
    def found(self) -> Found | None:
        """The contextId that counts, its arrival refused or not; None where there is none."""
        return self._turn.situation.found

    @property
    def told(self) -> bool:
        """Whether it can be told which row fired."""
        return self.keys_known or not self.sealed

    @cached_property
    def _decision(self) -> resolver.Decision | resolver.Verdict:
        return self._turn.verify() if self.moment.action == VERIFY else self._turn.decide()

    @property
    def _forgets(self) -> bool:
        return self.moment.action == FORGET

    @property
    def row(self) -> Row | None:
        """The row that fired; None where that cannot be told."""
        if not self.told:
            return None
        situation = self._turn.situation
        return words.forget(situation) if self._forgets else words.row(situation, self._decision)

    @property
    def held_until(self) -> str | None:
        """Until when the customer that is held may be used."""
        held = self._turn.situation.held if self.told else None
        if held is None or held.customer is None:
            return None
        return held.customer.expires_at.isoformat(timespec="seconds")

    @property
    def why(self) -> list[str]:
        """Say why, a sentence for each thing that mattered."""
        situation = self._turn.situation
        notes = self._about(self.found)
        if not self.told:
            return [*notes, WITHOUT_KEYS]
        if situation.seal_set and situation.in_slot is None:
            notes.append(_OTHER_CONVERSATION if self._is_ours() else _OTHER_KEY)
        return [*notes, words.FORGETS if self._forgets else words.why(situation, self._decision)]

    def _about(self, found: Found | None) -> list[str]:
        """Say what is special about the contextId that came."""
        if found is None:
            return []
        if found.refused is not None:
            return [f"The arrival was refused: {ARRIVAL_REFUSED[found.refused]}."]
        if found.context_id is None:
            return [_NOT_USABLE]
        unread = self.runtime.settings.arrival_keys is None
        is_token = str(found.value).startswith(_TOKENS_BEGIN)
        return [_NOT_READ] if unread and is_token else []

    def _is_ours(self) -> bool:
        seal = self.moment.tracker.slots.get(self.runtime.names.of(CONTEXT))
        return self.runtime.sealer.made(seal)

    @cached_property
    def changes(self) -> dict[str, Any] | None:
        """The slots that the run would have set; None where only PS7, or a key, could tell."""
        if not self.told:
            return None
        if self._forgets:
            return self._turn.forget()
        if isinstance(self._decision, resolver.LookUp):
            return None
        return self._turn.apply(self._decision)
