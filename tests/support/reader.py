"""A reader at a terminal: in a bot that `rasa init` made, with the clone beside it.

What a page shows is typed as it is there. Three things are not as on a reader's machine: ports are
free ones, pip installs by a link, since what the tests run with is installed already, and `init`
gets `--yes`.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.docs.documents import document
from tests.support.processes import RASA, ROOT, Process, free_port

PAGES = {
    "rasa-ps7 simulate": ("8099", "/"),
    "-m rasa_sdk": ("5055", "/health"),
    "rasa run": ("5005", "/"),
    "examples/desk.py": ("8090", "/"),
}
"""Where a server of the pages listens, by its command, and at which page it answers."""
TALK = "rasa-ps7 chat"
INITIAL = "lib/python*/site-packages/rasa/cli/initial_project"
README = document("README.md")


def block(said: str) -> str:
    """Return the one block of the README about the reader's bot in which something is."""
    first = README.text.partition("\n## Put it into your bot")[0].count("\n")
    (found,) = (each for each in README.blocks if each.line > first and said in each.code)
    return found.code


class Reader:
    """A folder with the bot, the clone beside it, and terminals."""

    def __init__(self, folder: Path, rasa_python: Path) -> None:
        """Lay out the bot as `rasa init` does; `rasa_python` has Rasa."""
        self.bot = folder / "mybot"
        self.servers: dict[str, Process] = {}
        """By their command in `PAGES`."""
        self.output = ""
        """What the newest command said that came to its end."""
        self._logs: list[Path] = []
        self._folder = folder
        self._ports = {port: str(free_port()) for port, _ in PAGES.values()}
        (made,) = rasa_python.parents[1].glob(INITIAL)
        shutil.copytree(made, self.bot, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "rasa-ps7").symlink_to(ROOT)
        (folder / "installed").mkdir()
        # Programs in front of those of the machine: see the top of this file.
        environment, python = folder / "environment", f"PYTHONPATH={folder}/installed exec"
        last = "for last; do :; done"
        link = f'ln -s "$PWD/$last/actions/ps7" {folder}/installed/rasa_ps7'
        programs = {
            "bin/rasa": f'exec {rasa_python} {RASA} "$@"',
            "bin/python3": f'[ "$1 $2" = "-m venv" ] && cp -R {environment} "$3"',
            "environment/bin/pip": f'{last}; [ ! -d "$last" ] || {link}',
            "environment/bin/python": f'{python} {sys.executable} "$@"',
            "environment/bin/rasa-ps7": f'{python} {sys.executable} -m rasa_ps7 "$@"',
        }
        for name, line in programs.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            (folder / name).chmod(0o755)

    async def installs(self) -> None:
        """Do the README's first two steps."""
        await self.follows(block("pip install"))
        await self.types(f"{block('rasa-ps7 init').strip()} --yes")
        for name in (".env", "endpoints.yml"):
            file = self.bot / name
            file.write_text(self._with_free_ports(file.read_text("utf-8")), encoding="utf-8")

    async def follows(self, code: str, said: Sequence[str] = ()) -> None:
        """Do what a block shows, line by line; `said` is what is typed into a chat that it opens.

        A server gets a terminal of its own, where Ctrl+C ends one that was there.
        """
        for line in code.splitlines():
            *before, last = line.split(" && ")
            for command in before:
                await self.types(command)
            server = next((each for each in PAGES if each in last), None)
            if server:
                await self._opens(server, last)
            elif TALK in last:
                await self.talks(last, said)
            else:
                await self.types(last)

    async def talks(self, command: str, said: Sequence[str]) -> None:
        """Open the chat that a page shows, and say all this."""
        lines = "\n".join(said)
        await self.types(f"{command} --url http://127.0.0.1:5005 <<'SAID'\n{lines}\nSAID")

    async def types(self, code: str) -> None:
        """Run a command to its end."""
        terminal = await self._start(code)
        assert await terminal.exit_code() == 0, f"{code}\n{terminal.tail}"
        self.output = terminal.output

    @property
    def all_output(self) -> str:
        """What everything has said so far."""
        return "".join(log.read_text("utf-8", errors="replace") for log in self._logs)

    async def leaves(self) -> None:
        """Close all terminals."""
        for server in self.servers.values():
            await server.end()

    async def _opens(self, server: str, line: str) -> None:
        port, page = PAGES[server]
        if server in self.servers:
            await self.servers[server].end()
        terminal = await self._start(line if "--port" in line else f"{line} --port {port}")
        self.servers[server] = terminal
        await terminal.answers(f"http://127.0.0.1:{self._ports[port]}{page}")

    def _with_free_ports(self, text: str) -> str:
        return re.sub("|".join(self._ports), lambda port: self._ports[port[0]], text)

    async def _start(self, code: str) -> Process:
        self._logs.append(self._folder / f"terminal-{len(self._logs)}.log")
        return await Process.start(
            self._logs[-1],
            *("/bin/sh", "-e", "-c", self._with_free_ports(code)),
            cwd=self.bot,
            variables={
                "PATH": f"{self._folder / 'bin'}:/usr/bin:/bin",
                "PYTHONDONTWRITEBYTECODE": "1",
                "SANIC_HOST": "127.0.0.1",
                "RASA_TELEMETRY_ENABLED": "false",
                "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            },
        )
