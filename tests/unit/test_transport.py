"""Errors from below aiohttp: they come out as ours, too. Its own are in tests/host."""

from __future__ import annotations

import pytest
from aiohttp.http_exceptions import HttpProcessingError

from actions.ps7.lookup.http import _reason
from actions.ps7.outcomes import Reason

pytestmark = pytest.mark.versions


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        *((kind(), Reason.CONNECT) for kind in (OSError, TimeoutError, UnicodeError)),
        (HttpProcessingError(), Reason.NOT_HTTP),
        *((kind(), Reason.INTERNAL) for kind in (RuntimeError, Exception)),
    ],
    ids=repr,
)
def test_what_is_not_of_the_client_is_translated_too(error: Exception, reason: Reason) -> None:
    """The operating system's errors are the network's; all others are a mistake of ours."""
    assert _reason(error) is reason
