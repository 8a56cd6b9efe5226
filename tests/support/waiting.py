"""Waits that end: a test that fails by one says what it waited for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")
_PAUSE = 0.01


async def until(what: str, is_so: Callable[[], object], seconds: float = 30) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"waited {seconds} s: {what}"
        await asyncio.sleep(_PAUSE)


async def within(seconds: float, what: str, awaited: Awaitable[_T]) -> _T:
    """Return what comes of it in so many seconds."""
    try:
        return await asyncio.wait_for(awaited, seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"waited {seconds} s: {what}") from None
