"""The code that documents show does what they say: in a bot and in its tests."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from actions.ps7 import ActionPS7Context, handover
from actions.ps7.testing import BackgroundSimulator, Conversation, pytest_plugin
from actions.ps7.testing.rasa_in_memory import DomainSource
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import blocks, document
from tests.support.processes import ROOT

PYTHON = [block for block in blocks() if block.language == "python"]
INTEGRATION = {block.path: block.code for block in document("docs/integration.md").blocks}

ps7_settings = pytest.fixture(pytest_plugin.ps7_settings)
ps7 = pytest.fixture(pytest_plugin.ps7)


@contextmanager
def executed(code: str) -> Iterator[dict[str, Any]]:
    """Execute a module of a bot's own actions, with the plugin as the wheel names it.

    rasa_sdk registers every action that a process knows: none of these outlives its test.
    """
    names: dict[str, Any] = {"__name__": "actions.shown", "__package__": "actions"}
    installed = {
        name.replace("actions.ps7", "rasa_ps7", 1): module
        for name, module in sys.modules.items()
        if name.startswith("actions.ps7")
    }
    try:
        with warnings.catch_warnings(), patch.dict(sys.modules, installed):
            warnings.simplefilter("error")
            exec(code, names)  # noqa: S102 - the documents are ours
        yield names
    finally:
        names.clear()
        gc.collect()


@pytest.mark.conversation
def test_a_channel_is_what_rasa_takes(tmp_path: Path) -> None:
    """It is executed where Rasa is."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = (_rasa_python(), "-W", "ignore", "-c", INTEGRATION["channels/app.py"])
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", "Agência 0341, conta 00123456"),
        ("bruno", "Para continuar, valide o seu token no aplicativo do banco e me chame de novo."),
        (None, "Para continuar, valide o seu token no aplicativo do banco e me chame de novo."),
    ],
)
async def test_the_balance_is_for_whom_the_page_says(
    ps7: BackgroundSimulator, who: str | None, said: str
) -> None:
    """The action that reads the seal and no slot."""
    with executed(INTEGRATION["actions/balance.py"]) as names:
        domain: list[DomainSource] = [{"actions": ["action_answer_balance"]}, ROOT / "domain.yml"]
        bot = Conversation(domain, [ActionPS7Context, names["ActionAnswerBalance"]])
        await bot.user("qual meu saldo?", metadata={"contextId": who})
        assert (await bot.run("action_answer_balance")).texts == [said]
    assert len(ps7.requests) == (1 if who else 0)


async def test_a_session_starts_with_its_customer(ps7: BackgroundSimulator) -> None:
    """Before any action of the first turn has run, and with a greeting."""
    welcome = {"utter_welcome_private": [{"text": "Bem-vindo ao Private."}]}
    own = {"actions": ["action_session_start"], "responses": welcome}
    domain: list[DomainSource] = [own, ROOT / "domain.yml"]
    with executed(INTEGRATION["actions/session.py"]) as names:
        bot = Conversation(domain, [ActionPS7Context, names["ActionSessionStart"]])
        opened = await bot.user("oi", metadata={"contextId": "diego"})
    assert opened.events[0]["event"] == "session_started"
    assert (opened.slots["segment"], opened.texts) == ("Private", ["Bem-vindo ao Private."])
    assert [request.json for request in ps7.requests] == [{"contextId": "diego"}]


async def test_what_goes_on_to_a_person_is_shown_as_it_is(ps7: BackgroundSimulator) -> None:
    """What the desk gets, and in a message without the raw values."""
    blocks = document("docs/integration.md").blocks
    (shown,) = (json.loads(block.code) for block in blocks if block.language == "json")
    with executed(INTEGRATION["actions/hand_over.py"]) as names:
        domain: list[DomainSource] = [{"actions": ["action_hand_over"]}, ROOT / "domain.yml"]
        bot = Conversation(domain, [ActionPS7Context, names["ActionHandOver"]])
        beside = {"correlationId": shown["correlation_id"]}
        await bot.user("quero uma pessoa", metadata={"contextId": "ana", **beside})
        (sent,) = (await bot.run("action_hand_over")).responses
        named = handover(bot.tracker, reason="ask_human", include=("agency", "account"))
    assert [*named.items()] == [*shown.items()]
    assert {**sent["custom"]["data"], "agency": "0341", "account": "00123456"} == shown
    assert len(ps7.requests) == 1


async def test_a_lookup_of_ones_own(ps7: BackgroundSimulator) -> None:
    """With its end, good or bad."""
    with executed(INTEGRATION["actions/segments.py"]) as names:
        assert await names["segment_of"]("ana") == "Personnalité"
        assert await names["segment_of"]("http-403") == "nobody: denied, forbidden"
    assert len(ps7.requests) == 2


def test_the_module_for_metrics_lets_them_out(tmp_path: Path) -> None:
    """Executed as an action server imports it; tests/host/test_otlp.py has what then arrives."""
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="comes with rasa_sdk")
    (code,) = (block.code for block in PYTHON if block.path == "actions/metrics.py")
    provider = "print(type(metrics.get_meter_provider()).__module__, flush=True); os._exit(0)"
    command = [sys.executable, "-c", f"{code}\nimport os\n{provider}"]
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    said = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, check=True)
    assert said.stdout.startswith(b"opentelemetry.sdk.")


TESTS = sorted({block.document for block in PYTHON if "tests/test_" in (block.path or "")})


@pytest.mark.parametrize("name", TESTS)
def test_the_tests_that_are_shown_pass(name: str, tmp_path: Path) -> None:
    """In a copy of the example bot, with the files that the document shows and no others."""
    bot = tmp_path / "bot"
    leave_out = shutil.ignore_patterns("tests", "pytest.ini", "models")
    shutil.copytree(ROOT / "examples" / "oss-bot", bot, ignore=leave_out)
    shown = {block.path: block.code for block in document(name).blocks if block.path}
    for path, code in shown.items():
        (bot / path).parent.mkdir(exist_ok=True)
        (bot / path).write_text(code, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PS7_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--no-header"],
        cwd=bot,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    tests = sum(code.count("def test_") for code in shown.values())
    assert ran.stdout.splitlines()[-1].startswith(f"{tests} passed"), ran.stdout + ran.stderr
