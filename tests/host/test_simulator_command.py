"""`python -m actions.ps7.testing.simulator`, as a person or a script starts it."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator.__main__ import main, startup_text
from tests.support.simulator_client import JSON, PATH

MODULE = "actions.ps7.testing.simulator"
VARIABLES = ("PS7_USERNAME", "PS7_PASSWORD", "PS7_API_KEY", "PS7_APP_KEY", "PS7_APP_SECRET")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminal(io.StringIO):
    """A standard output that runs `meanwhile` beside the command, and ends it with a signal."""

    def __init__(self, number: signal.Signals, meanwhile: Callable[[str], None]) -> None:
        super().__init__()
        self._number = number
        self._meanwhile = meanwhile

    def flush(self) -> None:
        """Act in another thread: the start-up text is complete, and the command begins to serve."""
        threading.Thread(target=self._act).start()

    def _act(self) -> None:
        try:
            self._meanwhile(self.getvalue().splitlines()[0].partition("http://")[2])
        finally:
            os.kill(os.getpid(), self._number)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@contextmanager
def asking(address: str, method: str, path: str, **headers: str) -> Iterator[HTTPConnection]:
    """Send a request about Ana, or about what its headers say; yield the connection."""
    with closing(HTTPConnection(address, timeout=10)) as connection:
        context_id = headers.pop("context_id", "ana")
        body = json.dumps({"contextId": context_id}) if method == "POST" else None
        connection.request(method, path, body, {**JSON, **headers})
        yield connection


def look_up(address: str, **headers: str) -> int:
    """Look Ana up and return the status."""
    with asking(address, "POST", PATH, **headers) as connection:
        return connection.getresponse().status


@pytest.mark.parametrize("number", SIGNALS)
def test_it_serves_until_a_signal_and_ends_cleanly(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    """Any credentials will do; a client that still waits is no matter; handlers are restored."""
    statuses: list[int] = []
    waiting = ExitStack()

    def serve(address: str) -> None:
        statuses.append(look_up(address, userName="any", password="any"))
        statuses.append(look_up(address, userName="any"))
        slow = {"userName": "u", "password": "p", "context_id": "slow"}
        waiting.enter_context(asking(address, "POST", PATH, **slow))
        for _ in range(200):
            with asking(address, "GET", "/requests") as connection:
                if len(json.loads(connection.getresponse().read())["requests"]) == 3:
                    break
            time.sleep(0.05)

    before = [signal.getsignal(one) for one in SIGNALS]
    with waiting:
        monkeypatch.setattr(sys, "stdout", Terminal(number, serve))
        assert main([]) == 0
    assert statuses == [200, 401]
    assert [signal.getsignal(one) for one in SIGNALS] == before
    assert capfd.readouterr() == ("", "")


def test_credentials_come_from_the_environment_and_options_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is given must match, and is not printed: it may be a real one."""
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{name}-made-up")
    statuses: list[int] = []
    keys = {"x-itau-apikey": "PS7_API_KEY-made-up", "x-app-key": "PS7_APP_KEY-made-up"}

    def serve(address: str) -> None:
        for username, password in (
            ("u-opt", "PS7_PASSWORD-made-up"),
            ("PS7_USERNAME-made-up", "PS7_PASSWORD-made-up"),
            ("u-opt", "any"),
        ):
            statuses.append(look_up(address, userName=username, password=password, **keys))

    terminal = Terminal(signal.SIGTERM, serve)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["--username", "u-opt", "--app-secret", ""]) == 0
    assert statuses == [200, 401, 401]
    assert "PS7_PASSWORD=<as given>" in terminal.getvalue()
    assert not re.search("-made-up|-opt|will do", terminal.getvalue())


def test_the_module_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` ends with the command's exit code; of no lookups a second, each is refused."""
    statuses: list[int] = []

    def ask(address: str) -> None:
        statuses.append(look_up(address, userName="u", password="p"))

    monkeypatch.setattr(sys, "stdout", Terminal(signal.SIGTERM, ask))
    monkeypatch.setattr(sys, "argv", ["simulator", "--port", "0", "--requests-per-second", "0"])
    monkeypatch.delitem(sys.modules, f"{MODULE}.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(MODULE, run_name="__main__")
    assert (ended.value.code, statuses) == (0, [429])


def test_where_it_cannot_listen_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken, an address of another machine: no traceback, exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for host, reason in (("127.0.0.1", ".*address already in use.*"), ("192.0.2.1", ".+")):
            assert main(["--host", host, "--port", str(port)]) == 1
            out, err = capsys.readouterr()
            start = re.escape(f"PS7 simulator: it cannot listen on {host}, port {port}: ")
            assert (out, bool(re.fullmatch(f"{start}{reason}\n", err))) == ("", True), err


def test_the_startup_text_names_every_setting_customer_and_fault() -> None:
    """What a newcomer needs stands there, a line each; keys that were given are not shown."""
    text = startup_text(Simulator(port=8077, username=None, password=None))
    lines = text.splitlines()
    assert lines[0] == "PS7 simulator: http://127.0.0.1:8077"
    for variable in ("BASE_URL=http://127.0.0.1:8077", "USERNAME=simulator", "PASSWORD=simulator"):
        assert f"  PS7_{variable}" in lines
    assert "any user name and password that are not empty will do" in text
    for persona in PERSONAS.values():
        assert sum(line.split()[:1] == [persona.context_id] for line in lines) == 1
        assert persona.title in text
    for fault in FAULTS.values():
        assert any(line.split()[:2] == [fault.context_id, fault.outcome] for line in lines)
        assert fault.title in text
    assert all(len(line) <= 100 for line in lines)
    keys = startup_text(Simulator(port=8077, api_key="hush", app_secret="hush"))
    for line in ("API_KEY=<as given>", "APP_KEY=simulator", "APP_SECRET=<as given>"):
        assert f"PS7_{line}" in keys
    assert "hush" not in keys


def test_a_wrong_port_and_help_explain_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    """A usage error exits with 2 as commands do; help says what the options default to."""
    wrong = "a port is a number from 0 to 65535"
    for option, code, says in (
        *((f"--port={port}", 2, [wrong]) for port in ("70000", "-1", "x", "²")),
        ("--help", 0, [f"python -m {MODULE}", *VARIABLES]),
    ):
        with pytest.raises(SystemExit) as ended:
            main([option])
        said = " ".join("".join(capsys.readouterr()).split())
        assert (ended.value.code, [each for each in says if each not in said]) == (code, [])
