"""What is judged: the actions, with the time and PS7 played. A replica is a set of settings."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, cast

import pytest
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from rasa_sdk.types import DomainDict, TrackerState

from actions.ps7 import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    PS7SessionStart,
    clock,
    verified_context,
)
from actions.ps7.lookup.client import PROBE
from actions.ps7.lookup.http import Http
from actions.ps7.lookup.wire import Answer, Request


class ActionSessionStart(PS7SessionStart):
    """A bot's own session start, complete as it stands."""


class ActionWho(Action):
    """A bot's own action that reads the customer from the seal."""

    def name(self) -> str:
        return "action_who"

    async def run(
        self, _dispatcher: CollectingDispatcher, tracker: Tracker, _domain: DomainDict
    ) -> list[dict[str, Any]]:
        customer = verified_context(tracker)
        return [SlotSet("who", customer.cpf if customer else None)]


ACTIONS = (ActionPS7Context, ActionPS7Verify, ActionPS7Forget, ActionSessionStart, ActionWho)


class Subject(logging.Handler):
    """The actions, for any settings. It keeps what the plugin says is broken: no run raises."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.now = 1_795_000_000.0
        self.ps7: Mapping[str, tuple[int, object]] = {}
        """The status and the body that PS7 answers to each contextId."""
        self.asked: list[str] = []
        self.errors: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._registered: dict[str, dict[str, Any]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.errors.append(record.getMessage())

    def close(self) -> None:
        """End what it runs in."""
        self._loop.close()
        super().close()

    def run(
        self,
        settings: Mapping[str, str],
        action: str,
        tracker: dict[str, Any],
        domain: Any,  # noqa: ANN401 - JSON
    ) -> list[dict[str, Any]]:
        """Return the events of one call; what PS7 was asked about is kept until the next."""
        self.asked, self.errors = [], []
        # Without the executor's checks of the JSON: they take most time.
        called = self._actions(settings)[action](
            CollectingDispatcher(), Tracker.from_dict(cast("TrackerState", tracker)), domain
        )
        events: list[dict[str, Any]] = self._loop.run_until_complete(called)
        return events

    def _actions(self, settings: Mapping[str, str]) -> dict[str, Any]:
        """Return the actions by their names, registered with these settings."""
        known = json.dumps(settings)
        if known not in self._registered:
            with pytest.MonkeyPatch.context() as environment:
                for name in [name for name in os.environ if name.startswith("PS7_")]:
                    environment.delenv(name)
                for name, value in settings.items():
                    environment.setenv(name, value)
                executor = ActionExecutor()
                for action in ACTIONS:
                    executor.register_action(action)
            self._registered[known] = executor.actions
        return self._registered[known]

    async def send(self, request: Request) -> Answer:
        """Answer as PS7, in the place of the transport."""
        body = json.loads(request.body)
        if body["contextId"].startswith(PROBE):
            return Answer(500, {}, b"")  # no contextId of a walk: the circuit stays closed
        encoded = "/0" if str(body.get("encoded", "")) == "0" else ""
        self.asked.append(f"{body['contextId']}{encoded}")
        status, answer = self.ps7[self.asked[-1]]
        return Answer(status, {"content-type": "application/json"}, json.dumps(answer).encode())


@contextmanager
def playing(subject: Subject | None = None) -> Iterator[Subject]:
    """Let the plugin of this process be the subject, and nothing that it says be seen."""
    subject, logger = subject or Subject(), logging.getLogger("actions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "utc_now", lambda: datetime.fromtimestamp(subject.now, timezone.utc))
        patch.setattr(Http, "send", lambda _, request, **_options: subject.send(request))
        patch.setattr(logger, "propagate", False)
        logger.addHandler(subject)
        yield subject
    logger.removeHandler(subject)
    subject.close()
