"""What is judged: the plugin of some tree, called with the webhook's JSON.

It runs in the process of the tests, or as a program of its own (a call a line, a reply a line) with
another tree on PYTHONPATH. So it imports what every release has: public names, the clock, and the
transport's edge, where PS7 is played. A replica is a set of settings; its time comes with a call.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

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
from actions.ps7.api.transport import Transport
from actions.ps7.api.wire import Answer, Request


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


class Errors(logging.Handler):
    """Keeps what the plugin says is broken: `run` itself never raises."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Subject:
    """The actions of one tree, for any settings, with PS7 and the time at hand."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._registered: dict[str, dict[str, Any]] = {}
        self._message: dict[str, Any] = {}
        self._asked: list[str] = []
        self._errors = Errors()
        self._kept = (clock.utc_now, Transport.send)
        self._logger = logging.getLogger("actions")
        self._logger.propagate = False
        self._logger.addHandler(self._errors)

        async def send(_: Transport, request: Request) -> Answer:
            return self._answer(request)

        self._replace(lambda: datetime.fromtimestamp(self._message["now"], timezone.utc), send)

    def close(self) -> None:
        """Put everything back that was replaced."""
        self._replace(*self._kept)
        self._logger.removeHandler(self._errors)
        self._logger.propagate = True
        self._loop.close()

    def __call__(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return the events of one call, the contextIds that PS7 was asked about, or an error."""
        self._message, self._asked, self._errors.lines = message, [], []
        try:
            action = self._actions(message["settings"])[message["action"]]
            # Without the executor's checks of the JSON: they take most time.
            tracker = Tracker.from_dict(cast("TrackerState", message["tracker"]))
            called = action(CollectingDispatcher(), tracker, message["domain"])
            events = self._loop.run_until_complete(called)
        except (SystemExit, Exception) as error:  # noqa: BLE001 - the finding
            return {"error": f"{type(error).__name__}: {error}"}
        if self._errors.lines:
            return {"error": "; ".join(self._errors.lines)}
        return {"events": events, "asked": self._asked}

    def _actions(self, settings: dict[str, str]) -> dict[str, Any]:
        """Return the actions by their names, registered with these settings."""
        known = json.dumps(settings)
        if known not in self._registered:
            kept = dict(os.environ)
            for name in [name for name in os.environ if name.startswith("PS7_")]:
                del os.environ[name]
            os.environ.update(settings)
            try:
                executor = ActionExecutor()
                for action in ACTIONS:
                    executor.register_action(action)
            finally:
                os.environ.clear()
                os.environ.update(kept)
            self._registered[known] = executor.actions
        return self._registered[known]

    def _answer(self, request: Request) -> Answer:
        body = json.loads(request.body)
        encoded = "/0" if str(body.get("encoded", "")) == "0" else ""
        self._asked.append(f"{body['contextId']}{encoded}")
        status, answer = self._message["ps7"][self._asked[-1]]
        return Answer(status, {"content-type": "application/json"}, json.dumps(answer).encode())

    @staticmethod
    def _replace(utc_now: Any, send: Any) -> None:  # noqa: ANN401 - functions of any tree
        clock.utc_now = utc_now
        cast("Any", Transport).send = send


if __name__ == "__main__":
    subject = Subject()
    sys.stdout.write(f"{Path(sys.modules['actions.ps7'].__file__ or '').resolve()}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(subject(json.loads(line))) + "\n")
        sys.stdout.flush()
