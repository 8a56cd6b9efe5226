"""The entry point of the image, around a real action server on this machine."""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import ssl
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.processes import ROOT, free_port

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator

SERVE = str(ROOT / "examples" / "deploy" / "serve.py")
EMPTY = ("-m", "rasa_sdk", "--actions", "no_actions")


SHORT = """
import sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Health)
threading.Timer(1.3, server.shutdown).start()
server.serve_forever()
server.server_close()
time.sleep(60)
"""
"""Answers for little more than a second, and lives on."""
DEAF = """
import pathlib, signal, sys, time

signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
"""Goes on, whatever it is told."""
FALLING = DEAF.replace("signal.SIG_IGN", "lambda *_: sys.exit(1)")
"""Falls when it is told to end."""
FALTERING = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

statuses = [200, 503, 503, 200, 503, 503, 200]

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(statuses.pop(0))
        self.end_headers()

server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Health)
while statuses:
    server.handle_request()
sys.exit(7)
"""
"""Fails two checks in a row, and two more, and ends by itself."""
EARLY = """
import os, runpy, signal, subprocess, sys

begin = subprocess.Popen

def told_meanwhile(*given, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    return begin(*given, **options)

subprocess.Popen = told_meanwhile
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""The entry point, which is told to end while it starts the server."""


async def start(*command: str, **variables: str) -> Process:
    """Run the entry point."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, SERVE, *command), env=kept | variables, stderr=asyncio.subprocess.PIPE
    )


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Process]:
    """Serve no actions, until the server is healthy; end whatever is left of it afterwards."""
    (folder / "no_actions.py").touch()
    port = str(free_port())
    told = {"HEALTH_URL": f"http://127.0.0.1:{port}/health", "HEALTH_SECONDS": "0.2"}
    assert await (await start(**told)).wait() == 1, "healthy before it runs"
    command = (sys.executable, *EMPTY, "--port", port)
    process = await start(*command, **told, PYTHONPATH=str(folder))
    family = psutil.Process(process.pid)
    try:
        while await (await start(**told)).wait():
            assert process.returncode is None
        yield process
    finally:
        for each in [*family.children(recursive=True), family] if family.is_running() else []:
            each.kill()
        await process.communicate()


def workers(family: list[psutil.Process]) -> list[psutil.Process]:
    """Return the processes that serve: those that were spawned, but for Sanic's states."""
    spawned = [each for each in family if each.cmdline()[-1:] == ["--multiprocessing-fork"]]
    return sorted(spawned, key=lambda each: float(each.create_time()))[1:]


async def test_a_server_whose_worker_has_died_is_ended(tmp_path: Path) -> None:
    """With all its processes, after three checks that failed: the platform starts it again."""
    async with serving(tmp_path) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        (worker,) = workers(family)
        worker.kill()
        _, said = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 1
        assert b"No answer from http://127.0.0.1:" in said
        assert psutil.wait_procs(family, timeout=5)[1] == []


async def test_a_server_that_was_healthy_for_a_moment_is_ended() -> None:
    """Until it is healthy it is looked at each second, however long it is between two checks."""
    port = str(free_port())
    told = {"HEALTH_URL": f"http://127.0.0.1:{port}/health", "HEALTH_SECONDS": "1.6"}
    process = await start(sys.executable, "-c", SHORT, port, **told)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, b"No answer from" in said) == (1, True)


async def test_a_server_that_falters_now_and_then_goes_on() -> None:
    """Only checks in a row count."""
    port = str(free_port())
    told = {"HEALTH_URL": f"http://127.0.0.1:{port}/health", "HEALTH_SECONDS": "0.2"}
    process = await start(sys.executable, "-c", FALTERING, port, **told)
    await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_server(number: signal.Signals, tmp_path: Path) -> None:
    """With exit code 0 and all its processes, although Sanic's manager may outlive its workers."""
    async with serving(tmp_path) as process:
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        _, said = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 0
        assert b"No answer from" not in said
        assert psutil.wait_procs(family, timeout=5)[1] == []


