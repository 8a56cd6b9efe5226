"""What documents show is as they say: code, commands, and how simulated faults end.

Code and commands run as they are printed; `rasa_ps7` is the plugin, as if it was installed.
"""

from __future__ import annotations

import asyncio
import gc
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientTimeout, web
from aiohttp.test_utils import TestServer
from rasa_sdk.events import ActiveLoop
from ruamel.yaml import YAML

from actions import ps7 as plugin
from actions.ps7.testing import FAULTS, BackgroundSimulator, Conversation, pytest_plugin
from tests.conversation.fixtures import InRasa
from tests.docs.documents import Block, code_words, document
from tests.docs.test_tables import rows_of_reasons
from tests.examples.calm_flows import FLOWS
from tests.support.interpreters import rasa_python
from tests.support.processes import ROOT
from tests.support.reader import Reader

pytestmark = pytest.mark.slow

GUIDE = document("docs/integration.md")
README = document("README.md")
PAGES = (
    "README.md",
    *(f"docs/{page}.md" for page in ("integration", "channels", "reference", "operations")),
)
SHOWN = {block.path: block.code for page in PAGES for block in document(page).blocks}
MODULE = "actions.shown"
DOMAIN = YAML(typ="safe").load(ROOT / "domain.yml")
ps7 = pytest.fixture(pytest_plugin.ps7)
ps7_settings = pytest.fixture(pytest_plugin.ps7_settings)


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


def shown_under(heading: str) -> list[Block]:
    """Return the blocks of the guide from a heading to the next one."""
    lines = GUIDE.text.splitlines()
    headings = [at for at, line in enumerate(lines, 1) if re.match("#{2,3} ", line)]
    first = next(at for at in headings if lines[at - 1].strip("# ") == heading)
    end = next((at for at in headings if at > first), len(lines))
    return [each for each in GUIDE.blocks if first < each.line < end]


# README.md


@pytest.mark.usefixtures("ps7")
async def test_the_first_action_that_is_shown_tells_the_account() -> None:
    """Of whom PS7 knows; a stranger, or one whom it has lost, hears the plugin's answer."""
    with bot_with("actions/account.py", {"actions": ["action_tell_account"]}) as (bot, _):
        told = []
        for who in (None, "ana", "not-found"):
            await bot.user("minha conta", metadata={"contextId": who})
            told += (await bot.run("action_tell_account")).texts
    assert told[1] == "Conta 00123456, Personnalité."
    assert told[0] == told[2] == DOMAIN["responses"]["utter_ps7_missing"][0]["text"]


def test_the_first_slots_that_are_shown_are_those_of_the_domain() -> None:
    """To the letter, but for what matters to nobody who looks for the first time."""
    (shown,) = (each.code for each in README.blocks if each.language == "yaml")
    for name, slot in YAML(typ="safe").load(shown)["slots"].items():
        assert slot.items() <= DOMAIN["slots"][name].items()


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


@pytest.mark.parametrize(
    ("who", "status", "answer", "told"),
    [
        ("ana", 200, '{"limit": "R$ 500,00"}', "Seu limite é de R$ 500,00."),
        ("carla", 200, '{"limit": "R$ 500,00"}', "utter_ps7_missing"),
        (None, 200, '{"limit": "R$ 500,00"}', "utter_ps7_missing"),
        ("ana", 503, '{"limit": "R$ 500,00"}', "utter_ps7_unavailable"),
        ("ana", 200, "{}", "utter_ps7_unavailable"),
        ("ana", 200, "[]", "utter_ps7_unavailable"),
        ("ana", 200, "half", "utter_ps7_unavailable"),
        ("ana", 0, "", "utter_ps7_unavailable"),
    ],
)
@pytest.mark.usefixtures("ps7")
async def test_an_api_of_the_bots_own_fails_with_an_answer(
    who: str | None, status: int, answer: str, told: str
) -> None:
    """It is asked about a customer who is authenticated, and no answer (0) is one too late."""
    posted = []

    async def api(request: web.Request) -> web.Response:
        posted.append(await request.json())
        if not status:
            await asyncio.Event().wait()
        return web.Response(status=status, text=answer, content_type="application/json")

    app = web.Application()
    app.router.add_post("/", api)
    with bot_with("actions/limit.py", {"actions": ["action_tell_limit"]}) as (bot, names):
        async with TestServer(app, shutdown_timeout=0) as server:
            names |= {"URL": server.make_url("/"), "TIMEOUT": ClientTimeout(total=0.3)}
            await bot.user("meu limite", metadata={"contextId": who})
            said = await bot.run("action_tell_limit")
    assert said.texts == [DOMAIN["responses"].get(told, [{"text": told}])[0]["text"]]
    asked = told != "utter_ps7_missing"
    assert posted == [{"agency": "0341", "account": "00123456"}] * asked


