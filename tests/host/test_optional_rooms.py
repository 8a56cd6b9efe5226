"""`cli/` and `testing/` are optional: a copy of the plugin without them serves its customers.

An action server imports every module below `actions/`, so whatever a remaining module needs has to
be there at its start.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.host.conftest import Stage, seal_keys
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.processes import ROOT


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("left_out", ["cli", "testing", "cli testing __main__.py"])
async def test_a_copy_without_a_room_knows_its_customer(
    stage: Stage, tmp_path: Path, left_out: str
) -> None:
    """The three actions are registered, a customer is looked up, and no line complains."""
    ignored = shutil.ignore_patterns("__pycache__")
    plugin = shutil.copytree(ROOT / "actions", tmp_path / "actions", ignore=ignored) / "ps7"
    for name in left_out.split():
        (shutil.rmtree if (plugin / name).is_dir() else Path.unlink)(plugin / name)
    server = await stage.start(
        Path(sys.executable), cwd=tmp_path, PYTHONPATH="", PS7_SEAL_KEYS=seal_keys()
    )
    async with server.connect() as connection:
        assert sorted(await connection.actions()) == sorted((LOOK_UP, VERIFY, FORGET))
        changes = await Dialogue().turn(connection.send, metadata={"contextId": "ana"})
    assert (changes["ps7_status"], changes["account"]) == ("ok", "00123456")
    assert server.process.complaints == []
