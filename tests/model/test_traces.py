"""The walks that broke something once, each a test of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.conversation import violated
from tests.model.steps import Walk
from tests.model.subject import Subject, playing
from tests.model.traces import TRACES


@pytest.fixture(scope="module")
def subject() -> Iterator[Subject]:
    """Play with the plugin."""
    with playing() as subject:
        yield subject


@pytest.mark.parametrize("walk", TRACES.values(), ids=TRACES)
def test_what_broke_once(subject: Subject, walk: Walk) -> None:
    """It is right, whatever happened to the conversation."""
    assert violated(walk, subject) is None
