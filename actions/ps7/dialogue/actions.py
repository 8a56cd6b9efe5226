"""The actions, as Rasa runs them. Thin: what they do stands in `turn` and `history`."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from rasa_sdk import Action
from rasa_sdk.events import ActionExecuted, SessionStarted, SlotSet
from rasa_sdk.utils import configure_colored_logging

from .. import clock
from ..api import telemetry
from ..context import Outcome
from ..errors import LookupFailed, SettingsError
from ..settings import PS7Settings
from ..slots import STATUS
from . import runtime
from .history import NONCE, SESSION_ACTION, NewSession
from .situation import Situation
from .turn import Turn

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict

    from ..context import CustomerContext
    from .situation import TrackerLike

logger = logging.getLogger(__name__)


class PS7Action(Action, ABC):
    """What the three have in common: settings at registration, and a `run` that never raises."""

    def __init__(self) -> None:
        """Read the settings; SystemExit where they are not usable, or the plugin is loaded twice.

        The action server stops with it at registration.
        """
        runtime.refuse_second_copy(PS7Action, among=Action.__subclasses__())
        try:
            settings = PS7Settings.load()
        except SettingsError as error:
            raise SystemExit(str(error)) from None
        self._settings = runtime.get_or_create(settings).settings

    def __getstate__(self) -> dict[str, Any]:
        """Travel to a worker with the settings, which hold a seal key made at start."""
        return {"settings": self._settings, "log_level": logging.getLogger().getEffectiveLevel()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in a worker.

        From 3.20 on the SDK starts workers that configure no logging: every line below WARNING
        would be lost there, and the one line of each lookup with them.
        """
        self._settings = runtime.get_or_create(state["settings"]).settings
        if not logging.getLogger().handlers:
            configure_colored_logging(state["log_level"])

    @property
    def runtime(self) -> runtime.Runtime:
        """What the actions of this process share, made from the settings of this one."""
        return runtime.get_or_create(self._settings)

    @abstractmethod
    async def changes(self, turn: Turn) -> dict[str, Any]:
        """Return the slots to set."""

    async def run(
        self,
        dispatcher: CollectingDispatcher,  # noqa: ARG002 - the host's signature
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[dict[str, Any]]:
        """Set the slots that change; `[]` when none does. Never raises and never utters."""
        changes = await self._changes_or_nothing(tracker, domain)
        return [SlotSet(name, value) for name, value in changes.items()]

    async def _changes_or_nothing(self, tracker: TrackerLike, domain: object) -> dict[str, Any]:
        """Return the slots to set; where something of ours is broken, nothing of a customer."""
        shared = self.runtime
        try:
            turn = Turn(tracker, shared, clock.utc_now(), domain)
            changes = await self.changes(turn)
        except Exception as error:  # noqa: BLE001 - Rasa would log the whole tracker
            telemetry.log_bug(error)
            telemetry.count_turn(self.name(), Outcome.UNAVAILABLE)
            return _fail_closed(tracker, shared, domain)
        asked = turn.rule == "look-up"
        telemetry.count_turn(self.name(), turn.outcome, looked_up=asked, metadata=turn.metadata)
        logger.debug("%s: rule=%s slots=%s", self.name(), turn.rule, list(changes))
        return changes


class ActionPS7Context(PS7Action):
    """Finds the contextId, looks the context up if it is not held yet, and projects the slots.

    Made to run on every turn.
    """

    def name(self) -> str:
        """Return the name that a domain lists."""
        return "action_ps7_context"

    async def changes(self, turn: Turn) -> dict[str, Any]:
        """Decide by the table of `Turn.context`, and ask PS7 where that says so."""
        found = turn.context()
        if isinstance(found, dict):
            return found
        try:
            customer = await self.runtime.client.lookup(
                cast("str", found.context_id),  # one that is not usable was refused
                encoded=found.encoded,
                correlation_id=turn.correlation_id(found),
                flow_id=found.flow_id,
            )
        except LookupFailed as failure:
            return turn.looked_up(found, failure.outcome)
        return turn.looked_up(found, Outcome.OK, customer)


class ActionPS7Verify(PS7Action):
    """Makes the slots say what PS7 said, without the network: for right before a sensitive step."""

    def name(self) -> str:
        """Return the name that a domain lists."""
        return "action_ps7_verify"

    async def changes(self, turn: Turn) -> dict[str, Any]:
        """Decide by the table of `Turn.verify`."""
        return turn.verify()


class ActionPS7Forget(PS7Action):
    """Forgets the customer: after a log out, or when the conversation is handed over."""

    def name(self) -> str:
        """Return the name that a domain lists."""
        return "action_ps7_forget"

    async def changes(self, turn: Turn) -> dict[str, Any]:
        """Null everything; this contextId is not looked up again in this conversation."""
        return turn.forget()


class PS7SessionStart(ActionPS7Context):
    """Base of a bot's own `action_session_start` that knows the customer before the first turn.

    A subclass is complete with an empty body, once the bot's domain lists `action_session_start`:

        class ActionSessionStart(PS7SessionStart):
            pass

    It starts the session as Rasa itself does, slots carried over if the domain says so, and loads
    the context that opened this session. However the lookup ends, the user's first message is
    answered. A bot that greets there overrides `opened`. The base is abstract, so that no bot has
    it by importing this package.
    """

    def name(self) -> str:
        """Return the name that Rasa calls."""
        return SESSION_ACTION

    async def opened(
        self, dispatcher: CollectingDispatcher, customer: CustomerContext | None, outcome: Outcome
    ) -> None:
        """Begin the session, by a greeting for one: called once, after the look-up.

        By default it does nothing. The customer is None where `verified_context` would be. What is
        uttered is sent before the first message is answered; Rasa still renders it by the slots of
        before, so choose a response by the customer, not by its conditions. It sets no slots. An
        exception costs a line in the log, and the session starts all the same. The time it takes is
        the bot's: `PS7_DEADLINE` bounds the look-up alone.
        """

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Start the session: return SessionStarted, the slots, and `action_listen`."""
        session = NewSession(tracker, domain)
        changes = await self._changes_or_nothing(session, domain)
        slots = session.to_set(changes).items()
        session.slots |= changes
        try:
            customer = verified_context(cast("Tracker", session))
            outcome = session.slots.get(self.runtime.names.of(STATUS), Outcome.MISSING)
            await self.opened(dispatcher, customer, Outcome(outcome))
        except Exception as error:  # noqa: BLE001 - the bot's own must not cost the first message
            telemetry.log_bug(error)
        return [
            {**SessionStarted(), "metadata": {NONCE: session.mark}},
            *(SlotSet(name, value) for name, value in slots),
            ActionExecuted("action_listen"),
        ]


# Only the base is: a subclass is content with its name, or has another.
PS7SessionStart.__abstractmethods__ = frozenset({"name"})


def verified_context(tracker: Tracker) -> CustomerContext | None:
    """Return the customer whom PS7 vouched for in this conversation, for a bot's own action.

    It reads the seal, not the slots, and asks no server. None where no seal of ours for this
    conversation holds, where its time is over, and where another contextId has come since.

    Raises:
        SettingsError: the PS7_* settings are not usable (an action server would not have started).

    """
    verified = Situation(tracker, runtime.current(), clock.utc_now()).verified
    return None if verified is None else verified.customer


def _fail_closed(tracker: TrackerLike, shared: runtime.Runtime, domain: object) -> dict[str, Any]:
    """Return the status `unavailable`, with nothing of a customer left."""
    slots = tracker.slots if isinstance(tracker.slots, dict) else {}
    status, ours = shared.names.of(STATUS), shared.ours_among(slots, domain)
    nulls = dict.fromkeys(name for name in (*ours, *shared.settings.clear_slots) if name in slots)
    return nulls | ({status: Outcome.UNAVAILABLE.value} if status in ours else {})
