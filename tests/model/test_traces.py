"""The walks that broke something once, each a test of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.conversation import Driver, violated
from tests.model.drivers import this_process
from tests.model.steps import Walk
from tests.model.traces import TRACES


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """Call the plugin in this process."""
    with this_process() as driver:
        yield driver


@pytest.mark.parametrize("walk", TRACES.values(), ids=TRACES)
def test_what_broke_once(driver: Driver, walk: Walk) -> None:
    """It is right, whatever happened to the conversation."""
    assert violated(walk, driver) is None
