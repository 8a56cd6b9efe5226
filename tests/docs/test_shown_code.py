"""The code that documents show does what they say."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.events import ActiveLoop

from actions.ps7 import ActionPS7Context
from actions.ps7.testing import BackgroundSimulator, Conversation, pytest_plugin
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import blocks, document
from tests.support.processes import ROOT

PAGES = ("docs/integration.md", "docs/channels.md", "docs/operations.md", "docs/reference.md")
SHOWN = {block.path: block.code for page in PAGES for block in document(page).blocks}
MODULE = "actions.shown"
TESTS = sorted({block.document for block in blocks() if "tests/test_" in (block.path or "")})

ps7_settings = pytest.fixture(pytest_plugin.ps7_settings)
ps7 = pytest.fixture(pytest_plugin.ps7)


@contextmanager
def bot_with(path: str, own: dict[str, Any]) -> Iterator[tuple[Conversation, dict[str, Any]]]:
    """Open a conversation with a module of the page; `own` is the bot's part of the domain.

    rasa_sdk registers every action that a process knows: those of the module do not outlive this.
    """
    names: dict[str, Any] = {"__name__": MODULE, "__package__": "actions"}
    try:
        exec(SHOWN[path].replace("rasa_ps7", "actions.ps7"), names)  # noqa: S102 - ours
        classes = (each for each in names.values() if isinstance(each, type))
        found = [each for each in classes if each.__module__ == MODULE]
        yield Conversation([own, ROOT / "domain.yml"], [ActionPS7Context, *found]), names
    finally:
        names.clear()
        gc.collect()


@pytest.mark.conversation
@pytest.mark.parametrize("path", ["channels/app.py", "masking.py"])
def test_a_module_is_what_rasa_takes(path: str, tmp_path: Path) -> None:
    """It is executed where Rasa is."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = (_rasa_python(), "-W", "ignore", "-c", SHOWN[path])
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)


def test_a_cpf_is_masked_in_every_line(tmp_path: Path) -> None:
    """In messages, arguments, warnings and tracebacks, by the two files that the page shows."""
    for name in ("masking.py", "logging.yml"):
        (tmp_path / name).write_text(SHOWN[name], encoding="utf-8")
    code = """
import logging, logging.config, warnings
from ruamel.yaml import YAML
logging.config.dictConfig(YAML(typ="safe").load(open("logging.yml")))
try:
    raise ValueError("529.982.247-25")
except ValueError:
    logging.exception("%s said: %s", "ana", "CPF 52998224725, conta 00123456")
warnings.warn("Parsed an intent '52998224725' which is not defined in the domain.")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "ERROR:root:ana said: CPF (CPF), conta 00123456\n" in done.stderr
    assert "ValueError: (CPF)\n" in done.stderr
    assert "Parsed an intent '(CPF)' which" in done.stderr
    assert "52998224725" not in done.stderr


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
    with bot_with("actions/balance.py", {"actions": ["action_answer_balance"]}) as (bot, _):
        await bot.user("qual meu saldo?", metadata={"contextId": who})
        assert (await bot.run("action_answer_balance")).texts == [said]
    assert len(ps7.requests) == (1 if who else 0)


async def test_a_session_starts_with_its_customer(ps7: BackgroundSimulator) -> None:
    """Before any action of the first turn has run, and with a greeting."""
    welcome = {"utter_welcome_private": [{"text": "Bem-vindo ao Private."}]}
    own = {"actions": ["action_session_start"], "responses": welcome}
    with bot_with("actions/session.py", own) as (bot, _):
        opened = await bot.user("oi", metadata={"contextId": "diego"})
    assert (opened.slots["segment"], opened.texts) == ("Private", ["Bem-vindo ao Private."])
    assert len(ps7.requests) == 1


async def test_a_form_does_not_take_the_customers_own_cpf(ps7: BackgroundSimulator) -> None:
    """It is held against the seal; another one is taken, and so is one before anybody is known."""
    own = {
        "actions": ["validate_transfer_form"],
        "slots": {"payee_cpf": {"type": "text", "mappings": [{"type": "from_text"}]}},
        "forms": {"transfer_form": {"required_slots": ["payee_cpf"]}},
    }
    taken = []
    with bot_with("actions/transfer.py", own) as (bot, _):
        await bot.happens(ActiveLoop("transfer_form"))
        for who, typed in ((None, "529.982.247-25"), ("ana", "529.982.247-25"), ("ana", "1")):
            await bot.user(typed, metadata={"contextId": who})
            await bot.validate("validate_transfer_form", payee_cpf=typed)
            taken.append(bot.slots["payee_cpf"])
    assert taken == ["52998224725", None, "1"]
    assert len(ps7.requests) == 1


async def test_the_lookup_that_is_shown_names_its_end(ps7: BackgroundSimulator) -> None:
    """With its end, good or bad."""
    with bot_with("actions/segments.py", {}) as (_, names):
        assert await names["segment_of"]("ana") == "Personnalité"
        assert await names["segment_of"]("http-403") == "nobody: denied, forbidden"
    assert len(ps7.requests) == 3  # the third is the circuit breaker's probe


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
