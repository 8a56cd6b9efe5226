"""What documents show is as they say: code, commands, and how simulated faults end.

Code and commands run as they are printed; `rasa_ps7` is the plugin, as if it was installed.
"""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rasa_sdk.events import ActiveLoop
from ruamel.yaml import YAML

from actions import ps7 as plugin
from actions.ps7.testing import FAULTS, BackgroundSimulator, Conversation, pytest_plugin
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import Block, code_words, document
from tests.docs.test_tables import rows_of_reasons
from tests.support.processes import ROOT
from tests.support.reader import Reader, block

GUIDE = document("docs/integration.md")
REFERENCE = document("docs/reference.md")
PAGES = ("docs/integration.md", "docs/channels.md", "docs/reference.md", "docs/operations.md")
SHOWN = {block.path: block.code for page in PAGES for block in document(page).blocks}
MODULE = "actions.shown"
READ = tuple(f"docs/{name}.md" for name in ("tutorial", "integration", "reference", "testing"))
"""What is read after the README, in this order."""
ALONE = re.compile(r"(rm|cp|\.venv-actions/bin/pip|\.venv-actions/bin/python -m pytest)\b")
"""How a command begins that needs no server beside it."""

ps7 = pytest.fixture(pytest_plugin.ps7)


@pytest.fixture
def ps7_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the settings of a test that has some."""
    return getattr(request, "param", {})


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rasa_ps7", plugin)


@contextmanager
def bot_with(path: str, own: dict[str, Any]) -> Iterator[tuple[Conversation, dict[str, Any]]]:
    """Open a conversation with a module of the page; `own` is the bot's part of the domain.

    rasa_sdk registers every action that a process knows: those of the module do not outlive this.
    """
    names: dict[str, Any] = {"__name__": MODULE, "__package__": "actions"}
    try:
        exec(SHOWN[path], names)  # noqa: S102 - ours
        classes = (each for each in names.values() if isinstance(each, type))
        found = [each for each in classes if each.__module__ == MODULE]
        yield Conversation([own, ROOT / "domain.yml"], [plugin.ActionPS7Context, *found]), names
    finally:
        names.clear()
        gc.collect()


def shown_under(heading: str, ends: int) -> list[Block]:
    """Return the blocks of the guide from a heading to the next one of a level up to `ends`."""
    lines = GUIDE.text.splitlines()
    first = next(at for at, line in enumerate(lines, 1) if line.strip("# ") == heading)
    level = re.compile(rf"#{{1,{ends}}} ")
    end = next((at for at, line in enumerate(lines, 1) if at > first and level.match(line)), None)
    return [each for each in GUIDE.blocks if first < each.line < (end or len(lines))]


# docs/integration.md


async def test_a_session_starts_with_its_customer(
    ps7: BackgroundSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any action of the first turn has run, and with what the bot's own start does."""
    filled: list[str] = []
    monkeypatch.setitem(sys.modules, "actions.profiles", SimpleNamespace(fill=filled.append))
    own = {
        "actions": ["action_session_start"],
        "slots": {"currency": {"type": "text", "mappings": [{"type": "custom"}]}},
    }
    with bot_with("actions/start.py", own) as (bot, _):
        opened = await bot.user("oi", metadata={"contextId": "diego"})
        assert filled == [bot.tracker.sender_id]
    assert (opened.slots["segment"], opened.slots["currency"]) == ("Private", "$")
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


GREETING = '  utter_greet:\n  - text: "Hey! How are you?"\n'
"""What the bot of `rasa init` has in its domain."""
IN_GIT = "git init -q; git add -A; git -c user.name=a -c user.email=a@b.example commit -q -m Begun"
USE = "actions/transfer.py"
INSTALLED = ".venv-actions/bin/"


