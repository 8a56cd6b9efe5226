"""Bots in memory for the host tests: a domain with the plugin's slots, and what a test does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify, PS7SessionStart
from actions.ps7.testing import Conversation
from actions.ps7.testing.conversation import Result
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY

SESSION_START, SESSION_METADATA = "action_session_start", "session_started_metadata"
CUSTOMER_SLOTS = [name for name in SLOTS if name not in ("ps7_status", "ps7_context")]
CUSTOM, FROM_TEXT = {"type": "custom"}, {"type": "from_text"}
TYPED = "00000000191"
"""What a user, a form or an attacker writes into `cpf`: no persona's."""


class ActionSessionStart(PS7SessionStart):
    """What a bot writes: nothing but this."""


class PluginConversation(Conversation):
    """A conversation of the kit with a bot that has this plugin."""

    async def arrives(self, context_id: object = None, **beside: object) -> Result:
        """Send a message, with which the channel may name a customer."""
        sent = {} if context_id is None else {"contextId": context_id, **beside}
        return await self.user("oi", metadata=sent)

    async def comes_back(self) -> Result:
        """Open another session, without a contextId."""
        self.expire_session()
        return await self.arrives()

    async def set_slots(self, **values: object) -> None:
        """Let something else than the plugin write slots."""
        for name, value in values.items():
            await self.set_slot(name, value)

    @property
    def shown(self) -> dict[str, Any]:
        """What the slots of ours show, the seal left out."""
        slots = self.slots
        return {name: slots[name] for name in ("ps7_status", *CUSTOMER_SLOTS)}


def no_customer(status: str) -> dict[str, Any]:
    """Return what they show where no customer is known."""
    return {"ps7_status": status, **dict.fromkeys(CUSTOMER_SLOTS)}


def domain_of(
    actions: Iterable[str], slots: Iterable[str], **mappings: list[object]
) -> dict[str, Any]:
    """Return the domain of a bot that leaves these slots to actions, but for those mapped here."""
    mapped = {**{name: [CUSTOM] for name in slots}, **mappings}
    declared = {name: {"type": "any", "mappings": mapped[name]} for name in mapped}
    # Sessions are longer than the clock that tests move.
    config = {"session_expiration_time": 1e6}
    return {"actions": [*actions], "slots": declared, "session_config": config}


def converse(
    *,
    every_turn: bool = True,
    session_start: bool = False,
    mappings: dict[str, list[object]] | None = None,
    **options: Any,  # noqa: ANN401 - handed on
) -> PluginConversation:
    """Return a conversation with a bot that declares every slot of ours, and two of its own.

    `mappings` are of single slots, in place of `custom`, or of a slot more.
    """
    listed = [LOOK_UP, VERIFY, FORGET, *([SESSION_START] if session_start else [])]
    mapped = dict(mappings or {})
    if every_turn:
        mapped["ps7_status"] = [{**CUSTOM, "action": LOOK_UP}]
    domain = domain_of(listed, (*SLOTS, "u_ion", "balance", "colour"), **mapped)
    domain["slots"]["colour"]["initial_value"] = "blue"
    actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget, ActionSessionStart]
    return PluginConversation(domain, actions, **{"sender_id": "sender-1", **options})
