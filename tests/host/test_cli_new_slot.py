"""A slot is one row of the table: whatever speaks of slots knows it from then on."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path

from tests.support.processes import ROOT

ROW = 'Slot("display_name", "u_display", declared=True),\n    '
BEFORE = 'Slot("ps7_expires_at"'
PROGRAM = """
import asyncio, io, json, os
from ruamel.yaml import YAML
from bank import ActionPS7Context
from bank.cli.domain import OSS, fragment
from bank.cli.lookup import masked
from bank.testing import Conversation, Simulator

text = fragment(OSS, None)

async def filled():
    async with Simulator() as ps7:
        os.environ.update(ps7.environment)
        ps7.answer("C1", body={"payload": {"u_display": " Ana Maria "}})
        bot = Conversation(YAML(typ="safe").load(text), [ActionPS7Context])
        await bot.user("oi", metadata={"contextId": "C1"})
        return bot.slots["display_name"]

print(json.dumps({
    "fragment": text,
    "masked": masked("display_name", "Ana Maria"),
    "filled": asyncio.run(filled()),
}))
"""


async def test_a_slot_is_one_row(tmp_path: Path) -> None:
    """The fragment declares it, the command masks it, and a lookup fills it."""
    copied = tmp_path / "bank"
    shutil.copytree(ROOT / "actions/ps7", copied, ignore=shutil.ignore_patterns("__pycache__"))
    table = copied / "slots.py"
    before, found, after = table.read_text(encoding="utf-8").partition(BEFORE)
    table.write_text(f"{before}{ROW}{found}{after}", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM),
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    said = json.loads(out)
    assert "\n  display_name:\n    type: text\n" in said["fragment"]
    assert (said["masked"], said["filled"]) == ("*******ia", "Ana Maria")
