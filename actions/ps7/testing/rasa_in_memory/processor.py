"""What happens around an action: sessions, the call, the notes in the tracker, every-turn mappings.

Follows rasa/core/processor.py, and rasa/core/actions/action.py for the actions that Rasa brings
along. The policies are left out: who uses this says which action runs. Recordings of a real Rasa
are held against it in the tests.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .answers import bot_message
from .domain import (
    CARRY_OVER,
    DEFAULT_MINUTES,
    EXPIRATION_TIME,
    SESSION_METADATA,
    every_turn_actions,
    initial_slots,
    own_actions,
)
from .replay import LISTEN, SESSION_START, Event, State, applied, replay, stored, tracker_state

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from .domain import Domain

_VERSION = "3.6.21"
_ORIGIN = {"model_id": "0" * 32, "assistant_id": "in-memory"}
_RULE, _FOLLOWUP = "RulePolicy", "followup_action"

# Rasa's own actions: what is said, if the domain has it, and the kinds of the events.
_RASAS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LISTEN: ((), ()),
    "action_restart": (("utter_restart",), ("restart",)),
    "action_default_fallback": (("utter_default",), ("rewind",)),
    "action_back": (("utter_back",), ("rewind", "rewind")),
}


class UndeclaredSlotError(AssertionError):
    """Something sets slots that the domain does not declare: in Rasa the values would be lost."""


@dataclass(frozen=True)
class Result:
    """What a bot's actions did in one call of the conversation. Rasa's own leave only texts."""

    events: list[Event] = field(default_factory=list)
    """What they returned, as it came over the wire."""
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What they handed to the dispatcher. `response` names an answer of the domain."""
    texts: list[str] = field(default_factory=list)
    """What the user reads: plain texts, and answers of the domain with their slots filled in."""
    ignored: list[dict[str, Any]] = field(default_factory=list)
    """Events and messages that Rasa drops: an every-turn action can set slots and nothing else."""

    @property
    def slots(self) -> dict[str, Any]:
        """The slots that the events set."""
        return {event["name"]: event["value"] for event in self.events if event["event"] == "slot"}

    def __add__(self, later: Result) -> Result:
        return Result(
            self.events + later.events,
            self.responses + later.responses,
            self.texts + later.texts,
            self.ignored + later.ignored,
        )


