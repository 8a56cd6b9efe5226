"""A conversation as plain values, with nothing of Rasa in it: for tests of what one turn does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from actions.ps7 import CustomerContext, Outcome
from actions.ps7.dialogue.context_id import SESSION_METADATA, fingerprint
from actions.ps7.dialogue.runtime import Runtime
from actions.ps7.dialogue.turn import Turn
from actions.ps7.settings import PS7Settings

if TYPE_CHECKING:
    from actions.ps7.dialogue.seal import Sealed

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SLOTS = ("ps7_status", "ps7_context", "cpf", "agency", "balance", SESSION_METADATA)
ANA, DIEGO = fingerprint("ana"), fingerprint("diego")


def runtime() -> Runtime:
    """Make what the turns of one bot share; `balance` is a slot of its own."""
    values: dict[str, Any] = {
        "base_url": "http://127.0.0.1:1",
        "username": "bot-user",
        "password": "bot-password",
        "seal_keys": [Fernet.generate_key().decode()],
        "clear_slots": ["balance"],
        "max_contexts": 2,
    }
    return Runtime(PS7Settings(_env_file=None, **values))


def customer(cpf: str = "52998224725", until: datetime = NOW + HOUR) -> CustomerContext:
    """Give somebody whom PS7 knows."""
    return CustomerContext(cpf=cpf, agency="0001", expires_at=until)


@dataclass
class Talk:
    """One conversation: what the channel, the bot and others put into its tracker."""

    runtime: Runtime = field(default_factory=runtime)
    sender_id: str = "sender-1"
    slots: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(SLOTS))
    latest_message: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(
        default_factory=lambda: [{"event": "session_started", "timestamp": 1.0}]
    )
    now: datetime = NOW

    def says(self, context_id: object = None) -> None:
        """The user writes, and the channel may name a customer."""
        metadata = {} if context_id is None else {"contextId": context_id}
        self.latest_message = {"metadata": metadata}
        self._happens(event="user", metadata=metadata)

    def writes(self, **slots: object) -> None:
        """Somebody sets slots."""
        for name, value in slots.items():
            self.slots[name] = value
            self._happens(event="slot", name=name, value=value)

    def _happens(self, **event: object) -> None:
        self.events.append({**event, "timestamp": 1.0 + len(self.events)})

    def turn(self) -> Turn:
        """Read the conversation as it stands."""
        return Turn(self, self.runtime, self.now)

    def run(self) -> dict[str, Any]:
        """Run what needs no call; give the slots that it set."""
        changes = self.turn().apply(self.turn().decide())
        self.writes(**changes)
        return changes

    def looks_up(self, context_id: str, outcome: Outcome = Outcome.OK) -> Sealed:
        """A contextId comes, and PS7 gives this outcome; give what is sealed then."""
        self.says(context_id)
        turn = self.turn()
        found = turn.present.found
        assert found is not None
        known = customer() if outcome == Outcome.OK else None
        self.writes(**turn.seal(found, outcome, known))
        return self.sealed

    def forgets(self) -> None:
        """The customer logs out."""
        self.writes(**self.turn().forget())

    @property
    def sealed(self) -> Sealed:
        """What the seal in the slot says."""
        sealed = self.runtime.sealer.open(self.slots["ps7_context"], self.sender_id)
        assert sealed is not None
        return sealed

    def seal(self, sealed: Sealed) -> None:
        """Put a seal of ours into the slot."""
        self.writes(ps7_context=self.runtime.sealer.close(sealed, self.sender_id))
