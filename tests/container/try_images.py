"""Runs the images of the action server: `make images`."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import time
from pathlib import Path

from actions.ps7.conversation.arrival import sign
from actions.ps7.testing import BackgroundSimulator
from tests.container.engine import Engine, part
from tests.support.action_server import Connection
from tests.support.dialogue import Dialogue

ACTIONS, DOCTOR = "ps7-actions:0.1.0", "ps7-doctor:0.1.0"
PROGRAMS = ("buildah", "podman", "runc", "mmdebstrap")
NAME = "ps7-try-images"
LOCKED = (
    *("--network=host", "--user=1000680000:0", "--read-only", "--cap-drop=all", "--memory=512m"),
    *("--security-opt=no-new-privileges", "--tmpfs=/tmp:size=64m"),
)
"""As any user, as OpenShift chooses them."""
STOPPED = (0, 137)
"""Exit codes of a server that is told to end. Sanic 25's manager sometimes outlives its workers and
is then killed after the grace period: no turn is left by that time."""
KEY = "planted-secret-of-a-back-end-and-a-bot"
KEYS = f'--env=PS7_ARRIVAL_KEYS=["{KEY}"]'
SECRET = re.compile(r"PS7_|PASSWORD|SECRET")
NOT_OURS = re.compile(r"/(cli|testing|tests|\.git|\.env|secrets)(/|$)")
CACHED = re.compile(r"/\.cache/|/opt/.*(/pip/|\.whl$)")
FILES = """
import json, os
top = [f"/{name}" for name in os.listdir("/") if name not in ("proc", "sys", "dev", "run")]
found = [os.path.join(at, f) for each in top for at, _, files in os.walk(each) for f in files]
print(json.dumps({file: os.lstat(file).st_mode for file in found}))
"""
METRICS = """
import urllib.request as web
print(web.urlopen("http://localhost:9464/metrics").read())
"""


class Container:
    """A server that runs, locked down."""

    def __init__(self, engine: Engine, told: list[str]) -> None:
        self.engine = engine
        engine.run("podman", "run", "-d", f"--name={NAME}", *LOCKED, *told, ACTIONS)
        self.started = time.monotonic()

    def stop(self) -> tuple[int, float]:
        """Send SIGTERM, as `podman stop` does; return the exit code, and the seconds it took."""
        began = time.monotonic()
        self.engine.run("podman", "stop", "--time=20", NAME)
        took = time.monotonic() - began
        code = self.engine.run("podman", "wait", NAME).stdout
        self.engine.run("podman", "rm", NAME)
        return int(code), took

    def healthy(self) -> bool:
        """Ask as the image says."""
        return self.engine.run("podman", "healthcheck", "run", NAME, check=False).returncode == 0

    def wait(self) -> None:
        """Wait until it is healthy."""
        while not self.healthy():
            assert time.monotonic() - self.started < 60, self.engine.run(
                "podman", "logs", NAME
            ).stderr
            time.sleep(0.1)

    def inside(self, script: str) -> str:
        """Run some Python in it; return what it printed."""
        return self.engine.run("podman", "exec", NAME, "python", "-c", script).stdout

    def knows(self, context_id: str) -> bool:
        """Look somebody up, by a conversation's first turn."""

        async def ask() -> bool:
            user = Dialogue()
            token = sign(KEY, context_id, user.sender_id)
            async with Connection("http://127.0.0.1:5055") as connection:
                await user.turn(connection.send, metadata={"contextId": token})
            return bool(user.slots["ps7_status"] == "ok")

        return asyncio.run(ask())


def content(engine: Engine) -> str:
    """Look at what is in the image: what is the project's, and what is the base's."""
    run = ("podman", "run", "--rm", "--user=0", "--network=none", ACTIONS, "python", "-c", FILES)
    modes: dict[str, int] = json.loads(engine.run(*run).stdout)
    plain = {name: mode for name, mode in modes.items() if stat.S_ISREG(mode)}
    ours = {name for name in plain if name.startswith("/app/")}
    assert {"/app/rasa_ps7/__init__.py", "/app/endpoints.yml"} <= ours
    assert not [name for name in ours if NOT_OURS.search(name)]
    assert {Path(name).suffix for name in ours} <= {".py", ".pyc", ".typed", ".yml"}
    assert not [name for name in plain if CACHED.search(name)], "a cache of pip"
    installed = {name: mode for name, mode in plain.items() if name.startswith(("/app/", "/opt/"))}
    assert not [name for name, mode in installed.items() if mode & 0o022], "others can write"
    raised = [name for name, mode in plain.items() if mode & (stat.S_ISUID | stat.S_ISGID)]
    assert not set(raised) & installed.keys()
    said = json.loads(engine.run("podman", "inspect", ACTIONS).stdout)[0]
    history = engine.run("podman", "history", "--no-trunc", "--format={{.CreatedBy}}", ACTIONS)
    assert not SECRET.search(" ".join([*said["Config"]["Env"], history.stdout]))
    assert said["Config"]["User"] == "10001:10001"
    return f"{said['Size'] // 1_000_000} MB; {len(raised)} SUID and SGID files, all the base's"


def run(engine: Engine, began: float) -> None:
    """Run them, look into them, and end them."""
    with BackgroundSimulator() as ps7:
        part(f"its content: {content(engine)}", began)

        told = [f"--env={name}={value}" for name, value in ps7.environment.items()]
        refused = engine.run("podman", "run", "--rm", *LOCKED, *told, ACTIONS, check=False)
        assert refused.returncode == 1
        assert "PS7_ARRIVAL_KEYS cannot be used" in refused.stdout + refused.stderr
        part("without PS7_ARRIVAL_KEYS it does not start", began)

        told.append(KEYS)
        server = Container(engine, told)
        server.wait()
        assert server.knows("ana")
        assert "ps7_lookup_duration_seconds_count" in server.inside(METRICS)
        part("any user, read-only, no capability, 512 MB: healthy, and knows a customer", began)
        server.stop()

        for after in (0.3, 0.6, 5.0):
            server = Container(engine, told)
            time.sleep(max(0.0, server.started + after - time.monotonic()))
            code, took = server.stop()
            # In its first moment there is no Sanic yet, which could outlive anything.
            assert code in (STOPPED if after > 1 else STOPPED[:1]), f"exit code {code}"
            assert code or took < 5, f"{took:.1f} s"
            part(f"SIGTERM {after} s after start: ended after {took:.1f} s", began)

        doctor = (*LOCKED, *told, DOCTOR, "python", "-m", "rasa_ps7", "doctor")
        assert "PS7 takes the credentials" in engine.run("podman", "run", "--rm", *doctor).stdout
        part("the doctor's image: the doctor finds no fault", began)
