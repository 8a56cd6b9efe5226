"""From a clone to one's own bot that answers by segment, by the README alone, or by hand.

What stands in a block is done as it stands there, with a bot that `rasa init` has made. Four things
are not as on a reader's machine: ports are free ones, Rasa learns without a neural net, pip
installs by a link, since what the tests run with is installed already, and `init` gets `--yes`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ruamel.yaml import YAML

from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import Block, document
from tests.support.init_bots import PIPELINE, POLICIES
from tests.support.processes import ROOT, Process, free_port

pytestmark = [pytest.mark.conversation, pytest.mark.xdist_group("walk")]

TRAINING = 240.0  # seconds; two busy cores are slow
PAGES = {"simulate": ("8099", "/"), "rasa_sdk": ("5055", "/health"), "rasa": ("5005", "/")}
"""Where a program of the README listens, and the page at which it answers."""
INITIAL = "lib/python*/site-packages/rasa/cli/initial_project"
_YAML = YAML(typ="safe", pure=True)
_YAML.default_flow_style = False
_YAML.width = 1000


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def merged(before: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Return a file as it is after an addition: what has the same name is replaced."""
    both = {
        key: merged(before[key], value)
        for key, value in more.items()
        if isinstance(value, dict) and isinstance(before.get(key), dict)
    }
    return {**before, **more, **both}


