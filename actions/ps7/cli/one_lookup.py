"""One lookup of a contextId for a command: how it went, as plain values."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from ..lookup.client import PS7Client
from ..outcomes import LookupFailed

if TYPE_CHECKING:
    from ..customer import CustomerContext
    from ..lookup.wire import Answer
    from ..settings import PS7Settings
    from ..telemetry import LookupReport


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
    """Make one lookup, with what `PS7Client.ask` takes more, and send no probe after it."""

    async def once() -> Asked:
        async with PS7Client(settings, probes=False) as ps7:
            lookup = await ps7.ask(context_id, **more)
        report, customer = lookup.report, lookup.customer
        failure = (
            None if customer else LookupFailed(report.reason, report.status, detail=report.detail)
        )
        return Asked(report, lookup.answer, customer, failure)

    return asyncio.run(once())
