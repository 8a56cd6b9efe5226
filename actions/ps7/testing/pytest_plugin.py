"""Fixtures for the tests of a bot that has this plugin.

In the bot's `tests/conftest.py`:

    pytest_plugins = ["rasa_ps7.testing.pytest_plugin"]

and a test is

    async def test_the_balance_is_for_the_authenticated(bot, ps7):
        await bot.arrives("ana", "qual meu saldo?")
        assert (await bot.run("action_answer_balance")).texts == ["R$ 15.230,75"]
        assert ps7.asked == ["ana"]

`pytest --fixtures` shows what else there is. The fixtures are no coroutines: with pytest-asyncio
(in either mode, with any loop scope), with anyio, or without both, a test uses them alike.

An action server imports this module too, and has no pytest. So nothing here imports it before
pytest itself calls `pytest_configure`, which makes these functions fixtures. For the same reason
the wheel names no entry point: one would load all this in every test run on the machine.
"""

from __future__ import annotations

import json
import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from .. import clock, runtime
from ..settings import PREFIX, PS7Settings
from .customer_conversation import CustomerConversation, MovableClock, of_conversation, of_requests
from .simulator.server import CREDENTIALS, BackgroundSimulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


class Conversations:
    """Opens conversations with one bot: `conversation()` in a test, as many as it takes."""

    def __init__(self, bot: dict[str, Any], ps7: BackgroundSimulator, time: MovableClock) -> None:
        self.ps7 = ps7
        self.opened: list[CustomerConversation] = []
        self._bot = {**bot, "clock": time}

    def __call__(self, **options: Any) -> CustomerConversation:
        """Open one; `options` are `Conversation`'s: `sender_id`, `channel`, `carry_over_slots`."""
        self.opened.append(CustomerConversation(**self._bot, **options))
        return self.opened[-1]


def ps7_settings() -> dict[str, str]:
    """PS7_* settings of the bot's own, such as PS7_SLOT_NAMES: override it, or parametrize it."""
    return {}


def ps7_bot(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Return the bot as `Conversation` takes it: override it, or set `ps7_domain`, `ps7_actions`.

    The last two are options of pytest's ini file. Without them it is `domain/` or `domain.yml`
    beside that file with the responses in `data/`, and the package `actions`.
    """
    root = pytestconfig.rootpath
    data, folder = root / "data", root / "domain"
    usual = [*([data] if data.is_dir() else ()), folder if folder.is_dir() else root / "domain.yml"]
    return {
        "domain": pytestconfig.getini("ps7_domain") or usual,
        "actions": pytestconfig.getini("ps7_actions"),
    }


def ps7(
    ps7_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[BackgroundSimulator]:
    """PS7 for this test: a simulator with an empty record, and the plugin set up to ask it.

    Of the PS7_* settings only the simulator's count, a seal key, and `ps7_settings`; neither
    this machine's environment nor a `.env`. The plugin knows nothing of the tests before.
    """
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(PS7Settings.model_config, "env_file", None)
    monkeypatch.setattr(runtime, "_runtimes", [])
    given: dict[str, Any] = {
        name: ps7_settings.get(f"{PREFIX}{name.upper()}") for name in CREDENTIALS
    }
    with BackgroundSimulator(**given) as simulator:
        seal_keys = json.dumps([Fernet.generate_key().decode()])
        ours = {**simulator.environment, "PS7_SEAL_KEYS": seal_keys}
        for name, value in {**ours, **ps7_settings}.items():
            monkeypatch.setenv(name, value)
        yield simulator
        runtime.close_all()


def conversation(
    ps7: BackgroundSimulator, ps7_bot: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Conversations:
    """Open conversations with the bot, each with its own user: `conversation()`."""
    time = MovableClock()
    monkeypatch.setattr(clock, "utc_now", time.utc_now)
    return Conversations(ps7_bot, ps7, time)


def bot(conversation: Conversations) -> CustomerConversation:
    """One conversation with the bot, in which nothing was said yet."""
    return conversation()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of pytest's ini file that name the bot."""
    parser.addini("ps7_domain", "files and folders of the bot's domain", type="paths", default=[])
    parser.addini("ps7_actions", "packages of the bot's actions", type="args", default=["actions"])


def pytest_configure(config: pytest.Config) -> None:
    """Make fixtures of the functions above."""
    import pytest  # see the top

    functions = (ps7_settings, ps7_bot, ps7, conversation, bot)
    fixtures = ModuleType(f"{__name__}.fixtures")  # pytest looks for fixtures in modules
    vars(fixtures).update({each.__name__: pytest.fixture(each) for each in functions})
    config.pluginmanager.register(fixtures, fixtures.__name__)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Show beside a failure what was said, which slots changed, and what PS7 was asked."""
    conversations = getattr(item, "funcargs", {}).get("conversation")
    if call.excinfo is None or call.when != "call" or not isinstance(conversations, Conversations):
        return
    for opened in conversations.opened:
        ours = runtime.current().bot.names.among(opened.slots)
        lines = of_conversation(opened.events, ours)
        item.add_report_section("call", "conversation", "\n".join(lines))
    asked = of_requests(conversations.ps7.requests)
    item.add_report_section("call", "requests", "\n".join(asked))
