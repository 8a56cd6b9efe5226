"""One run of the plugin, explained: what it found, what it decided, and what came of it.

The plugin's own `Turn` reads the tracker and decides; this module asks it, and writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...dialogue import resolver
from ...dialogue.turn import TURNED_AWAY, Turn
from ...slot_names import CONTEXT
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
_LEFT_OVER = "The contextId is left over from an earlier customer of this conversation."


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

    @cached_property
    def _stands(self) -> tuple[Found, Place] | None:
        return place_of(self.moment.tracker, self.runtime.settings.metadata_keys)

    @property
    def place(self) -> Place | None:
        """Where the contextId was found."""
        return self._stands[1] if self._stands else None

    @cached_property
    def found(self) -> Found | None:
        """The contextId that was found, let in or not; None where there is none."""
        if self._stands is None:
            return None
        return self.runtime.door.read(self._stands[0], self.moment.tracker.sender_id)

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

    @cached_property
    def _present(self) -> resolver.Present:
        """What the run went by, as its table has it.

        A run does not read again what it read before the customer was sealed: where it finds
        nothing new, the contextId that is held is still the one found. One that other seals know to
        be left over counts as none.
        """
        present, found = self._turn.present, self.found
        if self._left_out:
            return replace(present, found=None)
        if present.found is None and found is not None and resolver.is_known(found, present.held):
            return replace(present, found=found)
        return present

    @cached_property
    def _left_out(self) -> bool:
        """Whether other seals of the conversation know the contextId to be left over."""
        if self.moment.action in (VERIFY, FORGET):
            return False
        asks = isinstance(resolver.decide(self._turn.present, self.moment.at), resolver.LookUp)
        kept = (resolver.LookUp, resolver.Refuse, resolver.Forget)
        return asks and not isinstance(self._decision, kept)

    @property
    def row(self) -> Row | None:
        """The row that fired; None where that cannot be told."""
        if not self.told:
            return None
        if self._forgets:
            return words.forgotten(self._present, self.moment.at)
        return words.row(self._present, self._decision, self.moment.at)

    @property
    def held_until(self) -> str | None:
        """Until when the customer that is held may be used."""
        held = self._turn.present.held if self.told else None
        if held is None or held.customer is None:
            return None
        return held.customer.expires_at.isoformat(timespec="seconds")

    @property
    def why(self) -> list[str]:
        """Say why, a sentence for each thing that mattered."""
        if not self.told:
            return [*self._about(self.found), WITHOUT_KEYS]
        if self.found is not None and self._present.found is None:
            notes = [_LEFT_OVER]
        else:
            notes = self._about(self._present.found)
        if self._present.seal_set and self._present.held is None:
            notes.append(_OTHER_CONVERSATION if self._is_ours() else _OTHER_KEY)
        if self._forgets:
            return [*notes, words.FORGETS]
        return [*notes, words.why(self._present, self._decision, self.moment.at)]

    def _about(self, found: Found | None) -> list[str]:
        """Say what is special about the contextId that came."""
        if found is None:
            return []
        if found.refused is not None:
            return [f"The contextId was not let in: {TURNED_AWAY[found.refused]}."]
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
