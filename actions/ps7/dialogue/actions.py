"""The actions, as Rasa runs them. Thin: `situation` and `rules` decide what they do."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, cast

from rasa_sdk import Action
from rasa_sdk.events import ActionExecuted, SessionStarted, SlotSet
from rasa_sdk.utils import configure_colored_logging

from .. import clock
from ..outcomes import Outcome, SettingsError
from ..settings import PS7Settings
from ..slots import CONTEXT_ACTION, FORGET_ACTION, SESSION_ACTION, VERIFY_ACTION
from ..telemetry import log_bug
from . import runtime
from .counters import count_turn
from .history import NONCE, NewSession
from .rules import Effect, Run, verified
from .situation import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict

    from ..context import CustomerContext
    from .situation import TrackerLike

logger = logging.getLogger(__name__)


class PS7Action(Action, ABC):
    """What the three have in common: settings at registration, and a `run` that never raises."""

    def __init__(self) -> None:
        """Read the settings; SystemExit if they are not usable, or the plugin is loaded twice.

        The action server stops with it at registration.
        """
        runtime.refuse_second_copy(PS7Action, among=Action.__subclasses__())
        try:
            settings = PS7Settings.load()
        except SettingsError as error:
            raise SystemExit(str(error)) from None
        self._settings = runtime.get_or_create(settings).settings

    def __getstate__(self) -> dict[str, Any]:
        """Travel to a worker with the settings, which include a seal key made at start."""
        return {"settings": self._settings, "log_level": logging.getLogger().getEffectiveLevel()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Arrive in a worker.

        From 3.20 on the SDK starts workers that configure no logging: every line below WARNING
        would be lost there, and the one line of each lookup with them.
        """
        if not logging.getLogger().handlers:
            configure_colored_logging(state["log_level"])
        self._settings = runtime.get_or_create(state["settings"]).settings

    @property
    def runtime(self) -> runtime.Runtime:
        """What the actions of this process share, made from the settings of this one."""
        return runtime.get_or_create(self._settings)

    @abstractmethod
    async def changes(self, run: Run) -> dict[str, Any]:
        """Return the slots to set."""

    async def run(
        self,
        dispatcher: CollectingDispatcher,  # noqa: ARG002 - the host's signature
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[dict[str, Any]]:
        """Return one SlotSet for each slot that changes, none if all is as it should be."""
        changes, _ = await self._changes_and_run(tracker, domain)
        return [SlotSet(name, value) for name, value in changes.items()]

    async def _changes_and_run(
        self, tracker: TrackerLike, domain: object
    ) -> tuple[dict[str, Any], Run | None]:
        shared, run = self.runtime, None
        try:
            run = Run(tracker, shared, clock.utc_now(), domain)
            changes = await self.changes(run)
        except Exception as error:  # noqa: BLE001 - Rasa would log the whole tracker
            log_bug(error)
            count_turn(self.name(), Outcome.UNAVAILABLE)
            if run is not None:
                run.outcome = Outcome.UNAVAILABLE
            return _fail_closed(tracker, shared, run), run
        name, asked = self.name(), run.rule.then is Effect.LOOK_UP
        count_turn(name, run.outcome, looked_up=asked, metadata=run.metadata)
        logger.debug("%s: rule=%s slots=%s", name, run.rule.name, list(changes))
        return changes, run


class ActionPS7Context(PS7Action):
    """Finds the contextId, looks the context up if it is not held yet, and projects the slots.

    Made to run on every turn.
    """

    def name(self) -> str:
        """Return the name that a domain lists."""
        return CONTEXT_ACTION

    async def changes(self, run: Run) -> dict[str, Any]:
        """Decide by `CONTEXT_RULES`, and ask PS7 if the rule is to look up."""
        found = run.context()
        if isinstance(found, dict):
            return found
        lookup = await run.runtime.client.ask(
            found.context_id or "",  # one that is not usable was refused
            encoded=found.encoded,
            correlation_id=run.correlation_id(),
            flow_id=found.flow_id,
        )
        return run.looked_up(lookup.report.outcome, lookup.customer)


class ActionPS7Verify(PS7Action):
    """Makes the slots show what PS7 answered, without the network: before a sensitive step."""

    def name(self) -> str:
        """Return the name that a domain lists."""
        return VERIFY_ACTION

    async def changes(self, run: Run) -> dict[str, Any]:
        """Decide by `VERIFY_RULES`."""
        return run.verify()


class ActionPS7Forget(PS7Action):
    """Forgets the customer: after a log-out, or when the conversation is handed over."""

    def name(self) -> str:
        """Return the name that a domain lists."""
        return FORGET_ACTION

    async def changes(self, run: Run) -> dict[str, Any]:
        """Null everything; this conversation does not look these contextIds up again."""
        return run.forget()


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
    ) -> Iterable[dict[str, Any]] | None:
        """Begin the session, with a greeting for one: called once, after the lookup.

        By default it does nothing. The customer is None if `verified_context` would return None.
        What is uttered is sent before the first message is answered; Rasa still renders it by the
        slots of before, so choose a response by the customer, not by its conditions. Events that it
        returns, such as `SlotSet`s of the bot's own slots, are added after the plugin's; a slot of
        the plugin's among them is left out, with a WARNING. An exception costs a line in the log,
        and the session starts all the same. `PS7_DEADLINE` bounds the lookup only, not this hook.
        """

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[dict[str, Any]]:
        """Start the session: return SessionStarted, the slots, and `action_listen`."""
        session = NewSession(tracker, domain)
        changes, run = await self._changes_and_run(session, domain)
        slots = session.to_set(changes).items()
        session.slots |= changes
        more: list[dict[str, Any]] = []
        try:
            customer = verified_context(cast("Tracker", session))
            outcome = Outcome.UNAVAILABLE if run is None else run.outcome
            more = _of_the_bot(await self.opened(dispatcher, customer, outcome), run)
        except Exception as error:  # noqa: BLE001 - the bot's own must not cost the first message
            log_bug(error)
        return [
            {**SessionStarted(), "metadata": {NONCE: session.mark}},
            *(SlotSet(name, value) for name, value in slots),
            *more,
            ActionExecuted("action_listen"),
        ]


