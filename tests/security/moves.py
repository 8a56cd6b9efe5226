"""What an attacker can do to a conversation: small steps, put together as data.

A value in a step is what it is, or a function of the conversation and its world, for what is known
only once both are there, such as a seal.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from tests.security.planted import CUSTOMERS, FOREIGN_SEAL_KEY, FORGED
from tests.security.talk import CUSTOMER_SLOTS, SEAL, STATUS, Talk

if TYPE_CHECKING:
    from tests.security.world import World

Given = Callable[[Talk, "World"], object]
Move = Callable[[Talk, "World"], None]


def given(value: object, talk: Talk, world: World) -> Any:  # noqa: ANN401 - any JSON
    """Give the value that is meant."""
    return value(talk, world) if callable(value) else deepcopy(value)


# Messages


def brings(context_id: object, /, **beside: object) -> Move:
    """Send a message with this as the contextId, and with that beside it."""
    return says({"contextId": context_id, **beside})


def says(metadata: dict[str, object] | None = None) -> Move:
    """Send a message with this metadata."""

    def move(talk: Talk, world: World) -> None:
        talk.says({name: given(value, talk, world) for name, value in (metadata or {}).items()})

    return move


def comes_back(talk: Talk, _: World) -> None:
    """Start another session, without a contextId."""
    talk.next_session()


def comes_back_with_nothing(talk: Talk, _: World) -> None:
    """Start another session, to which no slot is carried over."""
    talk.carries_over = False
    talk.next_session()


def carries_nothing_over(talk: Talk, _: World) -> None:
    """Let the bot's domain start each session with no slots of the one before."""
    talk.carries_over = False


def happens(event: str, **details: object) -> Move:
    """Put an event into the tracker, as Rasa's API can."""

    def move(talk: Talk, world: World) -> None:
        said = {name: given(value, talk, world) for name, value in details.items()}
        talk.happens(event, **said)

    return move


def poses_as(who: str) -> Move:
    """Speak as the sender of a customer's conversation."""

    def move(talk: Talk, world: World) -> None:
        talk.sender_id = world.elsewhere[who].sender_id

    return move


# Slots


def writes(**slots: object) -> Move:
    """Write slots, as a form, an entity, an action or Rasa's API can."""

    def move(talk: Talk, world: World) -> None:
        for name, value in slots.items():
            talk.writes(name, given(value, talk, world))

    return move


def copies(who: str) -> Move:
    """Write every slot of ours as it stands in another conversation, the seal included."""

    def move(talk: Talk, world: World) -> None:
        for name in (STATUS, SEAL, *CUSTOMER_SLOTS):
            talk.writes(name, world.elsewhere[who].slots[name])

    return move


def restores(who: str) -> Move:
    """Write every slot of ours as it was when a customer's seal was set, the seal included."""

    def move(talk: Talk, world: World) -> None:
        before = talk.seals[str(own(who)(talk, world))]
        for name in (STATUS, SEAL, *CUSTOMER_SLOTS):
            talk.writes(name, before[name])

    return move


def claims(who: str) -> Move:
    """Write every slot of a customer but the seal, as if PS7 had named them."""
    return writes(**says_of(who), ps7_expires_at="2999-12-31T23:59:59+00:00", ps7_status="ok")


def drops(*slots: str) -> Move:
    """Take slots out of the bot's domain."""

    def move(talk: Talk, _: World) -> None:
        for slot in slots:
            del talk.slots[slot]

    return move


def says_of(who: str, slots: Iterable[str] = CUSTOMER_SLOTS) -> dict[str, Any]:
    """Give what PS7 says of a customer, by slot."""
    customer = CUSTOMERS[who]
    known = {**customer.payload, **customer.slots, "ps7_payload": customer.payload}
    return {slot: known.get(slot) for slot in slots if slot != "ps7_expires_at"}


# Seals


def seals(seal: object, status: object = "ok") -> Move:
    """Write the slot of the seal, and claim that a customer is there."""
    return writes(**{SEAL: seal, STATUS: status})


def own(who: str) -> Given:
    """Give a seal that this conversation had for a customer, or for a status, before."""

    def seal(talk: Talk, _: World) -> str:
        return next(
            text
            for text, said in talk.seals.items()
            if who in (said["ps7_status"], said["ps7_decoded_context_id"])
        )

    return seal


def present(talk: Talk, _: World) -> str:
    """Give the seal that stands there."""
    seal: str = talk.slots[SEAL]
    return seal


def stolen(who: str) -> Given:
    """Give the seal of a customer in another conversation."""

    def seal(_: Talk, world: World) -> str:
        return next(iter(world.elsewhere[who].seals))

    return seal


def sealed_by(key: str, seal: Given, opened_with: str) -> Given:
    """Give what a seal says, bound to this conversation and sealed by a key of choice.

    It takes a key that opens the seal: what somebody else can do is less.
    """

    def forged(talk: Talk, world: World) -> str:
        plain = Fernet(opened_with).decrypt(str(seal(talk, world)))
        conversation = hashlib.sha256(talk.sender_id.encode()).digest()
        return Fernet(key).encrypt(conversation + plain[len(conversation) :]).decode()

    return forged


def foreign(text: str = FORGED) -> Given:
    """Give something that an attacker encrypted."""
    return lambda _talk, _world: Fernet(FOREIGN_SEAL_KEY).encrypt(text.encode()).decode()


def altered(seal: Given, how: Callable[[str], object]) -> Given:
    """Give a seal after something was done to its text."""
    return lambda talk, world: how(str(seal(talk, world)))


def is_same(seal: object, genuine: str) -> bool:
    """Tell whether a text says the very same bytes: Base64 can write them in several ways."""
    try:
        return isinstance(seal, str) and _raw(seal) == _raw(genuine)
    except ValueError:
        return False


def _raw(seal: str) -> bytes:
    return base64.urlsafe_b64decode(seal.encode())
