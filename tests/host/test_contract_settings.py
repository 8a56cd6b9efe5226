"""The settings as the action server reads them: at registration, all at once, and never aloud."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.host.conftest import seal_keys
from tests.support.dialogue import Dialogue
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from actions.ps7.testing import Simulator
    from tests.host.conftest import Stage

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

GOOD = {
    "PS7_BASE_URL": "https://ps7.invalid",
    "PS7_USERNAME": "planted-user",
    "PS7_PASSWORD": "planted-password",
    "PS7_API_KEY": "planted-api-key",
}
BAD = {
    "PS7_BASE_URL": "http://planted-user:planted-password@ps7.invalid",
    "PS7_USERNAME": "planted\tuser",
    "PS7_PASSWORD": "planted\npassword",
    "PS7_SEAL_KEYS": '["planted-seal-key"]',
    "PS7_API_KEY": "planted\x7fkey",
    "PS7_APP_KEY": "planted\u2028key",
    "PS7_ENCODED": "planted",
    "PS7_METADATA_KEYS": '["planted..path"]',
    "PS7_SLOT_NAMES": '{"planted": "x"}',
    "PS7_CLEAR_SLOTS": "planted",
    "PS7_DEADLINE": "planted",
    "PS7_CONNECT_TIMEOUT": "0",
    "PS7_READ_TIMEOUT": "1e9",
    "PS7_MAX_CONNECTIONS": "planted",
    "PS7_MAX_AGE": "nan",
    "PS7_STRICT_CPF": "planted",
}


@dataclass(frozen=True)
class Fault:
    """Settings that no server may start with."""

    variables: dict[str, str]
    named: set[str]
    """What the message names."""
    env: bytes = b""
    """What stands in `.env`."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What stands in the folder of `PS7_SECRETS_DIR`, where there is any."""


REQUIRED = {"PS7_BASE_URL", "PS7_USERNAME", "PS7_PASSWORD"}
ARRIVAL = {"PS7_ARRIVAL_KEYS"}
FAULTS = {
    "nothing": Fault({}, REQUIRED),
    "all bad": Fault(BAD, set(BAD)),
    "one missing, one bad": Fault(
        {**GOOD, "PS7_PASSWORD": "", "PS7_SEAL_KEYS": "planted-seal-key"},
        {"PS7_PASSWORD", "PS7_SEAL_KEYS"},
    ),
    "no folder of secrets": Fault(
        {**GOOD, "PS7_SECRETS_DIR": "planted-folder"}, {"PS7_SECRETS_DIR"}
    ),
    "bad .env": Fault(
        GOOD, {"PS7_DEADLINE", "PS7_MAX_AGE"}, env=b"PS7_DEADLINE=planted\nPS7_MAX_AGE=-1\n"
    ),
    "bad secret file": Fault(
        {"PS7_BASE_URL": "https://ps7.invalid", "PS7_USERNAME": "planted-user"},
        {"PS7_PASSWORD"},
        files={"ps7_password": b"planted\x00password"},
    ),
    "a blank secret": Fault({**GOOD, "PS7_ARRIVAL_KEYS": ""}, ARRIVAL),
    "a secret that is null": Fault({**GOOD, "PS7_ARRIVAL_KEYS": "null"}, ARRIVAL),
    "a blank secret in .env": Fault(GOOD, ARRIVAL, env=b"PS7_ARRIVAL_KEYS=\n"),
    "a secret in .env that is null": Fault(GOOD, ARRIVAL, env=b"PS7_ARRIVAL_KEYS=null\n"),
    "a secret in .env that is no assignment": Fault(GOOD, ARRIVAL, env=b"PS7_ARRIVAL_KEYS\n"),
    "an empty file for a secret": Fault(GOOD, ARRIVAL, files={"PS7_ARRIVAL_KEYS": b""}),
    "a blank file for a secret": Fault(GOOD, ARRIVAL, files={"ps7_arrival_keys": b"\n"}),
    "a file for a secret that is null": Fault(GOOD, ARRIVAL, files={"ps7_arrival_keys": b"null\n"}),
    "a blank secret before a file with one": Fault(
        {**GOOD, "PS7_ARRIVAL_KEYS": ""},
        ARRIVAL,
        files={"ps7_arrival_keys": json.dumps(["planted" * 5]).encode()},
    ),
    "http through a proxy elsewhere": Fault(
        {
            **GOOD,
            "PS7_BASE_URL": "http://127.0.0.1:8080",
            "PS7_PROXY": "http://planted:planted@proxy.invalid:3128",
        },
        {"PS7_PROXY"},
    ),
    "unreadable .env": Fault(GOOD, set(), env=b"PS7_API_KEY=planted-\xff\n"),
    "unreadable secret file": Fault(GOOD, set(), files={"ps7_api_key": b"planted-\xff"}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_unusable_settings_stop_the_server_with_one_message(
    stage: Stage, python: Path, tmp_path: Path, fault: Fault
) -> None:
    """Exit code 1; each variable at fault with what it expects; no traceback, and no value."""
    (tmp_path / ".env").write_bytes(fault.env)
    variables = dict(fault.variables)
    if fault.files:
        variables["PS7_SECRETS_DIR"] = str(tmp_path / "secrets")
        (tmp_path / "secrets").mkdir()
        for name, content in fault.files.items():
            (tmp_path / "secrets" / name).write_bytes(content)

    process = await stage.launch(python, cwd=tmp_path, variables=variables)

    assert await process.exit_code() == 1
    head, *lines = _message(process.output)
    assert head == "The PS7 settings are not usable:"
    assert {line.split()[0] for line in lines} == (fault.named or {".env"})
    assert len(lines) == len(fault.named or {".env"})
    if fault.named:
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
