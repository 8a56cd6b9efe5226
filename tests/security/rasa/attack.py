"""What is tried against a bot in a real Rasa, as data: the rows stand in the modules beside this.

The attacker wants to be served as the victim, whom the bot knows in a conversation of her own, or
knew in this one. What must hold after each attack stands in the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.conversation.spoken import CUSTOMER_SLOTS
from tests.security.rasa.scene import VICTIM

if TYPE_CHECKING:
    from tests.security.rasa.scene import Step

ANA = VICTIM.context_id
CPF = VICTIM.slots["cpf"] or ""
CLAIMS: dict[str, Any] = {
    name: VICTIM.slots.get(name, "2099-12-31T00:00:00+00:00")
    for name in ("ps7_status", *CUSTOMER_SLOTS)
}
"""Every slot of `domain.yml` as it is for the victim, the seal left out."""


class Attacker(str, Enum):
    """Who tries it."""

    USER = "a user in the chat"
    NEXT = "the next user of the same conversation"
    CHANNEL = "whoever can post to the channel"
    WRITER = "whoever reaches Rasa's API"


@dataclass(frozen=True)
class Attack:
    """One row."""

    name: str
    attacker: Attacker
    bot: str
    tried: tuple[Step, ...]
    truth: str | None = None
    """Whom the bank's own channel let in last: that person may be shown, and no other."""