class Reader:
    """A folder with the bot, the clone beside it, and terminals."""

    def __init__(self, folder: Path, rasa_python: Path) -> None:
        self.bot = folder / "mybot"
        self._folder = folder
        self.terminals: list[Process] = []
        self._ports = {port: str(free_port()) for port in (*dict(PAGES.values()), "8070")}
        (made,) = rasa_python.parents[1].glob(INITIAL)
        shutil.copytree(made, self.bot)
        (self.bot / "config.yml").write_text(PIPELINE.replace(": pt", ": en") + POLICIES, "utf-8")
        (folder / "rasa-ps7").symlink_to(ROOT)
        readme, by_hand = document("README.md"), document("docs/by-hand.md")
        channels = document("examples/channels/README.md")
        first = readme.text.partition("\n## Put it into your bot")[0].count("\n")
        self._blocks = {
            readme.name: [block for block in readme.blocks if block.line > first],
            by_hand.name: by_hand.blocks,
            channels.name: channels.blocks,
        }
        (self.promised,) = re.findall(r'The bot answers "([^"]+)"', readme.prose)
        # Programs in front of those of the machine: see the top of this file.
        programs, installed = folder / "bin", folder / "installed"
        environment = folder / "environment" / "bin"
        installed.mkdir()
        script(programs / "rasa", f'exec {rasa_python} -m rasa "$@"')
        script(programs / "python3", f'[ "$1 $2" = "-m venv" ] && cp -R {environment.parent} "$3"')
        link = f'ln -s "$PWD/$2/actions/ps7" {installed}/rasa_ps7'
        script(environment / "pip", f'[ "$1" = install ] && {link}')
        python = f"PYTHONPATH={installed} exec {sys.executable}"
        script(environment / "python", f'{python} "$@"')
        script(programs / "python", f'exec {rasa_python} -W ignore "$@"')
        script(environment / "rasa-ps7", f'{python} -m rasa_ps7 "$@"')

    def block(self, said: str, page: str = "README.md") -> Block:
        """Return the one block in which something stands, with ports that are free."""
        (found,) = (block for block in self._blocks[page] if said in block.code)
        return found._replace(code=self._free(found.code))

    def takes_free_ports(self, file: str) -> None:
        """Let a file that `init` wrote name ports that are free."""
        path = self.bot / file
        path.write_text(self._free(path.read_text(encoding="utf-8")), encoding="utf-8")

    def _free(self, text: str) -> str:
        return re.sub("|".join(self._ports), lambda port: self._ports[port[0]], text)

    def writes(self, said: str, file: str, page: str = "docs/by-hand.md") -> None:
        """Put a block into a file of the bot; YAML beside or instead of what stands there."""
        block, path = self.block(said, page), self.bot / file
        if block.language == "yaml":
            before = (_YAML.load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
            with path.open("w", encoding="utf-8") as out:
                _YAML.dump(merged(before, _YAML.load(block.code)), out)
        else:
            path.write_text(block.code, encoding="utf-8")

    async def opens_terminals(self, said: str) -> None:
        """Start what stands in a block, each line in a terminal of its own."""
        for line in self.block(said).code.splitlines():
            *before, last = line.split(" && ")
            for command in before:
                await self.types(command)
            await self.opens(last)

    async def opens(self, line: str) -> None:
        """Start a server, and wait until it answers."""
        port, page = next(PAGES[name] for name in PAGES if name in line)
        port = self._ports[port]
        terminal = await self._start(line if "--port" in line else f"{line} --port {port}")
        await terminal.answers(f"http://127.0.0.1:{port}{page}")

    async def arrives(self, who: str) -> list[str]:
        """Send what the README sends, for this customer; return what the bot answers."""
        _, url, *_, data = shlex.split(self.block("curl").code.replace("\\\n", " "))
        body = {**json.loads(data), "sender": who, "metadata": {"contextId": who}}
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
            return [said["text"] for said in await answer.json()]

    async def types(self, code: str) -> str:
        """Run commands to their end; return what they say."""
        terminal = await self._start(code)
        assert await terminal.exit_code(TRAINING) == 0, f"{code}\n{terminal.tail}"
        return terminal.output

    async def _start(self, code: str) -> Process:
        name = re.sub(r"\W+", "-", code.splitlines()[0])[:60].strip("-")
        terminal = await Process.start(
            self._folder / f"{len(self.terminals)}-{name}.log",
            *("/bin/sh", "-e", "-c", code),
            cwd=self.bot,
            variables={
                "PATH": f"{self._folder / 'bin'}:/usr/bin:/bin",
                "SANIC_HOST": "127.0.0.1",
                "RASA_TELEMETRY_ENABLED": "false",
                "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
        )
        self.terminals.append(terminal)
        return terminal


EVERYBODY = ["Hey! How are you?"]


@asynccontextmanager
async def reading(folder: Path) -> AsyncIterator[Reader]:
    """Open terminals as they are needed, and close them."""
    reader = Reader(folder, _rasa_python())
    try:
        yield reader
    finally:
        for terminal in reader.terminals:
            await terminal.end()


async def test_the_readme_leads_to_a_bot_that_answers_by_segment(tmp_path: Path) -> None:
    """Every step of "Put it into your bot", in its order, and nothing else."""
    async with reading(tmp_path) as reader:
        await reader.types(reader.block("pip install").code)
        await reader.types(f"{reader.block('rasa-ps7 init').code.strip()} --yes")
        reader.takes_free_ports(".env")
        reader.takes_free_ports("endpoints.yml")
        await reader.opens_terminals("rasa train")
        assert await reader.arrives("ana") == [reader.promised]
        assert await reader.arrives("bruno") == EVERYBODY
        (log,) = (each.output for each in reader.terminals if "rasa_sdk" in each.name)
        assert log.count("PS7 lookup: outcome=ok reason=ok") == 2


@pytest.mark.release
async def test_the_same_by_hand(tmp_path: Path) -> None:
    """Every block of docs/by-hand.md, and the doctor is content, also where it is strict."""
    async with reading(tmp_path) as reader:
        page = "docs/by-hand.md"
        await reader.types(reader.block("import rasa_ps7", page).code)
        await reader.types(reader.block("mv domain.yml domain/bot.yml", page).code)
        reader.writes("action_endpoint", "endpoints.yml")
        reader.writes("Personnalité", "domain/bot.yml")
        reader.writes("PS7_BASE_URL", ".env")
        await reader.types(reader.block("--strict", page).code)
        await reader.opens_terminals("rasa train")
        assert await reader.arrives("ana") == [reader.promised]
        assert await reader.arrives("bruno") == EVERYBODY


@pytest.mark.release
async def test_one_file_makes_it_know_ana_on_whatsapp(tmp_path: Path) -> None:
    """Every step of that section of examples/channels, after those of the README."""
    page, phone = "examples/channels/README.md", "5511912345678"
    async with reading(tmp_path) as reader:
        await reader.types(reader.block("pip install").code)
        await reader.types(f"{reader.block('rasa-ps7 init').code.strip()} --yes")
        reader.takes_free_ports(".env")
        reader.takes_free_ports("endpoints.yml")
        await reader.types(reader.block("mkdir -p channels", page).code)
        reader.writes("app_secret", "credentials.yml", page)
        reader.writes("export WHATSAPP", "trial.sh", page)
        *servers, rasa = reader.block("rasa train").code.splitlines()
        for line in servers:
            await reader.opens(line.split(" && ")[-1])
        await reader.types(rasa.split(" && ")[0])
        await reader.opens(reader.block("&& rasa run", page).code.strip())
        shown = await reader.types(reader.block("try_it.py", page).code)
        assert "(Rasa answered 200)" in shown
        assert f'bot: {{"body": "{reader.promised}"}}' in shown
        assert phone not in "".join(each.output for each in reader.terminals if "rasa" in each.name)
