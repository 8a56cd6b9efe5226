"""The entry point of the image: what it decides; `make images` runs it with a real server."""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import ssl
import subprocess
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from actions.ps7 import PS7Settings, SettingsError
from examples.deploy import serve
from tests.support.processes import ROOT

NEVER = (-1, 0)
Served = tuple[int, list[float], list[int]]


def serve_one(
    patched: pytest.MonkeyPatch,
    *answers: bool,
    code: int | None = None,
    told: tuple[int, int] = NEVER,
) -> Served:
    """Serve with a stand-in; return the exit code, each pause, and the signals that were sent.

    Its checks go as `answers` say; then it ends, if it has a code. In its n-th pause, or as it is
    started, the entry point gets a signal.
    """
    pauses: list[float] = []
    sent: list[int] = []
    left = [*answers]
    handlers: dict[int, Callable[[int, None], None]] = {}

    def tell() -> None:
        pause, number = told
        if pause == len(pauses):
            handlers[number](number, None)

    def wait(seconds: float) -> int:
        pauses.append(seconds)
        tell()
        if left or code is None:
            raise subprocess.TimeoutExpired("server", seconds)
        return code

    def begin(_command: list[str], *, start_new_session: bool) -> SimpleNamespace:
        assert start_new_session, "a signal for its group would reach the entry point"
        tell()
        end = partial(sent.append, signal.SIGTERM)
        return SimpleNamespace(pid=4321, wait=wait, send_signal=sent.append, terminate=end)

    patched.setattr(os, "environ", {**os.environ})  # to which the entry point adds
    patched.setattr(serve, "is_healthy", lambda: left.pop(0))
    patched.setattr(signal, "signal", handlers.__setitem__)
    patched.setattr(subprocess, "Popen", begin)
    patched.setattr(os, "killpg", lambda _, number: sent.append(number))
    return serve.serve(["server"]), pauses, sent


@pytest.mark.parametrize(("seconds", "first"), [(10.0, 1.0), (0.2, 0.2)])
def test_a_server_is_ended_after_three_checks_in_a_row_that_failed(
    seconds: float, first: float, isolated: pytest.MonkeyPatch
) -> None:
    """Not before it was healthy: until then it is looked at each second at least."""
    fails = (False, False)
    isolated.setattr(serve, "SECONDS", seconds)
    ended = serve_one(isolated, *fails, *fails, True, *fails, True, *fails, False)
    assert ended == (1, [*[first] * 5, *[seconds] * 6], [signal.SIGKILL])


@pytest.mark.parametrize(
    ("told", "code", "came"),
    [
        ((2, signal.SIGTERM), None, (0, [1, *[2] * 15], [signal.SIGTERM, signal.SIGKILL])),
        ((2, signal.SIGINT), 1, (0, [1, 2], [signal.SIGINT])),
        ((0, signal.SIGINT), -15, (0, [1], [signal.SIGTERM])),
    ],
    ids=["goes on", "falls", "is told as it starts"],
)
def test_a_server_that_is_told_to_end_leaves_exit_code_0(
    told: tuple[int, int], code: int | None, came: Served, isolated: pytest.MonkeyPatch
) -> None:
    """Whatever Sanic's manager does; one that goes on, after the 30 s that turns may take."""
    isolated.setattr(serve, "SECONDS", 2.0)
    healthy = [True] * (told[0] == 2)
    assert serve_one(isolated, *healthy, code=code, told=told) == came


@pytest.mark.parametrize(
    ("given", "starts"),
    [("nothing", False), ("blank", False), ("folder", False), ("variable", True), ("file", True)],
)
def test_no_server_starts_without_arrival_keys(
    given: str, starts: bool, isolated: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The plugin refuses the blank ones that the entry point sets; its exit code is handed on."""
    keys = '["planted-secret-of-a-back-end-and-a-bot"]'
    isolated.setenv("PS7_SECRETS_DIR", str(tmp_path))
    for name in ("USERNAME", "PASSWORD"):
        isolated.setenv(f"PS7_{name}", "planted")
    isolated.setenv("PS7_BASE_URL", "http://127.0.0.1:1")
    if given == "file":
        (tmp_path / serve.ARRIVAL_KEYS).write_text(keys)
    elif given == "folder":
        (tmp_path / serve.ARRIVAL_KEYS).mkdir()
    elif given != "nothing":
        isolated.setenv(serve.ARRIVAL_KEYS, keys if given == "variable" else "")
    assert serve_one(isolated, code=3)[0] == 3
    with nullcontext() if starts else pytest.raises(SettingsError, match=serve.ARRIVAL_KEYS):
        PS7Settings.load()


@pytest.mark.parametrize(
    ("answer", "healthy"),
    [(b"HTTP/1.0 200 OK\r\n\r\n", True), (b"HTTP/1.0 503 Busy\r\n\r\n", False), (b"no\r\n", False)],
    ids=["healthy", "busy", "no HTTP"],
)
async def test_a_check_asks_over_tls_and_through_no_proxy(
    answer: bytes, healthy: bool, deploy_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the authority of HEALTH_CA; whatever is answered, it is no crash."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.write(answer)
        writer.close()

    tls = deploy_folder / "secrets" / "tls"
    shows = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shows.load_cert_chain(tls / "actions.crt", tls / "actions.key")
    monkeypatch.setenv("HEALTH_CA", str(tls / "ca.crt"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    async with await asyncio.start_server(say, "127.0.0.1", 0, ssl=shows) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setattr(serve, "URL", f"https://localhost:{port}/health")
        assert await asyncio.to_thread(serve.is_healthy) is healthy


def test_what_is_not_said_fits_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks the port that the image opens, and ends a silent server within the page's 10 s."""
    assert serve.URL == "http://127.0.0.1:5055/health"
    assert "\nEXPOSE 5055 " in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert (serve.SECONDS + serve.ANSWERED) * serve.PATIENCE < 10
    monkeypatch.setenv("HEALTH_SECONDS", "2.5")
    assert runpy.run_path(serve.__file__)["SECONDS"] == 2.5
