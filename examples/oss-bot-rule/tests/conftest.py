"""The plugin's fixtures, and where the channel of this bot puts the contextId."""

from __future__ import annotations

import pytest

pytest_plugins = ["actions.ps7.testing.pytest_plugin"]


@pytest.fixture
def ps7_settings() -> dict[str, str]:
    """Set what the action server of this bot is started with, beside where PS7 is."""
    return {"PS7_METADATA_KEYS": '["channel.contextId"]'}
