"""The fixtures for bot builders: in whatever way their tests run, and nothing stays afterwards."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest
from pydantic import SecretStr

from actions.ps7 import clock, runtime
from actions.ps7.settings import PS7Settings
from actions.ps7.testing.pytest_plugin import ps7_bot
from tests.support.processes import ROOT

PLUGIN = "actions.ps7.testing.pytest_plugin"
INI = """
[pytest]
filterwarnings = error
"""
SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")  # pytest-asyncio warns without one
AUTO = ("-o", "asyncio_mode=auto", *SCOPE)
STRICT = ("-o", "asyncio_mode=strict", *SCOPE)
WITHOUT = ("-p", "no:asyncio")


@pytest.fixture(autouse=True)
def bot_folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot that has the plugin and a domain, and no tests yet."""
    monkeypatch.delitem(sys.modules, PLUGIN, raising=False)  # other tests import it: pytest warns
    pytester.makeconftest(f"pytest_plugins = [{PLUGIN!r}]")
    pytester.makeini(INI)
    (pytester.path / "domain.yml").write_bytes((ROOT / "domain.yml").read_bytes())
    return pytester.path


def passes(pytester: pytest.Pytester, test: str, *arguments: str, tests: int = 1) -> None:
    """Run a bot's tests, as many as there are said to be, and see every one of them pass."""
    pytester.makepyfile(test)
    result = pytester.runpytest_inprocess("--strict-config", "--strict-markers", *arguments or AUTO)
    result.assert_outcomes(passed=tests)


@pytest.mark.parametrize(
    ("before", "options"), [("", AUTO), ("@pytest.mark.asyncio", STRICT), ("@run", WITHOUT)]
)
def test_a_test_runs_in_any_event_loop(
    pytester: pytest.Pytester, before: str, options: tuple[str, ...]
) -> None:
    """Under pytest-asyncio in either mode, and in a loop of its own; also what blocks the loop."""
    passes(
        pytester,
        f"""
        import asyncio, functools, urllib.request
        import pytest

        def run(test):
            @functools.wraps(test)
            def in_a_loop(**arguments):
                asyncio.run(test(**arguments))
            return in_a_loop

        {before}
        async def test_ana_is_known(bot, ps7):
            urllib.request.urlopen(ps7.url, timeout=5).close()
            assert (await bot.arrives("ana")).slots["segment"] == "Personnalité"
            assert ps7.asked == ["ana"]
        """,
        *options,
    )


def what_tests_change() -> list[object]:
    """Return all of this process that the fixtures set for a test."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("PS7_")}
    return [
        variables,
        PS7Settings.model_config.get("env_file"),
        clock.utc_now,
        list(runtime._runtimes),
    ]


def test_tests_know_nothing_of_each_other_and_of_this_machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No circuit stays open, no time stays moved; no setting of this shell or a `.env` counts."""
    login = SecretStr("another one's")
    settings = PS7Settings(base_url="http://127.0.0.1:9", username=login, password=login)
    monkeypatch.setattr(runtime, "_runtimes", [runtime.Runtime(settings)])
    for name in ("PS7_BASE_URL", "PS7_SLOT_NAMES", "PS7_SECRETS_DIR"):
        monkeypatch.setenv(name, "/nonsense")
    (pytester.path / ".env").write_text("PS7_METADATA_KEYS=nonsense\nPS7_ARRIVAL_KEYS=nonsense\n")
    before = what_tests_change()
    passes(
        pytester,
        """
        async def test_a_circuit_opens_and_time_goes_on(conversation, ps7):
            with ps7.failing("http-401"):
                for _ in range(6):
                    await (bot := conversation()).arrives("ana")
            assert bot.slots["ps7_status"] == "denied"
            bot.later(days=1000)

        async def test_the_next_one_starts_anew(bot, ps7):
            assert (await bot.arrives("ana")).slots["ps7_status"] == "ok"
            bot.later(minutes=59)
            assert (await bot.user("e agora?")).slots == {}
            bot.later(minutes=61)
            assert (await bot.user("e agora?")).slots["ps7_status"] == "expired"
        """,
        tests=2,
    )
    assert what_tests_change() == before


OWN_ACTION = """
from rasa_sdk import Action

class Own(Action):
    def name(self): return 'action_own'
    async def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response='utter_hi')
        return []
"""


