"""The command `rasa-ps7`: in this process, or as one with an environment of its own."""

from __future__ import annotations

import asyncio
import io
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from actions.ps7.cli.command import main
from tests.support.processes import ROOT


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


class Ended(NamedTuple):
    """What a command said, and its exit code."""

    code: object
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(isolated: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:  # noqa: ARG001
    """What runs a command line, and more arguments, here: where nothing is set."""

    def run(line: str, *more: str) -> Ended:
        capsys.readouterr()
        try:
            code: object = main([*shlex.split(line), *more])
        except SystemExit as ending:
            code = ending.code
        return Ended(code, *capsys.readouterr())

    return run


async def command(
    *arguments: str | Path, cwd: Path, variables: Mapping[str, str] | None = None
) -> Ended:
    """Run `python -m actions.ps7 …`; it sees `variables` and what any program needs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actions.ps7", *map(str, arguments)),
        cwd=cwd,
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            **(variables or {}),
        },
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())
