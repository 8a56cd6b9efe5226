"""Bots in memory for the host tests: a domain with the plugin's slots, and what a test does."""

from __future__ import annotations

from typing import Any

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify, PS7SessionStart
from actions.ps7.testing import Conversation
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY

SESSION_START, SESSION_METADATA = "action_session_start", "session_started_metadata"
CUSTOMER_SLOTS = [name for name in SLOTS if name not in ("ps7_status", "ps7_context")]
CUSTOM, FROM_TEXT = {"type": "custom"}, {"type": "from_text"}
TYPED = "00000000191"
"""What a user, a form or an attacker writes into `cpf`: no persona's."""


class ActionSessionStart(PS7SessionStart):
    """What a bot writes: nothing but this."""


def converse(
    *,
    every_turn: bool = True,
    session_start: bool = False,
    mappings: dict[str, object] | None = None,
    **options: Any,  # noqa: ANN401 - handed on
) -> Conversation:
    """Return a conversation with a bot that declares every slot of ours, and two of its own.

    `mappings` are of single slots, in place of `custom`, or of a slot more.
    """
    all_of_them = {name: [CUSTOM] for name in (*SLOTS, "u_ion", "balance", "colour")}
    slots: dict[str, Any] = {
        name: {"type": "any", "mappings": mapped}
        for name, mapped in (all_of_them | (mappings or {})).items()
    }
    slots["colour"]["initial_value"] = "blue"
    if every_turn:
        slots["ps7_status"]["mappings"] = [{**CUSTOM, "action": LOOK_UP}]
    listed = [LOOK_UP, VERIFY, FORGET, *([SESSION_START] if session_start else [])]
    # Longer than the clock that tests move.
    domain = {"actions": listed, "slots": slots, "session_config": {"session_expiration_time": 1e6}}
    actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget, ActionSessionStart]
    return Conversation(domain, actions, **{"sender_id": "sender-1", **options})


async def arrive(bot: Conversation, context_id: object = None, **beside: object) -> list[str]:
    """Say something, with a contextId if there is one; return the slots that the turn set."""
    metadata = {} if context_id is None else {"contextId": context_id, **beside}
    return changed((await bot.user("oi", metadata=metadata)).events)


async def run(bot: Conversation, action: str) -> list[str]:
    """Run an action as a rule does; return the slots that it set."""
    return changed((await bot.run(action)).events)


def changed(events: list[dict[str, Any]]) -> list[str]:
    """Return the slots that these events set, Rasa's note of what opens a session left out."""
    names = {event["name"] for event in events if event["event"] == "slot"}
    return sorted(names - {SESSION_METADATA})


async def set_slots(bot: Conversation, **values: object) -> None:
    """Let something else than the plugin write slots."""
    for name, value in values.items():
        await bot.set_slot(name, value)


def shown(bot: Conversation) -> dict[str, Any]:
    """Return what the slots of ours show, the seal left out."""
    slots = bot.slots
    return {name: slots[name] for name in ("ps7_status", *CUSTOMER_SLOTS)}


def no_customer(status: str) -> dict[str, Any]:
    """Return what they show where no customer is known."""
    return {"ps7_status": status, **dict.fromkeys(CUSTOMER_SLOTS)}