class Builder(Reader):
    """Somebody with a bot that `rasa init` made, in git, who does what the guide shows."""

    async def adds(self, block: Block) -> None:
        """Write a file that a page shows, or run its commands if they need no server.

        Those of the guide are other ways to what the bot has already.
        """
        if block.path:
            (self.bot / block.path).parent.mkdir(exist_ok=True)
            (self.bot / block.path).write_text(block.code, encoding="utf-8")
        elif block.language == "sh" and block.document != GUIDE.name:
            lines = block.code.splitlines()
            await self.types("\n".join(filter(ALONE.match, lines)))

    async def does(self, block: Block) -> None:
        """Run what a block shows, or put it into the file that it is for."""
        code = self._with_free_ports(block.code)
        if block.language == "sh":
            await self.types(code)
        elif block.language == "dotenv":
            (self.bot / ".env").write_text(code, encoding="utf-8")
        elif code.startswith("responses:"):
            self.edits("domain/bot.yml", GREETING, code.partition("\n")[2])
        else:
            self.edits("endpoints.yml", "# Tracker store", f"{code}# Tracker store")

    def undoes(self, block: Block) -> None:
        """Take out again what a block has put into a file."""
        code = self._with_free_ports(block.code)
        if block.language == "dotenv":
            (self.bot / ".env").unlink()
        elif code.startswith("responses:"):
            self.edits("domain/bot.yml", code.partition("\n")[2], GREETING)
        elif block.language == "yaml":
            self.edits("endpoints.yml", code, "")

    async def registered(self) -> set[str]:
        """Load the bot's actions as an action server does; return their names."""
        load = "import rasa_sdk.executor as e; e = e.ActionExecutor()"
        load += "; e.register_package('actions'); print(*e.actions)"
        await self.types(f'{INSTALLED}python -c "{load}"')
        return {*self.output.splitlines()[-1].split()}

    def edits(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        file = self.bot / name
        text = file.read_text(encoding="utf-8")
        assert text.count(old) == 1
        file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.conversation
async def test_all_that_is_shown_fits_one_bot(tmp_path: Path) -> None:
    """The README's, with each page's files in the order of reading: its tests pass at each step.

    Then it has every action. `profiles` is what the guide takes a reader's own module for.
    """
    builder = Builder(tmp_path, _rasa_python())
    await builder.installs()
    (builder.bot / "actions" / "profiles.py").touch()
    tests = 0
    for each in chain.from_iterable(document(page).blocks for page in READ):
        await builder.adds(each)
        tests += each.code.count("def test_") if each.path else 0
        if "-m pytest" in each.code:
            assert f"{tests} passed" in builder.output
    assert tests > 3
    assert {
        "action_answer_balance",
        "action_hand_over",
        "action_ps7_context",
        "action_session_start",
        "validate_transfer_form",
    } <= await builder.registered()


@pytest.mark.conversation
async def test_a_bot_gets_the_plugin_by_hand_and_loses_it_again(tmp_path: Path) -> None:
    """Then `init` has nothing to do, and the doctor to say; `grep` finds what the bot uses.

    In the end the bot is as it was, but for what git is told to leave out.
    """
    builder = Builder(tmp_path, _rasa_python())
    by_hand = shown_under("By hand", 3)
    (check,), (uninstall,) = shown_under("Before you ship", 2), shown_under("Uninstall", 2)
    try:
        await builder.types(IN_GIT)
        for each in by_hand:
            await builder.does(each)
        assert builder.output.startswith("Nothing to change: the plugin is in this bot.\n")
        assert "no errors, no warnings" in builder.output
        for line in block("rasa train").splitlines():
            if "rasa train" not in line:
                await builder.follows(line)
        await builder.types(f"{INSTALLED}{check.code}")
        assert sorted(re.findall(r"\[([\w-]+)\]", builder.output)) == ["arrival-keys-unset", "http"]
    finally:
        await builder.leaves()

    for each in by_hand:
        builder.undoes(each)
    builder.edits("actions/__init__.py", "import rasa_ps7\n", "")
    (builder.bot / USE).write_text(SHOWN[USE], encoding="utf-8")
    await builder.types(uninstall.code)
    assert builder.output == f"{USE}:4:from rasa_ps7 import verified_context\n"
    (builder.bot / USE).unlink()
    *_, find = uninstall.code.splitlines()
    with pytest.raises(AssertionError):  # it ends with 1
        await builder.types(find)
    await builder.types("git status --porcelain")
    assert builder.output == "?? .gitignore\n"


@pytest.mark.conversation
async def test_a_bot_gets_the_plugin_as_a_folder(tmp_path: Path) -> None:
    """The command is then a module, and the actions need neither it nor the test kit."""
    builder = Builder(tmp_path, _rasa_python())
    (copied,) = shown_under("The folder instead of the wheel", 3)
    environment, *_ = shown_under("By hand", 3)[0].code.splitlines()
    for each in (environment, copied.code, f"{INSTALLED}python -m actions.ps7 key"):
        await builder.types(each)
    assert builder.output.startswith('["')
    for optional in ("cli", "testing"):
        shutil.rmtree(builder.bot / "actions" / "ps7" / optional)
    (settings,) = (each for each in shown_under("By hand", 3) if each.language == "dotenv")
    await builder.does(settings)
    ours = {"action_ps7_context", "action_ps7_forget", "action_ps7_verify"}
    assert await builder.registered() == ours


# docs/reference.md

RENAMED = [each.code for each in REFERENCE.blocks if each.language in {"dotenv", "yaml"}]


@pytest.mark.parametrize("ps7_settings", [dict([RENAMED[0].strip().split("=", 1)])], indirect=True)
async def test_a_bot_keeps_its_own_slot_cpf(ps7: BackgroundSimulator) -> None:
    """The plugin fills the one that the page declares."""
    domain = YAML(typ="safe").load((ROOT / "domain.yml").read_text(encoding="utf-8"))
    domain["slots"]["cpf"] = {"type": "text", "mappings": [{"type": "from_text"}]}
    domain["slots"] |= YAML(typ="safe").load(RENAMED[1])["slots"]
    bot = Conversation(domain, [plugin.ActionPS7Context])
    await bot.set_slot("cpf", "111.444.777-35")
    await bot.user("oi", metadata={"contextId": "ana"})
    assert (bot.slots["cpf"], bot.slots["customer_cpf"]) == ("111.444.777-35", "52998224725")
    assert len(ps7.requests) == 1


async def test_the_lookup_that_is_shown_names_its_end(ps7: BackgroundSimulator) -> None:
    """With its end, good or bad."""
    with bot_with("actions/segments.py", {}) as (_, names):
        assert await names["segment_of"]("ana") == "Personnalité"
        assert await names["segment_of"]("http-403") == "nobody: denied, forbidden"
    assert len(ps7.requests) == 3  # the third is the circuit breaker's probe


@pytest.mark.usefixtures("ps7")
async def test_a_lookup_ends_and_costs_what_the_table_of_reasons_says() -> None:
    """Each fault of the simulator, with the default settings."""
    said = {
        fault: (reason, outcome, int(some.split()[-1]))
        for reason, outcome, faults in rows_of_reasons()
        for some in filter(None, faults.split("; "))
        for fault in code_words(some)
    }
    async with plugin.PS7Client(probes=False) as client:
        reports = [each.report for each in await asyncio.gather(*map(client.ask, FAULTS))]
    ended = [(each.reason.value, each.outcome.value, each.attempts) for each in reports]
    assert dict(zip(FAULTS, ended, strict=True)) == said


# docs/channels.md, docs/operations.md


@pytest.mark.conversation
def test_a_channel_takes_the_context_id_from_a_header(tmp_path: Path) -> None:
    """It is executed where Rasa is."""
    asked = "print(AppInput().get_metadata(type('', (), {'headers': {'x-context-id': 'ana'}})))"
    assert in_rasa(f"{SHOWN['channels/app.py']}\n{asked}", tmp_path) == "{'contextId': 'ana'}\n"


@pytest.mark.conversation
def test_a_mask_is_what_rasa_takes(tmp_path: Path) -> None:
    """It is executed where Rasa is."""
    assert in_rasa(SHOWN["masking.py"], tmp_path) == ""


def in_rasa(code: str, folder: Path) -> str:
    """Run a module in Rasa's environment; return what it prints."""
    return subprocess.run(
        (_rasa_python(), "-W", "ignore", "-c", code),
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder)},
        check=True,
        timeout=120,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


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