@pytest.mark.parametrize("program", [DEAF, FALLING], ids=["goes on", "falls"])
async def test_a_server_that_is_told_ends_with_exit_code_0(program: str, tmp_path: Path) -> None:
    """Whatever Sanic's manager does; one that goes on, after as long as one that is silent."""
    there = str(tmp_path / "there")
    process = await start(sys.executable, "-c", program, there, HEALTH_SECONDS="0.2")
    while not (tmp_path / "there").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_a_signal_while_the_server_is_started_ends_it() -> None:
    """Nothing is left that waits for the grace period of the platform."""
    sleeping = (sys.executable, "-c", "import time; time.sleep(60)")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", EARLY, SERVE, *sleeping)
    assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.mark.parametrize(
    ("given", "starts"), [("nothing", False), ("blank", False), ("variable", True), ("file", True)]
)
async def test_no_server_starts_without_arrival_keys(
    given: str, starts: bool, tmp_path: Path
) -> None:
    """The plugin refuses the blank ones that the entry point sets, and says what it expects."""
    keys = '["planted-secret-of-a-back-end-and-a-bot"]'
    told = {"PS7_SECRETS_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    told |= {f"PS7_{name}": "planted" for name in ("USERNAME", "PASSWORD")}
    told |= {"PS7_BASE_URL": "http://127.0.0.1:1"}
    told |= {"blank": {"PS7_ARRIVAL_KEYS": ""}, "variable": {"PS7_ARRIVAL_KEYS": keys}}.get(
        given, {}
    )
    if given == "file":
        (tmp_path / "PS7_ARRIVAL_KEYS").write_text(keys)
    load = "from actions.ps7 import PS7Settings; PS7Settings.load()"
    process = await start(sys.executable, "-c", load, **told)
    _, said = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode == 0) is starts
    assert (b"PS7_ARRIVAL_KEYS cannot be used; it expects" in said) is not starts


async def test_the_exit_code_of_a_command_is_handed_on() -> None:
    """As of the doctor, which never answers on a port."""
    process = await start(sys.executable, "-c", "raise SystemExit(3)")
    assert await process.wait() == 3


@pytest.mark.parametrize(
    ("answer", "healthy"),
    [(b"HTTP/1.0 200 OK\r\n\r\n", True), (b"HTTP/1.0 503 Busy\r\n\r\n", False), (b"no\r\n", False)],
    ids=["healthy", "busy", "no HTTP"],
)
async def test_a_check_asks_over_tls_and_through_no_proxy(
    answer: bytes, healthy: bool, deploy_folder: Path
) -> None:
    """With the authority of HEALTH_CA; whatever is answered, it is no crash."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(answer)
        writer.close()

    tls = deploy_folder / "secrets" / "tls"
    shows = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shows.load_cert_chain(tls / "actions.crt", tls / "actions.key")
    async with await asyncio.start_server(say, "127.0.0.1", 0, ssl=shows) as server:
        port = server.sockets[0].getsockname()[1]
        told = {"HEALTH_URL": f"https://localhost:{port}/health", "HEALTH_CA": f"{tls}/ca.crt"}
        process = await start(**told, https_proxy="http://127.0.0.1:1")
        _, said = await process.communicate()
    assert (process.returncode, said) == (int(not healthy), b"")


def test_what_is_not_said_fits_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks the port that the image opens, and ends a silent server within the page's 40 s."""
    for name in ("URL", "SECONDS"):
        monkeypatch.delenv(f"HEALTH_{name}", raising=False)
    it = runpy.run_path(SERVE)
    assert it["URL"] == "http://127.0.0.1:5055/health"
    assert "\nEXPOSE 5055 " in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert it["PATIENCE"] == 3
    assert it["SECONDS"] * (it["PATIENCE"] + 1) == 40
