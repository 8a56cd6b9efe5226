"""`PS7Client.lookup()`: from a contextId to the customer, or to an error of ours, in time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from .. import clock
from ..context import Outcome
from ..digest import KeyedDigest
from ..errors import DeadlineExceeded, LookupFailed, PS7Unavailable, Reason
from ..settings import PS7Settings
from . import telemetry
from .telemetry import LookupReport
from .transport import Transport
from .wire import build_request, decode

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..context import CustomerContext
    from .customer import Decoded
    from .wire import Request


class PS7Client:
    """Looks contexts up at PS7.

    One client serves a whole process; it opens its connections at the first lookup, and anew in
    each event loop. Use it as an async context manager, or `close()` it:

        async with PS7Client() as ps7:
            customer = await ps7.lookup("123123213")
    """

    def __init__(self, settings: PS7Settings | None = None) -> None:
        """Take the settings, or read those of this process.

        Raises:
            SettingsError: no settings were given and those of this process are not usable.

        """
        self.settings = settings if settings is not None else PS7Settings.load()
        self.digest = KeyedDigest(self.settings.newest_key, "context id").short
        self._transport = Transport(self.settings)

    async def lookup(
        self,
        context_id: str,
        *,
        encoded: int | None = None,
        correlation_id: str | None = None,
        flow_id: str | None = None,
    ) -> CustomerContext:
        """Ask PS7 who stands behind a contextId, within `PS7_DEADLINE`, and log one INFO line.

        `encoded` goes into the body (None: as `PS7_ENCODED` says). `correlation_id` groups the
        calls of one audit trail and must hold no personal data; `flow_id` names this lookup, and is
        made where none is given.

        Raises:
            LookupFailed: one of its subclasses, by the outcome; nothing else is raised.

        """
        request = build_request(
            self.settings,
            context_id,
            encoded=encoded,
            correlation_id=correlation_id,
            flow_id=flow_id or str(uuid4()),
        )
        report = LookupReport(self.digest(context_id), correlation_id, attempts=1)
        started = time.monotonic()
        try:
            decoded = await self._within_deadline(request)
        except LookupFailed as failure:
            report.outcome, report.reason = failure.outcome, failure.reason
            report.status = failure.status
            raise
        else:
            report.outcome, report.reason, report.status = Outcome.OK, Reason.OK, 200
            report.doubtful = decoded.doubtful
            return decoded.customer
        finally:
            report.seconds = time.monotonic() - started
            report.write()

    async def _within_deadline(self, request: Request) -> Decoded:
        try:
            return await asyncio.wait_for(self._exchange(request), self.settings.deadline)
        except LookupFailed:
            raise
        except asyncio.TimeoutError:
            failure: PS7Unavailable = DeadlineExceeded(Reason.DEADLINE)
        except Exception as error:  # noqa: BLE001 - the family is closed
            telemetry.log_bug(error)
            failure = PS7Unavailable(Reason.INTERNAL)
        raise failure  # out here, so that no foreign error, and none of its values, goes along

    async def _exchange(self, request: Request) -> Decoded:
        answer = await self._transport.send(request)
        return decode(
            answer,
            received_at=clock.utc_now(),
            max_age=self.settings.max_age,
            strict_cpf=self.settings.strict_cpf,
        )

    async def close(self) -> None:
        """Close the connections that this event loop opened."""
        await self._transport.close()

    def abandon(self) -> None:
        """Let go of all connections where no event loop runs any more, at the end of a process."""
        self._transport.abandon()

    async def __aenter__(self) -> Self:
        """Give the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.close()
