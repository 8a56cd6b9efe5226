"""The settings as the action server reads them: at registration, all at once, and never aloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.host.conftest import Stage
from tests.support.processes import ROOT

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

BAD = {
    "PS7_BASE_URL": "http://planted-user:planted-password@ps7.invalid",
    "PS7_USERNAME": "planted\tuser",
    "PS7_SEAL_KEYS": '["planted-seal-key"]',
    "PS7_DEADLINE": "planted",
}


async def test_unusable_settings_stop_the_server_with_one_message(
    stage: Stage, python: Path, tmp_path: Path
) -> None:
    """Exit code 1; each variable at fault with what it expects; no traceback, and no value.

    What is at fault, and what is said of it, tests/unit/test_settings.py has.
    """
    (tmp_path / ".env").write_bytes(b"PS7_MAX_AGE=planted\nPS7_PASSWORD=planted\n")
    (tmp_path / "ps7_api_key").write_bytes(b"planted\x00key")
    command = (python, "-m", "rasa_sdk", "--actions", "actions")
    variables = {**BAD, "PS7_SECRETS_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    process = await stage.run(*command, cwd=tmp_path, **variables)
    assert await process.exit_code() == 1
    said = process.output.partition("The PS7 settings are not usable:\n")[2]
    at_fault = re.findall(r"^  (PS7_\w+) .*it expects .+$", said, re.MULTILINE)
    assert sorted(at_fault) == sorted([*BAD, "PS7_MAX_AGE", "PS7_API_KEY"])
    assert process.complaints == []
    assert "planted" not in process.output
