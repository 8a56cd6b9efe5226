"""The settings as the action server reads them: at registration, all at once, and never aloud."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from tests.host.conftest import Stage, seal_keys
from tests.support.dialogue import Dialogue
from tests.support.processes import ROOT

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

BAD = {
    "PS7_BASE_URL": "http://planted-user:planted-password@ps7.invalid",
    "PS7_USERNAME": "planted\tuser",
    "PS7_SEAL_KEYS": '["planted-seal-key"]',
    "PS7_DEADLINE": "planted",
}
ENV, SECRET = b"PS7_MAX_AGE=planted\nPS7_PASSWORD=planted\n", b"planted\x00key"


@pytest.mark.parametrize(
    ("env", "at_fault"),
    [(ENV, {*BAD, "PS7_MAX_AGE", "PS7_API_KEY"}), (b"PS7_API_KEY=planted-\xff\n", {".env"})],
    ids=["all bad", "unreadable"],
)
async def test_unusable_settings_stop_the_server_with_one_message(
    stage: Stage, python: Path, tmp_path: Path, env: bytes, at_fault: set[str]
) -> None:
    """Exit code 1; each variable at fault with what it expects; no traceback, and no value.

    What is at fault, and what is said of it, tests/unit/test_settings.py has.
    """
    (tmp_path / ".env").write_bytes(env)
    (tmp_path / "ps7_api_key").write_bytes(SECRET)

    process = await stage.launch(
        python, cwd=tmp_path, variables={**BAD, "PS7_SECRETS_DIR": str(tmp_path)}
    )

    assert await process.exit_code() == 1
    head, *lines = _message(process.output)
    assert head == "The PS7 settings are not usable:"
    assert {line.split()[0] for line in lines} == at_fault
    assert len(lines) == len(at_fault)
    if at_fault != {".env"}:
        assert all(re.search(r"it expects [^;]{5,}", line) for line in lines)
    assert process.complaints == []
    assert "planted" not in process.output


def _message(output: str) -> list[str]:
    """Return the lines that are none of the log's, which begin with the time."""
    return [line for line in output.splitlines() if not re.match(r"\d{4}-\d\d-\d\d ", line)]


async def test_settings_come_from_environment_dot_env_and_secret_files(
    stage: Stage, python: Path, ps7: Simulator, tmp_path: Path
) -> None:
    """In that order, each by itself; from the working folder, wherever the code is."""
    env, secrets = tmp_path / ".env", tmp_path / "secrets"
    env.write_text("# a comment\nPS7_USERNAME=from-dot-env\nPS7_PASSWORD='simulator'\nOTHER=1\n")
    secrets.mkdir()
    for name, value in {
        "PS7_USERNAME": "from-secret",
        "PS7_PASSWORD": "from-secret",
        "PS7_API_KEY": "from-secret\n",
        "ps7_seal_keys": seal_keys() + "\n",
        "OTHER": "1",
    }.items():
        (secrets / name).write_text(value)
    server = await stage.start(
        python,
        cwd=tmp_path,
        PYTHONPATH=str(ROOT),
        PS7_USERNAME="simulator",
        PS7_PASSWORD="",
        PS7_SECRETS_DIR="secrets",
    )

    await Dialogue().turn(server.send, metadata={"contextId": "ana"})

    (request,) = ps7.requests
    assert request.status == 200
    sent = [request.headers[name] for name in ("userName", "password", "x-itau-apikey")]
    assert sent == ["simulator", "simulator", "from-secret"]
    assert "PS7_SEAL_KEYS is not set" not in server.process.output