def _of_the_bot(events: Iterable[dict[str, Any]] | None, run: Run | None) -> list[dict[str, Any]]:
    """Return the events of a bot's `opened` without those that set a slot of the plugin's."""
    ours = {} if run is None else run.situation.ours
    kept = []
    for event in events or ():
        if event.get("event") == "slot" and event.get("name") in ours:
            logger.warning(
                "PS7SessionStart.opened returned a value for %s: left out", event["name"]
            )
        else:
            kept.append(event)
    return kept


# Only the base is: a subclass is content with its name, or has another.
PS7SessionStart.__abstractmethods__ = frozenset({"name"})


def verified_context(tracker: Tracker) -> CustomerContext | None:
    """Return the customer whom PS7 vouched for in this conversation, for a bot's own action.

    It reads the seal, not the slots, and asks no server. It returns None if `action_ps7_verify`
    would not leave `ok`: no valid seal, its time is over, or another contextId has come since.

    Raises:
        SettingsError: the PS7_* settings are not usable (an action server would not have started).

    """
    _, customer = verified(Situation(tracker, runtime.current(), clock.utc_now()))
    return customer


def _fail_closed(tracker: TrackerLike, shared: runtime.Runtime, run: Run | None) -> dict[str, Any]:
    """Return the status `unavailable`, with nothing of a customer left, as far as it is known."""
    slots = tracker.slots if isinstance(tracker.slots, dict) else {}
    status = shared.names.status
    ours = (status,) if run is None else (*run.situation.ours, *shared.settings.clear_slots)
    nulls = dict.fromkeys(name for name in ours if name in slots)
    return nulls | ({status: Outcome.UNAVAILABLE.value} if status in nulls else {})
