"""What happens around an action: sessions, the call, the notes in the tracker, every-turn mappings.

Follows rasa/core/processor.py; Rasa's own actions stand in `built_in`. The policies are left out:
who uses this says which action runs. Recordings of a real Rasa are held against it in the tests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from . import built_in
from .answers import bot_message
from .domain import (
    DEFAULT_MINUTES,
    EXPIRATION_TIME,
    SESSION_METADATA,
    every_turn_actions,
    initial_slots,
)
from .events import LISTEN, SESSION_START, Event, stored
from .replay import State, applied, replay, tracker_state
from .result import Result, UndeclaredSlotError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .domain import Domain

_VERSION = "3.6.21"
_ORIGIN = {"model_id": "0" * 32, "assistant_id": "in-memory"}
_RULE, _FOLLOWUP = "RulePolicy", "followup_action"


class Executor(Protocol):
    """Whatever runs an action call: rasa_sdk's ActionExecutor."""

    async def run(self, action_call: Any) -> Any:  # noqa: ANN401 - each rasa-sdk has its own types
        """Return an object or a dictionary with `events` and `responses`."""


class Processor:
    """One conversation: its events, and what Rasa does when something happens in it."""

    def __init__(
        self,
        domain: Domain,
        executor: Executor,
        sender_id: str,
        channel: str,
        now: Callable[[], float],
    ) -> None:
        self.events: list[Event] = []
        self.session_expired = False
        self.sender_id = sender_id
        self.channel = channel
        self._domain = domain
        self._executor = executor
        self._now = now
        self._initial_slots = initial_slots(domain)
        self._visible_from = 0

    @property
    def visible(self) -> list[Event]:
        """The events of the latest session: a tracker store hands out no more."""
        return self.events[self._visible_from :]

    @property
    def session_due(self) -> bool:
        """Whether a session opens now. One in which nothing said still counts never expires."""
        if not self.events:
            return True
        said = [event for event in applied(self.visible) if event["event"] == "user"]
        minutes = self._domain["session_config"].get(EXPIRATION_TIME, DEFAULT_MINUTES)
        if minutes == 0 or not said:
            return False
        return self.session_expired or self._now() - said[-1]["timestamp"] > minutes * 60

    def tracker_state(self, pending: Iterable[Event] = ()) -> dict[str, Any]:
        """Return the tracker as Rasa sends it, with `pending` events. It shares their values."""
        events = [*self.visible, *pending]
        return tracker_state(self.sender_id, events, replay(events, self._initial_slots))

    def record(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Note events as they happen. Raises UndeclaredSlotError before any of them is noted."""
        new = [stored(wire(event), timestamp=self._now(), origin=_ORIGIN) for event in events]
        self.check_slots(new)
        self.events += new

    def check_slots(self, events: Iterable[Event]) -> None:
        """Raise UndeclaredSlotError if an event sets a slot that is not the domain's."""
        names = {event["name"] for event in events if event["event"] == "slot"}
        if unknown := names - self._initial_slots.keys():
            raise UndeclaredSlotError(f"not declared in the domain: {', '.join(sorted(unknown))}")

    async def begin_turn(self, metadata: Mapping[str, Any] | None) -> Result:
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
        step = self._last_step()
        if not self.events or (step and _runs(step, LISTEN)):
            return Result()
        return await self.perform(LISTEN)

    async def perform(self, name: str, policy: str | None = _RULE) -> Result:
        """Run an action and note it: the prediction, what it says, what it returns."""
        state = self._state()
        step = self._last_step()
        policy = _FOLLOWUP if state.followup_action == name else policy
        predicted: list[Event] = []
        if policy == _RULE and step and step["event"] == "user":
            predicted = [{"event": "user_featurization", "use_text_for_featurization": False}]
        own = built_in.run(name, self._domain, self.visible)
        answer = own or await self._call(name, predicted)
        ran = {
            "event": "action",
            "name": name,
            "policy": policy,
            "confidence": 1.0,
            "hide_rule_turn": policy == _RULE,
        }
        kinds = {event["event"] for event in answer.events}
        steps = [] if "action_execution_rejected" in kinds else [*predicted, ran]
        said = self._messages(answer, state)
        self.record([*steps, *said, *answer.events])

        said += [event for event in answer.events if event["event"] == "bot"]
        texts = [message["text"] for message in said if message["text"]]
        result = Result(texts=texts) if own else Result(answer.events, answer.responses, texts)
        if "user" in kinds:
            result += await self.every_turn()
        if self._state().followup_action == SESSION_START:  # where a restart goes on
            result += await self.perform(SESSION_START)
        return result

    async def validate(self, name: str, candidates: Mapping[str, Any]) -> Result:
        """Run a form's validation; a value of which it says nothing is good, as in Rasa."""
        filled = [{"event": "slot", "name": slot, "value": candidates[slot]} for slot in candidates]
        self.check_slots(filled)
        state = self._state()
        answer = await self._call(name, filled)
        good = [event for event in filled if event["name"] not in answer.slots]
        said = self._messages(answer, state)
        self.record([*said, *answer.events, *good])
        texts = [message["text"] for message in said if message["text"]]
        return Result(answer.events, answer.responses, texts)

    async def every_turn(self) -> Result:
        """Run the actions of the slot mappings, all on the same state; their slots count."""
        state = self._state()
        names = every_turn_actions(
            self._domain,
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

    def _state(self) -> State:
        return replay(self.visible, self._initial_slots)

    def _last_step(self) -> Event | None:
        steps = [event for event in applied(self.visible) if event["event"] in {"user", "action"}]
        return steps[-1] if steps else None

    def _messages(self, answer: Result, state: State) -> list[dict[str, Any]]:
        """Return the bot events. Answers are filled from the slots as the action found them."""
        messages = [
            bot_message(response, self._domain, state.slots, self.channel)
            for response in answer.responses
        ]
        return [message for message in messages if message]

    async def _call(self, name: str, predicted: Iterable[Event]) -> Result:
        # A prediction is not in the tracker yet, hence not marked with the model either.
        pending = [stored(event, timestamp=self._now(), origin={}) for event in predicted]
        call = {
            "next_action": name,
            "sender_id": self.sender_id,
            "tracker": self.tracker_state(pending),
            "version": _VERSION,
            "domain": self._domain,
        }
        answer = await self._executor.run(wire(call))
        # A dictionary from the oldest rasa-sdk that is supported, a model from the newest.
        answer = wire(answer if isinstance(answer, dict) else vars(answer))
        return Result(events=answer["events"], responses=answer["responses"])


def _runs(event: Event, action: str) -> bool:
    return bool(event["event"] == "action" and event["name"] == action)


def wire(value: object) -> Any:  # noqa: ANN401 - whatever JSON makes of it
    """Return what arrives at the other end; TypeError or ValueError for what JSON cannot hold."""
    return json.loads(json.dumps(value, allow_nan=False))
