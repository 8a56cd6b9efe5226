"""The actions, as Rasa runs them: read, decide, ask, tell, write.

`verified_context` and `handover`, for a bot's own actions, do the first two of these steps only.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rasa_sdk import Action
from rasa_sdk.events import ActionExecuted, SessionStarted
from rasa_sdk.utils import configure_colored_logging

from . import clock, runtime, telemetry
from .conversation import decision
from .conversation.decision import correlation_id, forget, look_up, slot_events, verified, verify
from .conversation.history import NONCE, NewSession
from .conversation.state import State
from .customer import (
    CONTEXT_ACTION,
    FORGET_ACTION,
    PERSON_SLOTS,
    SESSION_ACTION,
    SHARED_SLOTS,
    STATUS,
    VERIFY_ACTION,
    project,
)
from .outcomes import Outcome, SettingsError
from .settings import PS7Settings
from .telemetry import RunReport

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict

    from .conversation.history import TrackerLike
    from .conversation.state import Bot, Slots
    from .customer import CustomerContext
    from .runtime import Runtime


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

    def __getstate__(self) -> tuple[dict[str, Any], int, list[str]]:
        """Travel to a worker with all attributes, those of a bot's subclass too.

        The settings are one of them, and a seal key made at start is part of these.
        """
        log_level = logging.getLogger().getEffectiveLevel()
        return vars(self), log_level, runtime.importers()

    def __setstate__(self, state: tuple[dict[str, Any], int, list[str]]) -> None:
        """Arrive in a worker.

        From 3.20 on the SDK starts workers that configure no logging: every line below WARNING
        would be lost there, and the one line of each lookup with them. Such a worker imports where
        its actions are from, and no more: not the bot's `actions/__init__.py`, which may set up
        metrics, if all of its actions are the plugin's.
        """
        attributes, log_level, importers = state
        if not logging.getLogger().handlers:
            configure_colored_logging(log_level)
        vars(self).update(attributes)
        self._settings = runtime.get_or_create(self._settings).settings
        for name in importers:
            import_module(name)

    @property
    def runtime(self) -> Runtime:
        """What the actions of this process share, made from the settings of this one."""
        return runtime.get_or_create(self._settings)

    @abstractmethod
    def decide(self, state: State) -> decision.Decision | decision.Question:
        """Return what a run does, or what PS7 has to be asked first."""

    async def run(
        self,
        dispatcher: CollectingDispatcher,  # noqa: ARG002 - the host's signature
        tracker: Tracker,
        domain: DomainDict,
    ) -> list[dict[str, Any]]:
        """Return one event for each slot that changes, none if all is as it should be."""
        changes, _ = await self._run(tracker, domain, self.runtime)
        return slot_events(changes)

    async def _run(
        self, tracker: TrackerLike, domain: object, shared: Runtime
    ) -> tuple[dict[str, Any], Outcome]:
        """Return the slots to set, and the outcome: `unavailable` if something failed."""
        slots = None
        try:
            slots = shared.bot.slots_of(tracker, domain)
            state = State(tracker, slots, shared.bot, clock.utc_now())
            decided = self.decide(state)
            if isinstance(decided, decision.Question):
                lookup = await shared.client.ask(
                    context_id=decided.context_id,
                    encoded=decided.arrival.encoded,
                    correlation_id=decided.correlation_id,
                    flow_id=decided.arrival.flow_id,
                )
                answer = lookup.report.outcome, lookup.customer
                decided = decision.answered(state, decided, *answer)
            decided.report.tell(self.name(), shared.noted)
        except Exception as error:  # noqa: BLE001 - Rasa would log the whole tracker
            telemetry.log_bug(error)
            RunReport("failed", Outcome.UNAVAILABLE).tell(self.name(), shared.noted)
            return _fail_closed(tracker, slots, shared.bot), Outcome.UNAVAILABLE
        return decided.slots, decided.outcome


class ActionPS7Context(PS7Action):
    """Finds the contextId, looks the context up if it is not held yet, and projects the slots.

    Made to run on every turn. A run never raises: however a lookup fails, `ps7_status` says so.

    Raises:
        SystemExit: the settings are not usable as the action server starts.

    Examples:
        >>> result = await bot.arrives("bruno")
        >>> bot.slots["ps7_status"], bot.slots["segment"]
        ('ok', 'Varejo')

    """

    decide = staticmethod(look_up)

    def name(self) -> str:
        """Return the name that a domain lists."""
        return CONTEXT_ACTION


class ActionPS7Verify(PS7Action):
    """Makes the slots show what PS7 answered, without the network: before a sensitive step.

    Raises:
        SystemExit: as `ActionPS7Context`.

    Examples:
        >>> await bot.set_slot("account", "999")
        >>> result = await bot.run("action_ps7_verify")
        >>> result.slots
        {'account': '00123456'}

    """

    decide = staticmethod(verify)

    def name(self) -> str:
        """Return the name that a domain lists."""
        return VERIFY_ACTION


class ActionPS7Forget(PS7Action):
    """Forgets the customer: after a log-out, or when the conversation is handed over.

    The customer's slots become null, and this conversation does not look these contextIds up again.

    Raises:
        SystemExit: as `ActionPS7Context`.

    Examples:
        >>> result = await bot.run("action_ps7_forget")
        >>> result.slots["ps7_status"], result.slots["account"]
        ('missing', None)

    """

    decide = staticmethod(forget)

    def name(self) -> str:
        """Return the name that a domain lists."""
        return FORGET_ACTION


class PS7SessionStart(ActionPS7Context):
    """Base of a bot's own `action_session_start` that knows the customer before the first turn.

    A subclass is complete with an empty body, once the bot's domain lists `action_session_start`.
    It starts the session as Rasa itself does, slots carried over if the domain says so, and loads
    the context that opened this session. However the lookup ends, the user's first message is
    answered. A bot that greets there overrides `opened`. The base is abstract, so that no bot has
    it by importing this package.

    Raises:
        SystemExit: as `ActionPS7Context`.

    Examples:
        >>> class ActionSessionStart(PS7SessionStart):
        ...     async def opened(self, dispatcher, customer, outcome):
        ...         if customer is not None:
        ...             dispatcher.utter_message(text=f"Olá, {customer.segment}!")

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
        shared, session = self.runtime, NewSession(tracker, domain)
        changes, outcome = await self._run(session, domain, shared)
        to_set = session.to_set(changes)
        session.slots |= changes
        more: list[dict[str, Any]] = []
        try:
            state = _state_of(session, shared.bot, domain)
            _, customer = verified(state)
            events = await self.opened(dispatcher, customer, outcome)
            more = _of_the_bot(events, state.slots.plugin)
        except Exception as error:  # noqa: BLE001 - the bot's own must not cost the first message
            telemetry.log_bug(error, "PS7SessionStart.opened of the bot failed: ")
        return [
            {**SessionStarted(), "metadata": {NONCE: session.mark}},
            *slot_events(to_set),
            *more,
            ActionExecuted("action_listen"),
        ]


