"""A reader who follows README.md to the letter, with a bot that `rasa init` has made.

What stands in a block is done as it stands there. Three things are not as on the reader's machine:
ports are free ones, Rasa learns without a neural net, and pip installs by a link, since what the
tests run with is installed already (tests/wheel/ installs the real thing).
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
from ruamel.yaml import YAML

from tests.docs.documents import Block, document
from tests.docs.shell import commands
from tests.support.processes import ROOT, Process, free_port

if TYPE_CHECKING:
    from pathlib import Path

LEARNS_FAST = """\
recipe: default.v1
language: pt
assistant_id: walk
pipeline:
  - name: WhitespaceTokenizer
  - name: CountVectorsFeaturizer
  - name: LogisticRegressionClassifier
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
"""
_TRAINING = 240.0  # seconds; two busy cores are slow
_YAML = YAML(typ="safe", pure=True)
_YAML.default_flow_style = False
_YAML.width = 1000


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


class Reader:
    """One reader: a folder with the bot, the clone beside it, and terminals."""

    def __init__(self, folder: Path, rasa_python: Path) -> None:
        self.bot = folder / "mybot"
        self._folder = folder
        self._terminals: list[Process] = []
        self._ports = {port: str(free_port()) for port in ("8099", "5055", "5005")}
        (made,) = rasa_python.parents[1].glob("lib/python*/site-packages/rasa/cli/initial_project")
        shutil.copytree(made, self.bot)
        (self.bot / "config.yml").write_text(LEARNS_FAST, encoding="utf-8")
        (folder / "rasa-ps7").symlink_to(ROOT)
        self._prepare(rasa_python)
        page = document("README.md")
        section = page.text.index("\n## Put it into your bot")
        first = page.text[:section].count("\n")
        self.blocks = [block for block in page.blocks if block.line > first]
        (self.promised,) = re.findall(r'The bot answers "([^"]+)"', page.prose)

    def _prepare(self, rasa_python: Path) -> None:
        """Put programs in front of those of the machine: see the top of this file."""
        programs, installed = self._folder / "bin", self._folder / "installed"
        environment = self._folder / "environment" / "bin"
        installed.mkdir()
        _script(programs / "rasa", f'exec {rasa_python} -m rasa "$@"')
        _script(programs / "python3", f'[ "$1 $2" = "-m venv" ] && cp -R {environment.parent} "$3"')
        link = f'ln -s "$PWD/$2/actions/ps7" {installed}/rasa_ps7'
        _script(environment / "pip", f'[ "$1" = install ] && {link}')
        python = f"PYTHONPATH={installed} exec {sys.executable}"
        _script(environment / "python", f'{python} "$@"')
        _script(environment / "rasa-ps7", f'{python} -m rasa_ps7 "$@"')

    def block(self, said: str) -> Block:
        """Give the one block in which something stands."""
        (found,) = (block for block in self.blocks if said in block.code)
        return found

    async def types(self, said: str) -> None:
        """Run a block of commands, line by line, as one types them."""
        await self._done(self.block(said).code)

    def writes(self, said: str, file: str) -> None:
        """Put a block into a file of the bot; YAML beside or instead of what stands there."""
        block, path = self.block(said), self.bot / file
        text = self._with_free_ports(block.code)
        if block.language == "yaml":
            before = (_YAML.load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}
            with path.open("w", encoding="utf-8") as out:
                _YAML.dump(_merged(before, _YAML.load(text)), out)
        else:
            path.write_text(text, encoding="utf-8")

    async def opens_terminals(self, said: str) -> None:
        """Start what stands in a block, each line in a terminal of its own."""
        pages = {"simulate": ("8099", "/"), "rasa_sdk": ("5055", "/health"), "rasa": ("5005", "/")}
        for line in self.block(said).code.splitlines():
            *before, last = self._with_free_ports(line).split(" && ")
            for command in before:
                await self._done(command)
            port, page = next(pages[name] for name in pages if name in line)
            terminal = await self._start(last + self._listening(last, port))
            await terminal.answers(f"http://127.0.0.1:{self._ports[port]}{page}")

    async def arrives(self, who: str = "ana") -> list[str]:
        """Send what the README sends, as somebody; give what the bot answers."""
        (command,) = commands(self._with_free_ports(self.block("curl").code))
        url, body = command.arguments[0], json.loads(command.arguments[-1])
        body |= {"sender": who, "metadata": {"contextId": who}}
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
            return [said["text"] for said in await answer.json()]

    def log_of(self, program: str) -> str:
        """Give what one of the terminals shows."""
        (found,) = (each for each in self._terminals if program in each.name)
        return found.output

    async def leaves(self) -> None:
        """Close every terminal."""
        for terminal in self._terminals:
            await terminal.end()

    def _with_free_ports(self, text: str) -> str:
        return re.sub(r"8099|5055|5005", lambda port: self._ports[port[0]], text)

    def _listening(self, command: str, port: str) -> str:
        """Give what a command that names no port has to be told."""
        return "" if "--port" in command else f" --port {self._ports[port]}"

    async def _done(self, code: str) -> None:
        terminal = await self._start(code)
        if await terminal.exit_code(_TRAINING):
            raise RuntimeError(f"this does not work:\n{code}\n{terminal.tail}")

    async def _start(self, code: str) -> Process:
        number = len(self._terminals)
        name = re.sub(r"\W+", "-", code.splitlines()[0])[:60].strip("-")
        terminal = await Process.start(
            self._folder / f"{number}-{name}.log",
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
        self._terminals.append(terminal)
        return terminal


def _merged(before: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """Give a file as it is after an addition: what has the same name is replaced."""
    both = {
        key: _merged(before[key], value)
        for key, value in more.items()
        if isinstance(value, dict) and isinstance(before.get(key), dict)
    }
    return {**before, **more, **both}
