"""A conversation in memory, for tests of custom actions: no Rasa, no server, no network.

    bot = Conversation(domain="domain.yml", actions=[ActionBalance])
    await bot.user("qual meu saldo", metadata={"contextId": "C1"}, intent="balance")
    result = await bot.run("action_balance")
    assert result.texts == ["R$ 10,00"]
    assert bot.slots["asked"] is True

The test plays the policies: it names the action that runs next. The rest is what Rasa Open Source
3.6.21 does around actions: sessions, metadata, every-turn slot mappings, restart, rewind, answers.
Actions run in rasa_sdk's own executor on the payload that Rasa sends, as JSON both ways, so what
cannot cross the wire fails here too. An exception of an action reaches the test.

Stricter than Rasa: a slot, action, response or intent that is not in the domain raises. Not played:
NLU and its slot mappings (use `set_slot`), forms but for their validation,
`action_validate_slot_mappings`, reminders, follow-up actions (run them).

It follows rasa/core/processor.py; the tests hold recordings of a real Rasa against it. It knows
nothing of PS7 and serves the actions of any bot.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor

from . import rasa_in_memory as rasa
from .rasa_in_memory import LISTEN, SESSION_START, Event, State, applied, replay, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from rasa_sdk import Action

_VERSION = "3.6.21"
_ORIGIN = {"model_id": "0" * 32, "assistant_id": "in-memory"}
_RULE, _FOLLOWUP = "RulePolicy", "followup_action"


class UnknownNameError(AssertionError):
    """The domain knows no such name. The text has one that is alike, if there is one."""


class UndeclaredSlotError(UnknownNameError):
    """Something sets slots that the domain does not declare: in Rasa the values would be lost."""


@dataclass(frozen=True)
class Result:
    """What a bot's actions did in one call of the conversation. Rasa's own leave no events."""

    events: list[Event] = field(default_factory=list)
    """What they returned, as it came over the wire."""
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What they handed to the dispatcher; `response` names an answer of the domain. What ran by
    the name of an answer, or is Rasa's own, has what the user saw, buttons too."""
    texts: list[str] = field(default_factory=list)
    """What the user reads: plain texts, and answers of the domain with their slots filled in."""
    ignored: list[dict[str, Any]] = field(default_factory=list)
    """Events and messages that Rasa drops: an every-turn action can set slots and nothing else."""

    @property
    def slots(self) -> dict[str, Any]:
        """The slots that the events set."""
        return {event["name"]: event["value"] for event in self.events if event["event"] == "slot"}

    def __add__(self, later: Result) -> Result:
        return Result(*(ours + vars(later)[name] for name, ours in vars(self).items()))


