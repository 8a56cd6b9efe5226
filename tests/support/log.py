"""What is logged, in plain values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Log = Callable[[], list[str]]
"""Returns each line since the last time, after its level."""


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Log:
    """Listen to the plugin from INFO on, and to all others from WARNING on."""
    caplog.set_level("INFO", "actions.ps7")

    def lines() -> list[str]:
        said = [f"{record.levelname} {record.getMessage()}" for record in caplog.records]
        caplog.clear()
        return said

    return lines
