"""The simulator as the conversation tests know it: see `fixtures`."""

from __future__ import annotations

import pytest

from actions.ps7.testing import Simulator


@pytest.fixture
def ps7(rasa_simulator: Simulator) -> Simulator:
    """Return the simulator, with no request on its record."""
    rasa_simulator.requests.clear()
    return rasa_simulator
