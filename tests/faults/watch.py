"""Watches a turn: all that is logged at DEBUG, raised, spanned, measured, and left open."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
import traceback
import warnings
from typing import Any

import pytest

from actions.ps7 import CustomerContext, LookupFailed, PS7Client
from actions.ps7.dialogue import runtime
from tests.support.observed import Spans, measured


class Watch:
    """Listens in on everything from now on, until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._monkeypatch = monkeypatch
        self._spans = Spans()
        self.failures: list[LookupFailed] = []
        self.seconds: list[float] = []
        """How long each lookup took."""
        caplog.set_level(logging.DEBUG)
        monkeypatch.setattr(runtime, "host_tracer", lambda: self._spans.tracer)
        self._reader = measured(monkeypatch)
        self._watch_lookups()
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 10.0  # a busy machine is no fault

    def forget(self) -> None:
        """Forget what happened so far."""
        self._caplog.clear()
        self._spans.clear()
        self.failures.clear()
        self.seconds.clear()
        self._reader = measured(self._monkeypatch)

    def _watch_lookups(self) -> None:
        original = PS7Client.lookup

        async def lookup(client: PS7Client, *args: Any, **options: Any) -> CustomerContext:  # noqa: ANN401
            started = time.monotonic()
            try:
                return await original(client, *args, **options)
            except LookupFailed as failure:
                self.failures.append(failure)
                raise
            finally:
                self.seconds.append(time.monotonic() - started)

        self._monkeypatch.setattr(PS7Client, "lookup", lookup)

    @property
    def lines(self) -> list[str]:
        """The INFO lines of this package."""
        return [
            record.getMessage()
            for record in self._caplog.records
            if record.levelno == logging.INFO and record.name.startswith("actions.")
        ]

    @property
    def warnings(self) -> list[str]:
        """What was logged above INFO."""
        return [
            record.getMessage() for record in self._caplog.records if record.levelno > logging.INFO
        ]

    @property
    def spans(self) -> list[str]:
        """The names of the spans that ended, in that order."""
        return self._spans.names

    @property
    def span_events(self) -> list[str]:
        """What happened within spans, such as an exception with its text and traceback."""
        return [event.name for span in self._spans.ended for event in span.events]

    def said(self) -> str:
        """Return all of it as one text, the attributes of log records included."""
        said = [f"{record.getMessage()}\n{_attributes(record)}" for record in self._caplog.records]
        said.append(self._caplog.text)
        for failure in self.failures:
            said += _told(failure)
        said += [span.to_json() for span in self._spans.ended]
        data = self._reader.get_metrics_data()
        said.append(data.to_json() if data else "")
        return "\n".join(said)


def _attributes(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a record holds but its times: their digits may be those of a CPF by chance."""
    times = ("created", "msecs", "relativeCreated")
    return {name: value for name, value in vars(record).items() if name not in times}


def _told(failure: BaseException) -> list[str]:
    """Return what an error shows of itself, and of all that it hangs on to."""
    said = traceback.format_exception(failure)
    todo: list[BaseException | None] = [failure]
    while todo:
        error = todo.pop()
        if error is not None:
            said += [str(error), repr(error), repr(error.args), repr(vars(error))]
            todo += [error.__cause__, error.__context__]
    return said


def left_open() -> list[str]:
    """Collect garbage, and return what it complained about."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        gc.collect()
    return [str(complaint.message) for complaint in complaints]
