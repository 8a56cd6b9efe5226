"""A wait that fails says for what."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.waiting import until, within


async def test_a_wait_that_fails_says_for_what() -> None:
    """And how long it waited."""
    with pytest.raises(AssertionError, match=r"waited 0\.01 s: a sleep ends$"):
        await within(0.01, "a sleep ends", asyncio.sleep(60))
    with pytest.raises(AssertionError, match=r"waited 0\.01 s: mail is there\b"):
        await until("mail is there", list, 0.01)
