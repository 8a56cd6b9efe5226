"""From a clone to one's own bot that answers by segment, by the README alone.

What is in a block is done as it is there, with a bot that `rasa init` has made. Four things are not
as on a reader's machine: ports are free ones, Rasa learns without a neural net, pip installs by a
link, since what the tests run with is installed already, and `init` gets `--yes`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import document
from tests.support.init_bots import PIPELINE, POLICIES
from tests.support.processes import ROOT, Process, free_port

pytestmark = [pytest.mark.release, pytest.mark.conversation, pytest.mark.xdist_group("walk")]

PAGES = {"simulate": ("8099", "/"), "rasa_sdk": ("5055", "/health"), "rasa": ("5005", "/")}
"""Where a program of the README listens, and the page at which it answers."""
INITIAL = "lib/python*/site-packages/rasa/cli/initial_project"
README = document("README.md")


def block(said: str) -> str:
    """Return the one block about the reader's bot in which something is."""
    first = README.text.partition("\n## Put it into your bot")[0].count("\n")
    (found,) = (each for each in README.blocks if each.line > first and said in each.code)
    return found.code


class Reader:
    """A folder with the bot, the clone beside it, and terminals."""

    def __init__(self, folder: Path, rasa_python: Path) -> None:
        self.bot = folder / "mybot"
        self.terminals: list[Process] = []
        self._folder = folder
        self._ports = {port: str(free_port()) for port, _ in PAGES.values()}
        (made,) = rasa_python.parents[1].glob(INITIAL)
        shutil.copytree(made, self.bot)
        (self.bot / "config.yml").write_text(PIPELINE.replace(": pt", ": en") + POLICIES, "utf-8")
        (folder / "rasa-ps7").symlink_to(ROOT)
        (folder / "installed").mkdir()
        # Programs in front of those of the machine: see the top of this file.
        environment, python = folder / "environment", f"PYTHONPATH={folder}/installed exec"
        programs = {
            "bin/rasa": f'exec {rasa_python} -m rasa "$@"',
            "bin/python3": f'[ "$1 $2" = "-m venv" ] && cp -R {environment} "$3"',
            "environment/bin/pip": f'ln -s "$PWD/$2/actions/ps7" {folder}/installed/rasa_ps7',
            "environment/bin/python": f'{python} {sys.executable} "$@"',
            "environment/bin/rasa-ps7": f'{python} {sys.executable} -m rasa_ps7 "$@"',
        }
        for name, line in programs.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (folder / name).chmod(0o755)

    def with_free_ports(self, text: str) -> str:
        """Return what is read, or was written, with ports that are free."""
        return re.sub("|".join(self._ports), lambda port: self._ports[port[0]], text)

    async def opens(self, line: str) -> None:
        """Start a server in a terminal of its own, and wait until it answers."""
        port, page = next(PAGES[name] for name in PAGES if name in line)
        terminal = await self._start(line if "--port" in line else f"{line} --port {port}")
        await terminal.answers(f"http://127.0.0.1:{self._ports[port]}{page}")

    async def types(self, code: str) -> None:
        """Run commands to their end."""
        terminal = await self._start(code)
        assert await terminal.exit_code() == 0, f"{code}\n{terminal.tail}"

    async def arrives(self, who: str) -> list[str]:
        """Send what the README sends, for this customer; return what the bot answers."""
        line = self.with_free_ports(block("curl")).replace("\\\n", " ")
        _, url, *_, data = shlex.split(line)
        body = {**json.loads(data), "sender": who, "metadata": {"contextId": who}}
        async with aiohttp.ClientSession() as http, http.post(url, json=body) as answer:
            return [said["text"] for said in await answer.json()]

    async def _start(self, code: str) -> Process:
        terminal = await Process.start(
            self._folder / f"terminal-{len(self.terminals)}.log",
            *("/bin/sh", "-e", "-c", self.with_free_ports(code)),
            cwd=self.bot,
            variables={
                "PATH": f"{self._folder / 'bin'}:/usr/bin:/bin",
                "SANIC_HOST": "127.0.0.1",
                "RASA_TELEMETRY_ENABLED": "false",
                "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            },
        )
        self.terminals.append(terminal)
        return terminal


async def test_the_readme_leads_to_a_bot_that_answers_by_segment(tmp_path: Path) -> None:
    """Every step of "Put it into your bot", in its order, and nothing else."""
    (promised,) = re.findall(r'The bot answers "([^"]+)"', README.prose)
    reader = Reader(tmp_path, _rasa_python())
    try:
        await reader.types(block("pip install"))
        await reader.types(f"{block('rasa-ps7 init').strip()} --yes")
        for name in (".env", "endpoints.yml"):
            file = reader.bot / name
            file.write_text(reader.with_free_ports(file.read_text("utf-8")), encoding="utf-8")
        for line in block("rasa train").splitlines():
            *before, last = line.split(" && ")
            for command in before:
                await reader.types(command)
            await reader.opens(last)
        assert await reader.arrives("ana") == [promised]
        assert await reader.arrives("bruno") == ["Hey! How are you?"]
        logs = "".join(each.output for each in reader.terminals)
        assert logs.count("PS7 lookup: outcome=ok reason=ok") == 2
    finally:
        for terminal in reader.terminals:
            await terminal.end()
