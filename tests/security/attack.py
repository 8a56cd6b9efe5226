"""What an attack is, as data: who tries what, in which conversation, and what must hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from tests.security.world import OPEN

if TYPE_CHECKING:
    from tests.security.moves import Move


class Attacker(str, Enum):
    """Who tries it: what they can do, and therefore what they need not be given."""

    USER = "a user in the chat"
    """Writes messages, and through entities, forms and payloads any slot."""
    CHANNEL = "whoever can post to the channel"
    """Sends messages with any metadata, under any sender id."""
    READER = "whoever can read the tracker store"
    """Has seals and tokens of other conversations, and a way to write slots of their own."""
    WRITER = "whoever can write the tracker"
    """Through Rasa's API, or an action of the bot: any slot and any event."""
    FORMER = "whoever has a key that was retired"
    HOLDER = "whoever has a key that is in use"
    NETWORK = "whoever reaches the action server's port"
    BUILDER = "whoever changes the bot"
    """No attacker: a domain or a flow that does not do what the documentation asks for."""
    NOBODY = "nobody"


class Must(NamedTuple):
    """What must come of an attack, beside what must hold whatever is tried: see `oracle`."""

    truth: str | None = None
    """Whom PS7 names for the contextId that the channel brought last: nobody else may appear."""
    verify: str | None = None
    """The status that `action_ps7_verify` leaves; None: any that is safe."""
    look_up: str | None = None
    """The status that `action_ps7_context` leaves; None: any that is safe."""
    asks: str | None = None
    """About whose contextId `action_ps7_context` must ask PS7, once; nothing else ever asks."""


@dataclass(frozen=True)
class Attack:
    """One row of the tables."""

    attacker: Attacker
    scene: str
    """The conversation it begins in."""
    name: str
    tried: tuple[Move, ...]
    must: Must
    server: str = OPEN
    played_on: str = OPEN
    """Where the scene was played."""


@dataclass(frozen=True)
class At:
    """Makes the rows of one server: by whom, in which conversation, what is tried, what must be."""

    server: str = OPEN
    played_on: str = ""
    """Where the scene was played, if that is another server."""

    def __call__(self, who: tuple[Attacker, str], name: str, *tried: Move, must: Must) -> Attack:
        """Make one: who attacks, in which conversation."""
        played_on = self.played_on or self.server
        return Attack(*who, name, tried, must, self.server, played_on)


@dataclass(frozen=True)
class Success:
    """An attack that is out of scope, since it takes what nobody may have; and it succeeds."""

    attacker: Attacker
    scene: str
    name: str
    tried: tuple[Move, ...]
    takes: str
    """What it takes, and so what has to be kept from an attacker."""
    gains: str
    """As which customer the attacker is served."""
    server: str = OPEN


def succeeds(
    who: tuple[Attacker, str],
    name: str,
    *tried: Move,
    takes: str,
    gains: str = "ana",
    server: str = OPEN,
) -> Success:
    """Make a row: who attacks, in which conversation."""
    return Success(*who, name, tried, takes, gains, server)
