"""What happens to an action between its registration and its first call."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import Mock

import pytest
from cryptography.fernet import Fernet
from rasa_sdk import Action

from actions.ps7 import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    actions,
    runtime,
    telemetry,
)
from actions.ps7.actions import PS7Action
from tests.host.conftest import seal_keys
from tests.support.bots import ActionSessionStart

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Set usable settings, in a process without any runtime."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PS7_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PS7_USERNAME", "chat")
    monkeypatch.setenv("PS7_PASSWORD", "s3cret")
    monkeypatch.setenv("PS7_SEAL_KEYS", seal_keys())
    monkeypatch.setattr(runtime, "_runtimes", [])
    return monkeypatch


def test_unusable_settings_stop_the_server(settings: pytest.MonkeyPatch) -> None:
    """With a text, which an action server prints as it is, and no traceback."""
    settings.delenv("PS7_BASE_URL")
    with pytest.raises(SystemExit, match="PS7_BASE_URL is missing"):
        ActionPS7Context()


def test_arrivals_that_no_key_signs_are_said_once_at_start(
    settings: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for all the actions of a process, and none where there are keys."""
    telemetry.warn_of_open_arrival.cache_clear()
    settings.setenv("PS7_ARRIVAL_KEYS", json.dumps(["k" * 32]))
    ActionPS7Context()
    assert caplog.messages == []
    settings.delenv("PS7_ARRIVAL_KEYS")
    for action in (ActionPS7Context, ActionPS7Verify):
        action()
    (record,) = caplog.records
    assert (record.levelname, record.message[:27]) == ("WARNING", "PS7_ARRIVAL_KEYS is not set")


def test_a_second_copy_of_the_plugin_stops_the_server(settings: pytest.MonkeyPatch) -> None:
    """As a folder and as the wheel. Nothing else is a copy: no reload, no class of that name."""
    modules = [actions.__name__, "bot.own"]

    def classes() -> list[type]:
        bots = type("PS7Action", (), {"__module__": "bot.actions"})
        bases = (PS7Action,)
        copies = (type("PS7Action", bases, {"__module__": module}) for module in modules)
        return [bots, type("Another", bases, {"__module__": "bot.actions"}), *copies]

    settings.setattr(Action, "__subclasses__", classes, raising=False)
    ActionPS7Context()
    modules.append("rasa_ps7.actions")
    with pytest.raises(SystemExit, match=r"twice, as actions\.ps7 and as rasa_ps7: keep one"):
        ActionPS7Context()


def test_actions_of_the_same_settings_share_everything(settings: pytest.MonkeyPatch) -> None:
    """And those of other settings have their own; the last one used is what counts.

    The lines of a lookup and of a refusal name a contextId alike.
    """
    settings.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode() for _ in "ab"]))
    first = ActionPS7Context()
    assert first.runtime is ActionPS7Verify().runtime
    settings.setenv("PS7_DEADLINE", "1")
    other = ActionPS7Context()
    assert other.runtime is not first.runtime
    for one in (first, other):
        assert one.runtime is runtime.current()
        assert one.runtime.client.digest("C1") == one.runtime.bot.digest("C1")
    assert len(runtime._runtimes) == 2


@pytest.mark.parametrize(
    "kind", [ActionPS7Context, ActionPS7Verify, ActionPS7Forget, ActionSessionStart]
)
def test_an_action_and_its_bound_run_can_be_pickled(
    settings: pytest.MonkeyPatch, tmp_path: Path, kind: type[PS7Action]
) -> None:
    """From 3.20 on the SDK pickles the actions to start its workers, even one alone.

    What the action has travels, that of a bot's subclass too: no lock, session, cipher or loop of
    the plugin's. The SDK configures no logging in a worker, so one that logs nothing is given the
    level of the server. What says `import rasa_ps7` is imported there: it may set up metrics.
    """
    (tmp_path / "says_import.py").write_text("from actions import ps7\n")
    settings.syspath_prepend(tmp_path)
    import_module("says_import")
    levels: list[int] = []
    settings.setattr(actions, "configure_colored_logging", levels.append)
    settings.setattr(logging.getLogger(), "level", logging.DEBUG)
    action = kind()
    assert vars(action).keys() == {"_settings"}
    vars(action)["greeting"] = {"of": "the bot"}
    parcel = pickle.dumps(action.run)
    pickle.loads(parcel)  # noqa: S301 - packed above
    assert levels == [], "where something logs, nothing is configured"
    settings.delenv("PS7_SEAL_KEYS")  # a worker has what travelled alone
    settings.setattr(logging.getLogger(), "handlers", [])
    settings.setattr(runtime, "_runtimes", [])
    settings.delitem(sys.modules, "says_import")
    arrived = pickle.loads(parcel).__self__  # noqa: S301 - packed above
    assert (arrived.name(), levels) == (action.name(), [logging.DEBUG])
    assert arrived.greeting == {"of": "the bot"}
    assert arrived.runtime.settings.newest_key == action._settings.newest_key
    assert "says_import" in sys.modules


async def test_the_end_of_the_process_leaves_no_runtime() -> None:
    """Connections are closed, but those of a loop that still runs: it cannot be awaited here."""
    client = ActionPS7Context().runtime.client
    client._of_this_loop()
    ended = asyncio.new_event_loop()
    ended.close()
    client._loops[ended] = Mock()
    runtime.close_all()
    assert (runtime._runtimes, [*client._loops]) == ([], [asyncio.get_running_loop()])
