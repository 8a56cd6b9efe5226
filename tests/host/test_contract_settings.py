"""The settings as the action server reads them: at registration, all at once, and never aloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.host.conftest import Stage
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_unusable_settings_stop_the_server_with_one_message(
    stage: Stage, python: Path, tmp_path: Path
) -> None:
    """Exit code 1; each variable at fault; no traceback, and no value.

    What is at fault, and what is said of it, tests/unit/test_settings.py has.
    """
    (tmp_path / ".env").write_text("PS7_MAX_AGE=planted\nPS7_PASSWORD=planted\n")
    bad = {"PS7_BASE_URL": "http://planted:planted@ps7.invalid", "PS7_USERNAME": "planted\tuser"}
    command = (python, "-m", "rasa_sdk", "--actions", "actions")
    process = await stage.run(*command, cwd=tmp_path, PYTHONPATH=str(ROOT), **bad)
    assert await process.exit_code() == 1
    said = process.output.partition("The PS7 settings are not usable:\n")[2]
    at_fault = re.findall(r"^  (PS7_\w+) .*it expects .+$", said, re.MULTILINE)
    assert sorted(at_fault) == sorted([*bad, "PS7_MAX_AGE"])
    assert process.complaints == []
    assert "planted" not in process.output
