"""When another attempt is made, and after how long. The mechanics are tenacity's.

Knows our errors, and nothing of HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from ..errors import LookupFailed

if TYPE_CHECKING:
    from tenacity import RetryCallState

_BACKOFF = wait_random_exponential(multiplier=0.1, max=1.0)
"""Full jitter: anything from 0 to 0.1, 0.2, 0.4 … s, so that callers do not come back together."""


def retrying(attempts: int, deadline: float) -> AsyncRetrying:
    """Make what repeats an attempt that failed in passing.

    At most `attempts` are made; none is waited for that would not begin within `deadline` seconds
    of the first. What is raised in the end is the failure of the last one.
    """
    return AsyncRetrying(
        retry=retry_if_exception(_passing),
        wait=_pause,
        stop=stop_after_attempt(attempts) | stop_before_delay(deadline),
        reraise=True,
    )


def _passing(error: BaseException) -> bool:
    return isinstance(error, LookupFailed) and error.passing


def _pause(state: RetryCallState) -> float:
    """Wait as long as the server asks for, and by chance where it does not."""
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, LookupFailed) and failure.retry_after is not None:
        return failure.retry_after
    return _BACKOFF(state)