class Conversation:
    """One conversation of one user with a bot.

    `domain` is a path, a folder, a dictionary, or a list of them; what is named first wins.
    `actions` is a package to register as the action server does, or a list of such packages, and of
    classes and instances of actions. `carry_over_slots` overrides the domain's
    `carry_over_slots_to_new_session`. `now` gives the time that events are stamped with and
    sessions expire by, in seconds since 1970. A custom `action_session_start` runs if the domain
    lists it.

    Raises:
        UnknownNameError: the domain lacks a slot, action, response or intent; an AssertionError.

    Examples:
        >>> other = Conversation("domain.yml", [ActionPS7Context])
        >>> result = await other.user("oi", metadata={"contextId": "diego"})
        >>> result.slots["segment"]
        'Private'

    """

    def __init__(  # noqa: PLR0913 - two that it takes, and options
        self,
        domain: rasa.DomainSource | Iterable[rasa.DomainSource],
        actions: str | Iterable[str | type[Action] | Action],
        *,
        sender_id: str | None = None,
        channel: str = "rest",
        carry_over_slots: bool | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.domain = rasa.load_domain(domain)
        if carry_over_slots is not None:
            self.domain["session_config"][rasa.CARRY_OVER] = carry_over_slots
        self.sender_id = sender_id or uuid.uuid4().hex
        self._channel, self._now = channel, now
        self._events: list[Event] = []
        self._initial_slots = rasa.initial_slots(self.domain)
        self._visible_from = 0
        self._session_expired = False
        self._executor = ActionExecutor()
        for action in [actions] if isinstance(actions, str) else actions:
            if isinstance(action, str):
                _register_package(self._executor, action)
            else:
                self._executor.register_action(action)

    @property
    def events(self) -> list[Event]:
        """Every event so far, of all sessions, reverted ones too, as Rasa stores them: a copy."""
        return list(_wire(self._events))

    @property
    def tracker(self) -> Tracker:
        """The tracker that an action would be given now: its own copy."""
        return Tracker.from_dict(_wire(self._tracker_state()))

    @property
    def slots(self) -> dict[str, Any]:
        """Every slot with its value now, those that Rasa adds too."""
        return dict(self.tracker.slots)

    @property
    def latest_message(self) -> dict[str, Any]:
        """The latest message that was not reverted: text, intent, entities, metadata."""
        return dict(self.tracker.latest_message)

    async def user(
        self,
        text: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        intent: str | None = None,
        entities: Sequence[Mapping[str, Any]] = (),
    ) -> Result:
        """Send a message: a session opens if one is due, and the every-turn actions run.

        `/name`, without entities behind it, is the intent of that name, as in Rasa. `entities`,
        `{"entity": …, "value": …}`, are in the message and fill no slot.
        """
        opened = await self._begin_turn(metadata)
        if command := re.fullmatch(r"/([^{@]+)", text):
            intent = intent or command[1].strip()
        if intent:
            self._expect("intent", intent, rasa.intents(self.domain))
        guess = {"name": intent, "confidence": 1.0 if intent else 0.0}
        ranking = {"intent_ranking": [guess]} if intent else {}
        said = {"event": "user", "text": text, "metadata": metadata}
        said["parse_data"] = {"intent": guess, "entities": list(entities), **ranking}
        said |= {"input_channel": self._channel, "message_id": uuid.uuid4().hex}
        self._record([said])
        return opened + await self._every_turn()

    async def run(self, name: str) -> Result:
        """Run one action, as a rule, story or flow would.

        The name of an answer (`utter_…`) utters it. Rasa's own `action_restart`, `action_back`,
        `action_default_fallback`, `action_session_start` and `action_listen` do what they do in
        Rasa, unless the domain lists an action of the bot under that name.
        """
        if self._session_due():
            await self._begin_turn()
        return await self._perform(name)

    async def validate(self, name: str, **filled: object) -> Result:
        """Run a form's validation, `validate_…`, on what was filled in, as an active form does.

            await bot.happens(ActiveLoop("transfer_form"))
            await bot.user("cem reais")
            await bot.validate("validate_transfer_form", amount="cem reais")

        The slots are set as it has them, else to what was filled in.
        """
        self._expect("action", name, rasa.actions(self.domain))
        given = [{"event": "slot", "name": slot, "value": value} for slot, value in filled.items()]
        self._check_slots(given)
        state = self._state()
        answer = await self._call(name, given)
        good = [event for event in given if event["name"] not in answer.slots]
        return self._note(answer, state, after=good)

    async def set_slot(self, name: str, value: object) -> None:
        """Set a slot behind the actions' back, as a form, an entity or Rasa's API would."""
        await self.happens({"event": "slot", "name": name, "value": value})

    async def happens(self, *events: Mapping[str, Any]) -> None:
        """Note what happens beside the actions, as Rasa's API does: `ActiveLoop("transfer_form")`.

        It opens a session in an empty conversation, and does not mind an expired one.
        """
        if not self._events:
            await self._begin_turn()
        self._record(events)

    async def rewind(self) -> Result:
        """Revert the turn, the slots it set included, as `action_default_fallback` does."""
        said = await self.run("action_default_fallback")
        return said + await self._listen()

    async def restart(self) -> Result:
        """Start over, as `action_restart` does: initial slots, and a session without metadata."""
        return await self.run("action_restart")

    def expire_session(self) -> None:
        """Let `session_expiration_time` pass: the next message or action opens a new session.

        As in Rasa it does not, if the domain's time is 0 or nothing that was said counts.
        """
        self._session_expired = True

    # What Rasa does around the actions

    def _visible(self) -> list[Event]:
        """Return the events of the latest session: a tracker store hands out no more."""
        return self._events[self._visible_from :]

    def _state(self) -> State:
        return replay(self._visible(), self._initial_slots)

    def _tracker_state(self, pending: Iterable[Event] = ()) -> dict[str, Any]:
        """Return the tracker as Rasa sends it, with `pending` events. It shares their values."""
        events = [*self._visible(), *pending]
        state = replay(events, self._initial_slots)
        channels = [event["input_channel"] for event in events if event["event"] == "user"]
        return {
            **{name: value for name, value in vars(state).items() if name != "initial_slots"},
            "sender_id": self.sender_id,
            "latest_event_time": events[-1]["timestamp"] if events else None,
            "events": events,
            "latest_input_channel": channels[-1] if channels else None,
            "latest_action_name": next(iter(state.latest_action.values()), None),
        }

    def _last(self, *kinds: str) -> Event | None:
        """Return the latest event of these kinds that counts."""
        found = [event for event in applied(self._visible()) if event["event"] in kinds]
        return found[-1] if found else None

    def _session_due(self) -> bool:
        """Whether a session opens now. One in which nothing said still counts never expires."""
        if not self._events:
            return True
        said = self._last("user")
        minutes = self.domain["session_config"].get(rasa.EXPIRATION_TIME, rasa.DEFAULT_MINUTES)
        if minutes == 0 or not said:
            return False
        return self._session_expired or self._now() - said["timestamp"] > minutes * 60

    async def _begin_turn(self, metadata: Mapping[str, Any] | None = None) -> Result:
        """End the turn before, fetch the latest session from the store, open one if it is due."""
        result = await self._listen()
        ran = [(event["event"], event.get("name")) for event in self._events]
        starts = [index for index, step in enumerate(ran) if step == ("action", SESSION_START)]
        self._visible_from = starts[-1] if starts else 0
        if self._session_due():
            if metadata:
                opener = {"event": "slot", "name": rasa.SESSION_METADATA, "value": metadata}
                self._record([opener])
            result += await self._perform(SESSION_START, policy=None)
        self._session_expired = False
        return result

    async def _listen(self) -> Result:
        """End the turn, as the policies do when nothing else is left, unless it has ended."""
        step = self._last("user", "action")
        if not self._events or (step and step.get("name") == LISTEN):
            return Result()
        return await self._perform(LISTEN)

    async def _perform(self, name: str, policy: str | None = _RULE) -> Result:
        """Run an action and note it: the prediction, what it utters, what it returns."""
        state, step = self._state(), self._last("user", "action")
        policy = _FOLLOWUP if state.followup_action == name else policy
        by_rule = policy == _RULE
        predicted: list[Event] = []
        if by_rule and step and step["event"] == "user":
            predicted = [{"event": "user_featurization", "use_text_for_featurization": False}]
        built_in = rasa.built_in(name, self.domain, self._visible())
        if not built_in and name.startswith("utter_"):
            self._expect("response", name, self.domain.get("responses", {}))
        elif not built_in:
            self._expect("action", name, rasa.actions(self.domain))
        answer = Result(*built_in) if built_in else await self._call(name, predicted)
        ran = {"event": "action", "name": name, "policy": policy, "confidence": 1.0}
        kinds = {event["event"] for event in answer.events}
        rejected = "action_execution_rejected" in kinds
        before = [] if rejected else [*predicted, {**ran, "hide_rule_turn": by_rule}]
        begun = len(self._events)
        result = self._note(answer, state, before=before)
        if built_in:
            said = [_seen(event) for event in self._events[begun:] if event["event"] == "bot"]
            result = Result(responses=said, texts=result.texts)
        if "user" in kinds:
            result += await self._every_turn()
        if self._state().followup_action == SESSION_START:  # a restart goes on with it
            result += await self._perform(SESSION_START)
        return result

    async def _every_turn(self) -> Result:
        """Run the actions of the slot mappings, all on the same state; their slots count."""
        state = self._state()
        names = rasa.every_turn_actions(
            self.domain,
            intent=state.latest_message["intent"].get("name"),
            loop=state.active_loop.get("name"),
            requested=state.slots.get("requested_slot"),
        )
        answers = [await self._call(name, []) for name in names]
        events = [event for answer in answers for event in answer.events]
        slots = [event for event in events if event["event"] == "slot"]
        self._record(slots)
        ignored = [event for event in events if event["event"] != "slot"]
        ignored += [response for answer in answers for response in answer.responses]
        return Result(events=slots, ignored=ignored)

    async def _call(self, name: str, predicted: Iterable[Event]) -> Result:
        # A prediction is not in the tracker yet, hence not marked with the model either.
        pending = [stored(event, timestamp=self._now(), origin={}) for event in predicted]
        call = {
            "next_action": name,
            "sender_id": self.sender_id,
            "tracker": self._tracker_state(pending),
            "version": _VERSION,
            "domain": self.domain,
        }
        answer: Any = await self._executor.run(_wire(call))
        # A dictionary from the oldest rasa-sdk that is supported, a model from the newest.
        answer = _wire(answer if isinstance(answer, dict) else vars(answer))
        for each in answer["responses"]:
            if each.get("response"):
                self._expect("response", each["response"], self.domain.get("responses", {}))
        return Result(events=answer["events"], responses=answer["responses"])

    def _note(
        self,
        answer: Result,
        state: State,
        before: Sequence[Event] = (),
        after: Sequence[Event] = (),
    ) -> Result:
        """Record what an action did; return it with its texts, filled from the slots it found."""
        messages = [
            rasa.bot_message(response, self.domain, state.slots, self._channel)
            for response in answer.responses
        ]
        said = [message for message in messages if message]
        self._record([*before, *said, *answer.events, *after])
        said += [event for event in answer.events if event["event"] == "bot"]
        return replace(answer, texts=[message["text"] for message in said if message["text"]])

    def _record(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Note events as they happen. Raises UndeclaredSlotError before any of them is noted."""
        new = [stored(_wire(event), timestamp=self._now(), origin=_ORIGIN) for event in events]
        self._check_slots(new)
        self._events += new

    def _check_slots(self, events: Iterable[Event]) -> None:
        names = {event["name"] for event in events if event["event"] == "slot"}
        if unknown := sorted(names - self._initial_slots.keys()):
            near = _near(unknown[0], self._initial_slots)
            raise UndeclaredSlotError(f"not declared in the domain: {', '.join(unknown)}{near}")

    def _expect(self, what: str, name: str, known: Collection[str]) -> None:
        """Check a name. A domain that has none of a kind is a part of a bot: anything may be."""
        if known and name not in known:
            raise UnknownNameError(f"the domain has no {what} {name}{_near(name, known)}")


def _seen(said: Event) -> dict[str, Any]:
    """Return a bot event in the form in which an action hands a message to the dispatcher."""
    parts = {"response": said["metadata"]["utter_action"], "text": said["text"], **said["data"]}
    return {name: part for name, part in parts.items() if part}


def _near(name: str, known: Iterable[str]) -> str:
    return "".join(f"; did you mean {near}?" for near in get_close_matches(name, known, 1, 0.65))


def _register_package(executor: ActionExecutor, package: str) -> None:
    """Register a package as the action server does; raise why, if that would end it."""
    try:
        executor.register_package(package)
    except SystemExit as ended:
        if isinstance(ended.__context__, ImportError):
            raise ended.__context__ from None
        raise


def _wire(value: object) -> Any:
    """Return what arrives at the other end; TypeError or ValueError for what is not JSON."""
    return json.loads(json.dumps(value, allow_nan=False))
