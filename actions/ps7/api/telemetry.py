"""What may be said about a lookup. Whatever is not a field of `LookupReport` is not said.

No contextId, no sender id, nothing of the customer or of the credentials passes through this room:
it takes an outcome, a reason, numbers, a correlation id and a keyed digest.
"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from pathlib import Path

from ..context import Outcome
from ..errors import Reason

logger = logging.getLogger(__name__)


@dataclass
class LookupReport:
    """How one lookup ended. Until something else is said, it was cancelled."""

    context_digest: str
    """Keyed digest of the contextId."""
    correlation_id: str | None = None
    outcome: Outcome = Outcome.UNAVAILABLE
    reason: Reason = Reason.CANCELLED
    status: int | None = None
    """HTTP status of the last answer, None where none came."""
    attempts: int = 0
    """Requests that were sent."""
    seconds: float = 0.0
    doubtful: tuple[str, ...] = ()
    """Wire names of the fields whose values the interface does not document."""

    def write(self) -> None:
        """Write the one INFO line of a lookup, and a WARNING where a field's value was doubtful."""
        logger.info(
            "PS7 lookup: outcome=%s reason=%s status=%s attempts=%d ms=%.0f correlation=%s "
            "context=%s",
            self.outcome.value,
            self.reason.value,
            "-" if self.status is None else self.status,
            self.attempts,
            self.seconds * 1000,
            self.correlation_id or "-",
            self.context_digest,
        )
        if self.doubtful:
            logger.warning(
                "PS7 sent a value that its interface does not document in: %s",
                ", ".join(self.doubtful),
            )


def log_bug(error: Exception) -> None:
    """Name an error that nobody foresaw, and its place; not its text, which may quote anything."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    logger.error("%s at %s:%s", type(error).__name__, Path(place.filename).name, place.lineno)