def _of_the_bot(
    events: Iterable[dict[str, Any]] | None, ours: Container[object]
) -> list[dict[str, Any]]:
    """Return the events of a bot's `opened` without those that set a slot of the plugin's."""
    kept = []
    for event in events or ():
        if event.get("event") == "slot" and event.get("name") in ours:
            telemetry.warn_of_left_out(event["name"])
        else:
            kept.append(event)
    return kept


# Only the base is: a subclass is content with its name, or has another.
PS7SessionStart.__abstractmethods__ = frozenset({"name"})


def verified_context(tracker: Tracker) -> CustomerContext | None:
    """Return the customer whom PS7 vouched for in this session, for a bot's own action.

    It reads the seal, not the slots, and asks no server. It returns None if `action_ps7_verify`
    would not leave `ok`: no valid seal, its time is over, or another contextId has come since.

    Raises:
        SettingsError: the PS7_* settings are not usable (an action server would not have started).

    Examples:
        >>> customer = verified_context(tracker)
        >>> customer.account if customer else "nobody"
        '00123456'

    """
    _, customer = verified(_state_of(tracker, runtime.current().bot))
    return customer


def handover(
    tracker: TrackerLike, *, reason: str | None = None, include: Iterable[str] = ()
) -> dict[str, Any]:
    """Return what an agent's desktop may know of this conversation, for a bot's own action.

    It reads the seal, as `verified_context` does, and changes nothing. If no customer is known,
    every field of the customer is None. `ps7_status` is what `action_ps7_verify` would leave.
    `reason` is the bot's: why it gave up. `include` names what is handed over unmasked, such as
    `("agency", "account")`. Run it before `action_ps7_forget`.

    Raises:
        ValueError: `include` names something else than the slots that it may.
        SettingsError: as `verified_context`.

    Examples:
        >>> told = handover(tracker, reason="no answer", include=("agency",))
        >>> told["reason"], told["ps7_status"], told["segment"], told["agency"]
        ('no answer', 'ok', 'Personnalité', '0341')

    """
    named = tuple(include)
    if not set(named) <= set(PERSON_SLOTS):  # a mistake may be a value: it is not shown
        raise ValueError(f"include takes these names, in a tuple: {', '.join(PERSON_SLOTS)}")
    state = _state_of(tracker, runtime.current().bot)
    outcome, customer = verified(state)
    return {
        "reason": reason,
        STATUS: outcome.value,
        "correlation_id": correlation_id(state, state.arrival()),
        **project({name: name for name in (*SHARED_SLOTS, *named)}, customer),
    }


def _state_of(tracker: TrackerLike, bot: Bot, domain: object = None) -> State:
    """Return what is there now in a conversation; the domain is that of a call."""
    return State(tracker, bot.slots_of(tracker, domain), bot, clock.utc_now())


def _fail_closed(tracker: TrackerLike, slots: Slots | None, bot: Bot) -> dict[str, Any]:
    """Return the status `unavailable`, with nothing of a customer left, as far as it is known."""
    values, status = tracker.slots if isinstance(tracker.slots, dict) else {}, bot.names.status
    names = (status,) if slots is None else (*slots.plugin, *bot.settings.clear_slots)
    nulls = dict.fromkeys(name for name in names if name in values)
    return nulls | ({status: Outcome.UNAVAILABLE.value} if status in nulls else {})
