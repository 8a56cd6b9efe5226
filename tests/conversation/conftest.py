"""The names under which the conversation tests know their stage: see `fixtures`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator
    from tests.conversation.harness import Stage


@pytest.fixture
def ps7(rasa_simulator: Simulator) -> Simulator:
    """Give the simulator, with no request on its record."""
    rasa_simulator.requests.clear()
    return rasa_simulator


@pytest.fixture
def stage(rasa_stage: Stage) -> Stage:
    """Give the stage itself."""
    return rasa_stage
