"""Watches turns: all that is logged at DEBUG, raised, spanned, measured, and left open."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import traceback
import warnings
from typing import Any

import pytest

from actions.ps7 import LookupFailed, runtime
from tests.support.observed import Spans, measured


class Watch:
    """Listens in on everything from now on, until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self.spans = Spans()
        self.failures: list[LookupFailed] = []
        self.seconds = 0.0
        """How long the turn took."""
        caplog.set_level(logging.DEBUG)
        monkeypatch.setattr(runtime, "host_tracer", lambda: self.spans.tracer)
        self._reader = measured(monkeypatch)
        made = LookupFailed.__init__

        def kept(failure: LookupFailed, *args: Any, **options: Any) -> None:  # noqa: ANN401
            made(failure, *args, **options)
            self.failures.append(failure)

        monkeypatch.setattr(LookupFailed, "__init__", kept)
        asyncio.get_running_loop().set_debug(True)
        asyncio.get_running_loop().slow_callback_duration = 10.0  # a busy machine is no fault

    def lines(self, *levels: int) -> list[str]:
        """Return what the plugin logged at these levels, but for the line of its start."""
        records = [one for one in self._caplog.records if one.levelno in levels]
        said = [one.getMessage() for one in records if one.name.startswith("actions.")]
        return [line for line in said if not line.startswith("Seal keys: ")]

    def said(self) -> str:
        """Return all of it as one text; the errors with all that they hang on to."""
        said = [self._caplog.text, *(span.to_json() for span in self.spans.ended)]
        for record in self._caplog.records:
            # But its times: their digits may be those of a CPF by chance.
            times = ("created", "msecs", "relativeCreated")
            said.append(str({name: v for name, v in vars(record).items() if name not in times}))
        errors: list[BaseException | None] = [*self.failures]
        while errors:
            if (error := errors.pop()) is not None:
                said += traceback.format_exception(error)
                said += [repr(error), repr(error.args), repr(vars(error))]
                # On 3.10 the tasks of pytest-asyncio are written in Python, and handle an error as
                # they wake us: the next one has it as its context, though raised `from None`.
                if not (sys.version_info < (3, 11) and error.__suppress_context__):
                    errors.append(error.__context__)
                errors.append(error.__cause__)
        data = self._reader.get_metrics_data()
        return "\n".join([*said, data.to_json() if data else ""])


def left_open() -> list[str]:
    """Collect garbage, and return what it complained about."""
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        gc.collect()
    return [str(complaint.message) for complaint in complaints]
