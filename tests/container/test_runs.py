"""The files that the image holds, its command and its health check, run without a container.

The interpreter is that of the tests. Everything else is taken from the Dockerfile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL

import pytest
from rasa_sdk.constants import DEFAULT_SERVER_PORT

from actions.ps7.testing import Simulator
from tests.container.images import DOCKERFILE, Image
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.processes import Process, free_port

pytestmark = pytest.mark.release

DEAD = "http://127.0.0.1:9"
"""A proxy that is not there."""
OURS = {LOOK_UP, VERIFY, FORGET}
OWN = {
    "action_answer_account",
    "action_answer_balance",
    "action_hand_over",
    "action_offer_ivr_option",
}
"""The actions of examples/oss-bot."""


def environment(image: Image, scratch: Path) -> dict[str, str]:
    """Return the variables of the image, with the interpreter where the image has its own."""
    variables = dict(each.split("=") for each in image.last("ENV").value.split())
    python = Path(sys.executable).parent
    return {
        **variables,
        "PATH": f"{python}:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "TMPDIR": str(scratch),
        "http_proxy": DEAD,
    }


def lay_out(image: Image, root: Path, variables: dict[str, str], *, doctor: bool) -> Path:
    """Copy what the image holds of ours, and do with it what is done there; return the folder."""
    mask = os.umask(0o077)  # as strict as a machine that builds it may be
    image.carry_out_copies(root)
    os.umask(mask)
    workdir = image.last("CMD").workdir
    (run,) = (step for step in image.of("RUN") if step.workdir == workdir)
    folder = root / workdir.relative_to("/")
    subprocess.run(["/bin/sh", "-c", run.value], cwd=folder, env=variables, check=True)
    if doctor:
        source, place = (root / name[1:] for name in image.last("COPY").value.split()[1:])
        place.chmod(0o755)
        shutil.copytree(source, place, dirs_exist_ok=True)
    return folder


def files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "doctor", "registered"),
    [
        ({}, False, OURS),
        ({"ACTIONS": "examples/oss-bot/actions"}, False, OURS | OWN),
        ({}, True, OURS),
    ],
    ids=["the plugin alone", "the actions of a bot", "with the command"],
)
async def test_the_command_serves_and_the_health_check_tells(
    arguments: dict[str, str],
    doctor: bool,
    registered: set[str],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """With the plugin alone, and with a bot's actions: a lookup; healthy, until SIGTERM ends it.

    In the doctor's image the doctor finds no fault. Any user can read all of it, nothing is written
    to where it runs, it has no home, and a proxy is not asked for the health.
    """
    image = Image(DOCKERFILE, arguments)
    scratch = tmp_path_factory.mktemp("tmp")  # a short path: sockets are made in there
    variables = environment(image, scratch)
    app = lay_out(image, tmp_path / "root", variables, doctor=doctor)
    rooms = {room for room in ("cli", "testing") if (app / "actions" / "ps7" / room).exists()}
    assert rooms == ({"cli", "testing"} if doctor else set())
    before = files(app)
    port = str(free_port())

    def healthy(command: Sequence[str]) -> bool:
        asked = [part.replace(str(DEFAULT_SERVER_PORT), port) for part in command]
        return subprocess.run(asked, env=variables, check=False, stderr=DEVNULL).returncode == 0

    check = image.last("HEALTHCHECK").command
    assert not healthy(check)
    async with Simulator() as ps7:
        process = await Process.start(
            tmp_path / "server.log",
            *(*image.last("CMD").command, "--port", port),
            cwd=app,
            variables={**variables, **ps7.environment, "SANIC_HOST": "127.0.0.1"},
        )
        try:
            await process.answers(f"http://127.0.0.1:{port}/health")
            server = ActionServer(process, f"http://127.0.0.1:{port}")
            assert healthy(check)
            async with server.connect() as connection:
                assert set(await connection.actions()) == registered
            user = Dialogue()
            assert (await user.turn(server.send, metadata={"contextId": "ana"}))["cpf"]
            asked = await Process.start(
                tmp_path / "doctor.log",
                *("python", "-m", f"{image.last('CMD').command[-1]}.ps7", "doctor"),
                cwd=app,
                variables={**variables, **ps7.environment},
            )
            assert await asked.exit_code() == (0 if doctor else 2), asked.output
            said = "PS7 takes the credentials" if doctor else "is not installed here"
            assert said in asked.output
            assert await server.stop() == 0
        finally:
            await process.kill()

    assert not healthy(check)
    assert files(app) == before
    assert {path.stat().st_mode & 0o666 for path in before} == {0o444}
    assert list(scratch.iterdir()) == []
    assert process.complaints == []
