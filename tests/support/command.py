"""`python -m actions.ps7 …` as a process, with an environment of its own and piped output."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.support.processes import ROOT


class Terminal(io.StringIO):
    """A stream that a person reads."""

    def isatty(self) -> bool:
        return True


class Ended(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


async def command(
    *arguments: str | Path,
    cwd: Path,
    variables: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> Ended:
    """Run the command to its end; it sees `variables` and what any program needs."""
    process = await start(*arguments, cwd=cwd, variables=variables)
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def start(
    *arguments: str | Path, cwd: Path, variables: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start the command, its three streams piped."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actions.ps7", *map(str, arguments)),
        cwd=cwd,
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            **(variables or {}),
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
