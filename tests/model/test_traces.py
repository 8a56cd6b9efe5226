"""The walks that broke something once, each a test of its own."""

from __future__ import annotations

import pytest

from tests.model.conversation import violated
from tests.model.steps import Walk
from tests.model.subject import playing
from tests.model.traces import TRACES


@pytest.mark.parametrize("walk", TRACES.values(), ids=TRACES)
def test_a_walk_that_broke_once_is_right(walk: Walk) -> None:
    """It is right, whatever happened to the conversation."""
    with playing() as subject:
        assert violated(walk, subject) is None
