"""What happens in a conversation, or is done to it by an attacker: small steps, as data.

A value in a step is what it is, or a function of the conversation: see `values`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.security.conversation import CUSTOMER_SLOTS, SEAL, SESSION_METADATA, STATUS, Conversation
from tests.security.values import kept, said_of, value_of

Step = Callable[["Conversation"], Awaitable[None]]

# Messages, events and sessions


def brings(context_id: object, /, **beside: object) -> Step:
    """Send a message with this as the contextId, and with that beside it."""
    return says(contextId=context_id, **beside)


def says(**metadata: object) -> Step:
    """Send a message with this metadata."""

    async def step(conversation: Conversation) -> None:
        conversation.says({name: value_of(metadata[name], conversation) for name in metadata})

    return step


def happens(event: str, **details: object) -> Step:
    """Put an event into the tracker, as Rasa's API can."""

    async def step(conversation: Conversation) -> None:
        said = {name: value_of(value, conversation) for name, value in details.items()}
        conversation.happens(event, **said)

    return step


def runs(action: str) -> Step:
    """Run an action, as a bot does."""
    return lambda conversation: conversation.run(action)


async def comes_back(conversation: Conversation) -> None:
    """Start another session, without a contextId."""
    conversation.next_session()


async def carries_nothing_over(conversation: Conversation) -> None:
    """Let the bot's domain start each session with no slots of the one before."""
    conversation.carries_over = False


def shows(events: int) -> Step:
    """Let the host show no more than the last events."""

    async def step(conversation: Conversation) -> None:
        conversation.shows = events

    return step


def poses_as(who: str) -> Step:
    """Speak as the sender of a customer's conversation, in its session."""

    async def step(conversation: Conversation) -> None:
        other = conversation.servers.elsewhere[who]
        opened = [event for event in other.events if event["event"] == "session_started"]
        conversation.sender_id, conversation.events = other.sender_id, opened

    return step


# Slots


def writes(**slots: object) -> Step:
    """Write slots, as a form, an entity, an action or Rasa's API can."""

    async def step(conversation: Conversation) -> None:
        for name, value in slots.items():
            conversation.writes(name, value_of(value, conversation))

    return step


def notes(context_id: object) -> Step:
    """Write a contextId into the slot in which Rasa notes what opens a session."""
    return writes(
        **{SESSION_METADATA: lambda conversation: {"contextId": value_of(context_id, conversation)}}
    )


def seals(seal: object, status: object = "ok") -> Step:
    """Write the slot of the seal, and claim that a customer is known."""
    return writes(**{SEAL: seal, STATUS: status})


def claims(who: str) -> Step:
    """Write every slot of a customer but the seal, as if PS7 had named them."""
    return writes(**said_of(who), ps7_expires_at="2999-12-31T23:59:59+00:00", ps7_status="ok")


def copies(who: str) -> Step:
    """Write every slot of ours as it stands in another conversation, the seal included."""

    async def step(conversation: Conversation) -> None:
        for name in (STATUS, SEAL, *CUSTOMER_SLOTS):
            conversation.writes(name, conversation.servers.elsewhere[who].slots[name])

    return step


def restores(who: str) -> Step:
    """Write every slot of ours as it was when a customer's seal was set, the seal included."""

    async def step(conversation: Conversation) -> None:
        before = conversation.seals[str(kept(who)(conversation))]
        for name in (STATUS, SEAL, *CUSTOMER_SLOTS):
            conversation.writes(name, before[name])

    return step


def drops(*slots: str) -> Step:
    """Take slots out of the bot's domain."""

    async def step(conversation: Conversation) -> None:
        for slot in slots:
            del conversation.slots[slot]

    return step