@dataclass
class Processor:
    """One conversation: its events, and what Rasa does when something happens in it."""

    domain: Domain
    run: Callable[[Any], Awaitable[Any]]
    """Runs a call of Rasa's: rasa_sdk's ActionExecutor.run."""
    sender_id: str
    channel: str
    now: Callable[[], float]
    events: list[Event] = field(default_factory=list)
    session_expired: bool = False
    _visible_from: int = 0

    @cached_property
    def _initial_slots(self) -> dict[str, Any]:
        return initial_slots(self.domain)

    @property
    def _visible(self) -> list[Event]:
        """The events of the latest session: a tracker store hands out no more."""
        return self.events[self._visible_from :]

    @property
    def _state(self) -> State:
        return replay(self._visible, self._initial_slots)

    @property
    def _last_step(self) -> Event | None:
        steps = [event for event in applied(self._visible) if event["event"] in {"user", "action"}]
        return steps[-1] if steps else None

    @property
    def session_due(self) -> bool:
        """Whether a session opens now. One in which nothing said still counts never expires."""
        if not self.events:
            return True
        said = [event for event in applied(self._visible) if event["event"] == "user"]
        minutes = self.domain["session_config"].get(EXPIRATION_TIME, DEFAULT_MINUTES)
        if minutes == 0 or not said:
            return False
        return self.session_expired or self.now() - said[-1]["timestamp"] > minutes * 60

    def tracker_state(self, pending: Iterable[Event] = ()) -> dict[str, Any]:
        """Return the tracker as Rasa sends it, with `pending` events. It shares their values."""
        events = [*self._visible, *pending]
        return tracker_state(self.sender_id, events, replay(events, self._initial_slots))

    def record(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Note events as they happen. Raises UndeclaredSlotError before any of them is noted."""
        new = [stored(wire(event), timestamp=self.now(), origin=_ORIGIN) for event in events]
        self._check_slots(new)
        self.events += new

    def _check_slots(self, events: Iterable[Event]) -> None:
        names = {event["name"] for event in events if event["event"] == "slot"}
        if unknown := names - self._initial_slots.keys():
            raise UndeclaredSlotError(f"not declared in the domain: {', '.join(sorted(unknown))}")

    async def begin_turn(self, metadata: Mapping[str, Any] | None = None) -> Result:
        """End the turn before, fetch the latest session from the store, open one if it is due."""
        result = await self.listen()
        starts = [index for index, event in enumerate(self.events) if _runs(event, SESSION_START)]
        self._visible_from = starts[-1] if starts else 0
        if self.session_due:
            if metadata:
                self.record([{"event": "slot", "name": SESSION_METADATA, "value": metadata}])
            result += await self.perform(SESSION_START, policy=None)
        self.session_expired = False
        return result

    async def listen(self) -> Result:
        """End the turn, as the policies do when nothing else is left, unless it has ended."""
        step = self._last_step
        if not self.events or (step and _runs(step, LISTEN)):
            return Result()
        return await self.perform(LISTEN)

    async def perform(self, name: str, policy: str | None = _RULE) -> Result:
        """Run an action and note it: the prediction, what it says, what it returns."""
        state, step = self._state, self._last_step
        policy = _FOLLOWUP if state.followup_action == name else policy
        predicted: list[Event] = []
        if policy == _RULE and step and step["event"] == "user":
            predicted = [{"event": "user_featurization", "use_text_for_featurization": False}]
        rasas = run_built_in(name, self.domain, self._visible)
        answer = rasas or await self._call(name, predicted)
        ran = {
            "event": "action",
            "name": name,
            "policy": policy,
            "confidence": 1.0,
            "hide_rule_turn": policy == _RULE,
        }
        kinds = {event["event"] for event in answer.events}
        steps = [] if "action_execution_rejected" in kinds else [*predicted, ran]
        result = self._note(answer, state, before=steps)
        if rasas:
            result = Result(texts=result.texts)
        if "user" in kinds:
            result += await self.every_turn()
        if self._state.followup_action == SESSION_START:  # where a restart goes on
            result += await self.perform(SESSION_START)
        return result

    async def validate(self, name: str, candidates: Mapping[str, Any]) -> Result:
        """Run a form's validation; a value of which it says nothing is good, as in Rasa."""
        filled = [{"event": "slot", "name": slot, "value": candidates[slot]} for slot in candidates]
        self._check_slots(filled)
        state = self._state
        answer = await self._call(name, filled)
        good = [event for event in filled if event["name"] not in answer.slots]
        return self._note(answer, state, after=good)

    async def every_turn(self) -> Result:
        """Run the actions of the slot mappings, all on the same state; their slots count."""
        state = self._state
        names = every_turn_actions(
            self.domain,
            intent=state.latest_message["intent"].get("name"),
            loop=state.active_loop.get("name"),
            requested=state.slots.get("requested_slot"),
        )
        answers = [await self._call(name, []) for name in names]
        events = [event for answer in answers for event in answer.events]
        slots = [event for event in events if event["event"] == "slot"]
        self.record(slots)
        ignored = [event for event in events if event["event"] != "slot"]
        ignored += [response for answer in answers for response in answer.responses]
        return Result(events=slots, ignored=ignored)

    def _note(
        self,
        answer: Result,
        state: State,
        before: Sequence[Event] = (),
        after: Sequence[Event] = (),
    ) -> Result:
        """Record what an action did; return it with its texts, filled from the slots it found."""
        messages = [
            bot_message(response, self.domain, state.slots, self.channel)
            for response in answer.responses
        ]
        said = [message for message in messages if message]
        self.record([*before, *said, *answer.events, *after])
        said += [event for event in answer.events if event["event"] == "bot"]
        return replace(answer, texts=[message["text"] for message in said if message["text"]])

    async def _call(self, name: str, predicted: Iterable[Event]) -> Result:
        # A prediction is not in the tracker yet, hence not marked with the model either.
        pending = [stored(event, timestamp=self.now(), origin={}) for event in predicted]
        call = {
            "next_action": name,
            "sender_id": self.sender_id,
            "tracker": self.tracker_state(pending),
            "version": _VERSION,
            "domain": self.domain,
        }
        answer = await self.run(wire(call))
        # A dictionary from the oldest rasa-sdk that is supported, a model from the newest.
        answer = wire(answer if isinstance(answer, dict) else vars(answer))
        return Result(events=answer["events"], responses=answer["responses"])


def run_built_in(name: str, domain: Domain, visible: Iterable[Event]) -> Result | None:
    """Return what an action of Rasa's own does; None if it is the bot's to answer.

    `visible` are the events of the latest session. A domain that lists one of these names has an
    action of its own instead.
    """
    if name in own_actions(domain):
        return None
    if name in domain.get("responses", {}):
        return Result(responses=[{"response": name}])
    if name == SESSION_START:
        carried = [event for event in applied(visible) if event["event"] == "slot"]
        carry_over = domain["session_config"].get(CARRY_OVER, True)
        listen = {"event": "action", "name": LISTEN}
        return Result([{"event": "session_started"}, *(carried if carry_over else []), listen])
    if name not in _RASAS:
        return None
    answers, kinds = _RASAS[name]
    return Result([{"event": kind} for kind in kinds], [{"response": each} for each in answers])


def _runs(event: Event, action: str) -> bool:
    return bool(event["event"] == "action" and event["name"] == action)


def wire(value: object) -> Any:  # noqa: ANN401 - whatever JSON makes of it
    """Return what arrives at the other end; TypeError or ValueError for what JSON cannot hold."""
    return json.loads(json.dumps(value, allow_nan=False))
