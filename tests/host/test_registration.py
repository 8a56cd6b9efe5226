"""What happens to an action between its registration and its first call."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import pickle
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from rasa_sdk import Action

from actions.ps7 import ActionPS7Context, ActionPS7Verify
from actions.ps7.dialogue import actions, runtime

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Set usable settings, in a process without any runtime."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PS7_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PS7_USERNAME", "chat")
    monkeypatch.setenv("PS7_PASSWORD", "s3cret")
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode()]))
    monkeypatch.setattr(runtime, "_runtimes", [])
    return monkeypatch


def test_unusable_settings_stop_the_server(settings: pytest.MonkeyPatch) -> None:
    """With a text, which an action server prints as it is, and no traceback."""
    settings.delenv("PS7_BASE_URL")
    with pytest.raises(SystemExit, match="PS7_BASE_URL is missing"):
        ActionPS7Context()


def test_a_second_copy_of_the_plugin_stops_the_server() -> None:
    """As a folder and as the wheel. Nothing else is a copy: no reload, no class of that name."""
    there = "rasa_ps7.dialogue.actions"
    classes = [
        type("PS7Action", (Action,), {"__module__": module})
        for module in (actions.__name__, "bot.actions", there)
    ]
    try:
        with pytest.raises(SystemExit) as stop:
            ActionPS7Context()
        said = str(stop.value)
    finally:
        del stop  # its traceback knows the classes
        classes.clear()
        gc.collect()
    assert said == (
        "rasa-ps7 is loaded twice, as actions.ps7 and as rasa_ps7: keep one of them. Delete the "
        "folder that was copied, or uninstall the package; and import it by one name everywhere."
    )
    ActionPS7Context()


def test_actions_of_the_same_settings_share_everything(settings: pytest.MonkeyPatch) -> None:
    """And those of other settings have their own; the last one used is what counts."""
    first, second = ActionPS7Context(), ActionPS7Verify()
    assert first.runtime is second.runtime
    settings.setenv("PS7_DEADLINE", "1")
    other = ActionPS7Context()
    assert other.runtime is not first.runtime
    assert first.runtime is runtime.current()
    assert other.runtime is runtime.current()


def test_a_worker_that_logs_nothing_is_given_the_level_of_the_server(
    settings: pytest.MonkeyPatch,
) -> None:
    """The SDK configures no logging in it; see also `test_a_seal_key_made_at_start_travels`."""
    levels: list[int] = []
    settings.setattr(actions, "configure_colored_logging", levels.append)
    settings.setattr(logging.getLogger(), "level", logging.DEBUG)
    parcel = pickle.dumps(ActionPS7Context())
    settings.setattr(logging.getLogger(), "handlers", [])
    pickle.loads(parcel)  # noqa: S301 - packed two lines above
    assert levels == [logging.DEBUG]


async def test_the_end_of_the_process_leaves_no_runtime() -> None:
    """Connections are closed, but those of a loop that still runs: it cannot be awaited here."""
    client = ActionPS7Context().runtime.client
    session = await client._transport._reopen(asyncio.get_running_loop())
    runtime.close_all()
    assert runtime._runtimes == []
    assert not session.closed
    await session.close()