def test_a_bots_own_ini_file_and_settings_reach_ps7_and_the_metadata(
    pytester: pytest.Pytester,
) -> None:
    """Domain files and packages of actions; slot names, who signs a contextId, and its gateway.

    A test file can load the fixtures too.
    """
    pytester.makefile(".yml", spoken="responses: {utter_hi: [{text: Hi!}]}\nactions: [action_own]")
    pytester.mkpydir("house_actions").joinpath("own.py").write_text(OWN_ACTION)
    pytester.makeconftest("")
    bot = "ps7_domain = spoken.yml domain.yml\nps7_actions = actions.ps7 house_actions\n"
    pytester.makeini(f"{INI}pythonpath = .\n{bot}")
    passes(
        pytester,
        f"""
        import json, os
        import pytest
        from cryptography.fernet import Fernet
        from actions.ps7.testing import PERSONAS

        pytest_plugins = [{PLUGIN!r}]
        SEAL_KEYS = json.dumps([Fernet.generate_key().decode() for _ in range(2)])

        @pytest.fixture
        def ps7_settings():
            return {{
                "PS7_SEAL_KEYS": SEAL_KEYS,
                "PS7_METADATA_KEYS": '["channel.of.contextId", "contextId"]',
                "PS7_ARRIVAL_KEYS": '["made up, and of this back-end alone"]',
                "PS7_APP_KEY": "app", "PS7_APP_SECRET": "app secret",
            }}

        async def test_everything_fits(bot, ps7):
            metadata = {{"channel": {{"of": {{"n": 1}}, "name": "web"}}, "x": 2}}
            entities = [{{"entity": "e", "value": "v"}}]
            await bot.arrives(PERSONAS["exemplo"], "olá", metadata=metadata, intent="greet",
                              entities=entities)
            said = bot.latest_message
            token = said["metadata"]["channel"]["of"].pop("contextId")
            assert token.count(".") == 2 and "123123213" not in token
            assert (said["metadata"], said["entities"]) == (metadata, entities)
            assert (said["text"], said["intent"]["name"]) == ("olá", "greet")
            assert (ps7.asked, len(ps7.token_requests)) == (["123123213"], 1)
            assert (await bot.run("action_own")).texts == ["Hi!"]
            assert os.environ["PS7_SEAL_KEYS"] == SEAL_KEYS
        """,
    )


def test_the_bot_of_the_usual_files_has_the_responses_of_its_data(bot_folder: Path) -> None:
    """Rasa prefers them. A folder of the domain is taken before a file."""
    config = Mock(rootpath=bot_folder, getini={"ps7_domain": [], "ps7_actions": ["actions"]}.get)
    found = []
    for folder in ("none", "data", "domain"):
        (bot_folder / folder).mkdir()
        found.append([path.name for path in ps7_bot(config)["domain"]])
    assert found == [["domain.yml"], ["data", "domain.yml"], ["data", "domain"]]


def test_a_failure_shows_what_was_said_and_what_ps7_was_asked(pytester: pytest.Pytester) -> None:
    """Of every conversation of the test; and a test that passes, or has no bot, shows nothing."""
    pytester.makepyfile(
        """
        import pytest

        async def test_it(bot, conversation, ps7):
            with ps7.failing("http-404"):
                await conversation().user("olá")
                await bot.arrives("ana", "qual meu saldo?")
            assert bot.slots["ps7_status"] == "ok"

        def test_without_a_bot():
            assert not "a plain failure"

        @pytest.fixture
        def untidy(bot):
            yield
            assert not "a fixture that fails at the end, when the bot is gone"

        async def test_with_an_untidy_fixture(untidy, bot):
            await bot.arrives("bruno", "this is not shown")
        """
    )
    result = pytester.runpytest_inprocess("-rP", *AUTO)
    result.assert_outcomes(passed=1, failed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*- Captured conversation call -*",
            "user: qual meu saldo?   [[]metadata: contextId]",
            "*- Captured conversation call -*",
            "user: olá",
            "*- Captured requests call -*",
            "PS7 was asked about ana and answered 404",
        ]
    )
    assert "this is not" not in result.stdout.str()
    assert result.stdout.str().count("Captured requests") == 1