def test_the_flow_that_is_shown_is_the_examples() -> None:
    """And so are its words in the customer's language."""
    (shown,) = (each.code for each in GUIDE.blocks if each.code.startswith("flows:"))
    for name, flow in YAML(typ="safe").load(shown)["flows"].items():
        assert flow == FLOWS[name]


GREETING = '  utter_greet:\n  - text: "Hey! How are you?"\n'
"""What the bot of `rasa init` has in its domain."""
IN_GIT = "git init -q; git add -A; git -c user.name=a -c user.email=a@b.example commit -q -m Begun"
USE = "actions/transfer.py"


def edits(file: Path, old: str, new: str) -> None:
    """Change one place of a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.conversation
async def test_a_bot_gets_the_plugin_by_hand_and_loses_it_again(tmp_path: Path) -> None:
    """Then `init` has nothing to do, and the doctor to say; `grep` finds what the bot uses.

    Then the bot is as it was, but for what git is told to leave out. In the folder the command is a
    module.
    """
    reader = Reader(tmp_path, rasa_python())
    bot = reader.bot
    installs, endpoint, greeting, settings, seals, checks = shown_under("By hand")
    await reader.types(f"{IN_GIT}\n{installs.code}")
    edits(bot / "endpoints.yml", "# Tracker store", f"{endpoint.code}# Tracker store")
    edits(bot / "domain" / "bot.yml", GREETING, greeting.code.partition("\n")[2])
    (bot / ".env").write_text(settings.code, encoding="utf-8")
    await reader.types(f"{seals.code}{checks.code}")
    assert reader.output.startswith("Nothing to change: the plugin is in this bot.\n")
    assert "no errors, no warnings" in reader.output

    (uninstall,) = shown_under("Uninstall")
    edits(bot / "domain" / "bot.yml", greeting.code.partition("\n")[2], GREETING)
    (bot / USE).write_text(SHOWN[USE], encoding="utf-8")
    await reader.types(f"git checkout -q endpoints.yml actions/__init__.py\n{uninstall.code}")
    assert reader.output == f"{USE}:4:from rasa_ps7 import verified_context\n"
    (bot / USE).unlink()
    *_, find = uninstall.code.splitlines()
    await reader.types(f"! {find}\nrm .env\ngit status --porcelain")
    assert reader.output == "?? .gitignore\n"

    (copied,) = shown_under("The folder instead of the wheel")
    await reader.types(f"{copied.code}.venv-actions/bin/python -m actions.ps7 key")
    assert reader.output.startswith('["')


# docs/reference.md


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


# docs/channels.md


@pytest.mark.conversation
def test_what_is_shown_for_rasa_is_what_rasa_takes(in_rasa: InRasa) -> None:
    """A channel that reads the contextId from a header."""
    ask = "found = AppInput().get_metadata(type('', (), {'headers': {'x-context-id': 'ana'}}))"
    assert in_rasa(f"{SHOWN['channels/app.py']}\n{ask}") == {"contextId": "ana"}
