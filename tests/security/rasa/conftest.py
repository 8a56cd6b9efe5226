"""What attacks on a bot in a real Rasa share: the stage of the conversation tests, and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.tally import figures

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator


@pytest.fixture
def ps7(rasa_simulator: Simulator) -> Simulator:
    """Give the simulator, with no request on its record."""
    rasa_simulator.requests.clear()
    return rasa_simulator


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many attacks were tried, and which of those that are out of scope succeed."""
    total = figures()
    if not total.tried and not total.succeeded:
        return
    terminalreporter.section("attacks on a bot in a real Rasa")
    terminalreporter.line(f"in scope: {total.tried} tried, {total.accepted} accepted")
    terminalreporter.line(f"out of scope: {len(total.succeeded)} tried, which succeed")
    for name in total.succeeded:
        terminalreporter.line(f"  - {name}")
