"""One lookup of a contextId for a command: how it went, as plain values."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..api.client import PS7Client
from ..api.telemetry import LookupReport
from ..errors import LookupFailed

if TYPE_CHECKING:
    from ..api.wire import Answer
    from ..context import CustomerContext
    from ..settings import PS7Settings


class Asked(NamedTuple):
    """One lookup that was made."""

    report: LookupReport
    """What the log says of it."""
    answer: Answer | None
    """What PS7 answered, if it did and the answer was whole."""
    customer: CustomerContext | None
    failure: LookupFailed | None
    """Why there is no customer."""

    @property
    def content(self) -> Any:
        """The JSON of the answer; None if there is none."""
        body = b"" if self.answer is None else self.answer.body
        try:
            return json.loads(body.decode(json.detect_encoding(body), "replace"))
        except (ValueError, RecursionError):
            return None


def look_up(settings: PS7Settings, context_id: str, **more: Any) -> Asked:
    """Make one lookup, with what `PS7Client.lookup` takes more."""
    report = LookupReport()

    async def once() -> Asked:
        async with PS7Client(settings) as ps7:
            try:
                customer = await ps7.lookup(context_id, report=report, **more)
            except LookupFailed as failure:
                return Asked(report, report.answer, None, failure)
            return Asked(report, report.answer, customer, None)

    return asyncio.run(once())
