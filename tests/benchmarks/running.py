"""Runs a benchmark as a person would, and reads the tables that it shows."""

from __future__ import annotations

import asyncio
import re
import sys

from tests.support.processes import ROOT


async def run(name: str, *arguments: str, **variables: str) -> dict[str, list[str]]:
    """Return the rows of its tables; one that finds something wrong fails the test."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"benchmarks.{name}".removesuffix("."), *arguments),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, output
    rows = [line.split(" | ") for line in re.findall(r"^\| (.*?) ?\|$", output, re.MULTILINE)]
    return {name: [cell.strip() for cell in cells] for name, *cells in rows}
