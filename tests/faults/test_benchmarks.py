"""The long runs, made short: what they promise holds, and they would notice if it did not."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak import State, grown
from tests.support.processes import ROOT

pytestmark = pytest.mark.release

HASTY = {
    "PS7_BREAKER_RESET": "0.5",
    "PS7_DEADLINE": "0.5",
    "PS7_READ_TIMEOUT": "0.15",
    # A lookup is a request: whatever the machine's pace, the breaker keeps some away.
    "PS7_ATTEMPTS": "1",
}
HOWS = ("silent", "refused")
MIB = 2**20


async def run(results: Path, name: str, *arguments: str, **variables: str) -> None:
    """Run a benchmark as a person would; one that finds something wrong fails the test."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"benchmarks.{name}", *arguments, "--results", str(results)),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, output.decode()


def figures(results: Path, name: str) -> dict[str, Any]:
    """Read what a benchmark wrote down."""
    read: dict[str, Any] = json.loads((results / f"{name}.json").read_text(encoding="utf-8"))
    return read


async def test_a_soak_leaves_nothing_behind(tmp_path: Path) -> None:
    """Thousands of turns: each one answered and logged, no growth, and the breaker had work."""
    await run(tmp_path, "soak", "3000")

    found = figures(tmp_path, "soak")
    assert found["turns answered"] == found["turns"] + found["warm-up turns"]
    assert found["wrong"] == found["lookups without their one line"] == 0
    assert {"ok", "rejected", "denied", "invalid", "unavailable"} == found["outcomes"].keys()
    assert found["turns that needed no lookup"] > 0
    assert found["lookups refused by the breaker"] > 0


async def test_an_outage_is_noticed_by_few_and_not_for_long(tmp_path: Path) -> None:
    """Every turn is answered, known users notice nothing, and new ones are soon known again."""
    await asyncio.gather(
        *(run(tmp_path, "outage", "--dark", "2", "--how", how, **HASTY) for how in HOWS)
    )

    for how in HOWS:
        found = figures(tmp_path, f"outage-{how}")
        assert found["turns answered (%)"] == 100
        assert found["turns of known users that were not ok"] == 0
        assert found["requests that reached PS7 in the dark"] < found["lookups in the dark"]


async def test_a_rush_is_let_through(tmp_path: Path) -> None:
    """Everybody is answered once, and PS7 knows whom it took a request for."""
    few = ("--customers", "20", "--rate", "5", "--seconds", "1", "--only", "429 alone")
    await run(tmp_path, "rush", *few)
    for found in figures(tmp_path, "rush")["rushes"].values():
        assert found["turns"] == 20
        assert (
            found["requests"] - found["requests wasted"] >= found["known in their first turn"] > 4
        )


def test_what_grows_is_named() -> None:
    """Five percent of memory is noise; a descriptor or a task is not."""
    before = State(100 * MIB, 10, 1)
    assert grown(before, State(105 * MIB, 10, 1)) == []
    assert grown(before, State(106 * MIB, 11, 2)) == ["memory", "descriptors", "tasks"]
