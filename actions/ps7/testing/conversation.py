"""A conversation in memory, for tests of custom actions: no Rasa, no server, no network.

    bot = Conversation(domain="domain.yml", actions=[ActionBalance])
    await bot.user("qual meu saldo", metadata={"contextId": "C1"}, intent="balance")
    result = await bot.run("action_balance")
    assert result.texts == ["R$ 10,00"]
    assert bot.slots["asked"] is True

The test plays the policies: it says which action runs next. The rest is what Rasa Open Source
3.6.21 does around actions: sessions, metadata, every-turn slot mappings, restart, rewind, answers.
Actions run in rasa_sdk's own executor on the payload that Rasa sends, as JSON both ways, so what
cannot cross the wire fails here too. An exception of an action reaches the test.

Stricter than Rasa: setting a slot that the domain does not declare raises UndeclaredSlotError (Rasa
logs an error and drops the value). Not played: NLU and its slot mappings (from_text and so on; use
`set_slot`), forms but for their validation, `action_validate_slot_mappings`, reminders, follow-up
actions (run them).

Knows nothing of PS7: it serves the actions of any bot.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor

from .rasa_in_memory.domain import CARRY_OVER, load_domain
from .rasa_in_memory.processor import Processor, Result, UndeclaredSlotError, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rasa_sdk import Action

    from .rasa_in_memory.domain import DomainSource
    from .rasa_in_memory.replay import Event

__all__ = ["Conversation", "Result", "UndeclaredSlotError"]


class Conversation:
    """One conversation of one user with a bot.

    `domain` is a path, a folder, a dictionary, or a list of them; what is named first wins.
    `actions` are classes or instances of actions, or a package to register as the action server
    does, or a list of all these. `carry_over_slots` overrides the domain's
    `carry_over_slots_to_new_session`. `now` gives the time that events are stamped with and
    sessions expire by, in seconds since 1970. A custom `action_session_start` runs if the domain
    lists it.
    """

    def __init__(  # noqa: PLR0913 - two that it takes, and options
        self,
        domain: DomainSource | Iterable[DomainSource],
        actions: str | Iterable[str | type[Action] | Action],
        *,
        sender_id: str | None = None,
        channel: str = "rest",
        carry_over_slots: bool | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.domain = load_domain(domain)
        if carry_over_slots is not None:
            self.domain["session_config"][CARRY_OVER] = carry_over_slots
        self.sender_id = sender_id or uuid.uuid4().hex
        executor = ActionExecutor()
        for action in [actions] if isinstance(actions, str) else actions:
            if isinstance(action, str):
                _register_package(executor, action)
            else:
                executor.register_action(action)
        self._processor = Processor(self.domain, executor.run, self.sender_id, channel, now)

    @property
    def events(self) -> list[Event]:
        """Every event so far, of all sessions, reverted ones too, as Rasa stores them: a copy."""
        events: list[Event] = wire(self._processor.events)
        return events

    @property
    def tracker(self) -> Tracker:
        """The tracker that an action would be given now: its own copy."""
        return Tracker.from_dict(wire(self._processor.tracker_state()))

    @property
    def slots(self) -> dict[str, Any]:
        """Every declared slot, and `session_started_metadata`, with its value now."""
        slots: dict[str, Any] = self.tracker.slots
        return slots

    @property
    def latest_message(self) -> dict[str, Any]:
        """The latest message that was not reverted: text, intent, entities, metadata."""
        message: dict[str, Any] = self.tracker.latest_message
        return message

    async def user(
        self,
        text: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        intent: str | None = None,
        entities: Sequence[Mapping[str, Any]] = (),
    ) -> Result:
        """Send a message: a session opens if one is due, and the every-turn actions run.

        `/name` is the intent of that name, as in Rasa. Entities, `{"entity": …, "value": …}`, are
        in the message and fill no slot.
        """
        opened = await self._processor.begin_turn(metadata)
        if command := re.fullmatch(r"/([^{@]+)", text):
            intent = intent or command[1].strip()
        guess = {"name": intent, "confidence": 1.0 if intent else 0.0}
        ranking = {"intent_ranking": [guess]} if intent else {}
        said = {
            "event": "user",
            "text": text,
            "parse_data": {"intent": guess, "entities": list(entities), **ranking},
            "input_channel": self._processor.channel,
            "message_id": uuid.uuid4().hex,
            "metadata": metadata,
        }
        self._processor.record([said])
        return opened + await self._processor.every_turn()

    async def run(self, name: str) -> Result:
        """Run one action, as a rule, story or flow would.

        The name of an answer (`utter_…`) says it. Rasa's own `action_restart`, `action_back`,
        `action_default_fallback`, `action_session_start` and `action_listen` do what they do in
        Rasa, unless the domain lists an action of the bot under that name. Any other name that is
        not registered raises rasa_sdk's ActionNotFoundException.
        """
        if self._processor.session_due:
            await self._processor.begin_turn()
        return await self._processor.perform(name)

    async def validate(self, name: str, **filled: object) -> Result:
        """Run a form's validation, `validate_…`, on what was filled in, as an active form does.

            await bot.happens(ActiveLoop("transfer_form"))
            await bot.user("cem reais")
            await bot.validate("validate_transfer_form", amount="cem reais")

        The slots are set as it says, and to what was filled in where it says nothing.
        """
        return await self._processor.validate(name, filled)

    async def set_slot(self, name: str, value: object) -> None:
        """Set a slot behind the actions' back, as a form, an entity or Rasa's API would."""
        await self.happens({"event": "slot", "name": name, "value": value})

    async def happens(self, *events: Mapping[str, Any]) -> None:
        """Note what happens beside the actions, as Rasa's API does: `ActiveLoop("transfer_form")`.

        It opens a session in an empty conversation, and does not mind an expired one.
        """
        if not self._processor.events:
            await self._processor.begin_turn()
        self._processor.record(events)

    async def rewind(self) -> Result:
        """Revert the turn, the slots it set included, as `action_default_fallback` does."""
        said = await self.run("action_default_fallback")
        return said + await self._processor.listen()

    async def restart(self) -> Result:
        """Start over, as `action_restart` does: initial slots, and a session without metadata."""
        return await self.run("action_restart")

    def expire_session(self) -> None:
        """Let `session_expiration_time` pass: the next message or action opens a new session.

        As in Rasa it does not, if the domain's time is 0 or all that the user said was reverted.
        """
        self._processor.session_expired = True


def _register_package(executor: ActionExecutor, package: str) -> None:
    """Register a package as the action server does; raise why, where that would end it."""
    try:
        executor.register_package(package)
    except SystemExit as ended:
        if isinstance(ended.__context__, ImportError):
            raise ended.__context__ from None
        raise
