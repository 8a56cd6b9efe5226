"""The walks that broke something once, each a test of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.conversation import Driver, play
from tests.model.drivers import this_process, tree
from tests.model.steps import Bot, Walk, arrives
from tests.model.traces import TRACES
from tests.support.processes import ROOT


@pytest.fixture(scope="module")
def driver() -> Iterator[Driver]:
    """Call the plugin in this process."""
    with this_process() as driver:
        yield driver


@pytest.mark.parametrize("walk", TRACES.values(), ids=TRACES)
def test_what_broke_once(driver: Driver, walk: Walk) -> None:
    """It holds, whatever happened to the conversation."""
    play(walk, driver)


def test_another_tree() -> None:
    """The plugin of another tree is called just as well, in a process of its own."""
    with tree(ROOT) as driver:
        play(Walk(Bot(), (arrives("ana"), arrives("bruno"))), driver)
