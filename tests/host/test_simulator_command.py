"""`python -m actions.ps7.testing.simulator`, as a person or a script starts it."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator.command import main, startup_text
from tests.support.processes import ROOT
from tests.support.simulator_client import JSON, PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = "actions.ps7.testing.simulator"
VARIABLES = ("PS7_USERNAME", "PS7_PASSWORD", "PS7_API_KEY", "PS7_APP_KEY", "PS7_APP_SECRET")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Terminal(io.StringIO):
    """A standard output that ends the command as soon as it said where it listens."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__()
        self._number = number

    def flush(self) -> None:
        """Raise the signal: the start-up text is complete."""
        signal.raise_signal(self._number)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@contextmanager
def command(*options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Start the command on a free port; yield the process, where it listens, and all it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, "--port", "0", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    overdue = threading.Timer(60, process.kill)
    overdue.start()
    with process:
        try:
            assert process.stdout is not None
            text = ""
            while not text.endswith("It ends with Ctrl+C.\n"):
                line = process.stdout.readline()
                assert line, f"it ended after {text!r}"
                text += line
            found = re.match(r"PS7 simulator: http://(127\.0\.0\.1:\d+)\n", text)
            assert found is not None, text
            yield process, found[1], text
        finally:
            overdue.cancel()
            process.kill()


def ask(address: str, method: str, path: str, **headers: str) -> tuple[int, bytes]:
    """Send a request about Ana and return status and body of the answer."""
    with closing(http.client.HTTPConnection(address, timeout=10)) as connection:
        body = b'{"contextId": "ana"}' if method == "POST" else None
        connection.request(method, path, body, {**JSON, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize("number", SIGNALS)
def test_it_serves_until_a_signal_and_ends_cleanly(number: signal.Signals) -> None:
    """Any credentials that are not empty, exit code 0; a client that still waits is no matter."""
    slow = b'{"contextId": "slow"}'
    head = f"POST {PATH} HTTP/1.1\r\nHost: ps7\r\nContent-Type: application/json\r\n"
    head += f"userName: u\r\npassword: p\r\nContent-Length: {len(slow)}\r\n\r\n"
    with command() as (process, address, _):
        assert ask(address, "POST", PATH, userName="any", password="any")[0] == 200
        assert ask(address, "POST", PATH, userName="any")[0] == 401
        host, _, port = address.partition(":")
        with socket.create_connection((host, int(port))) as waiting:
            waiting.sendall(head.encode() + slow)
            for _ in range(200):
                if len(json.loads(ask(address, "GET", "/requests")[1])["requests"]) == 3:
                    break
                time.sleep(0.05)
            process.send_signal(number)
            output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_credentials_come_from_the_environment_and_options_go_first() -> None:
    """What is given must match, and is not printed: it may be a real one."""
    login = {"PS7_USERNAME": "u-env", "PS7_PASSWORD": "p-env"}
    with command("--username", "u-opt", **login) as (_, address, text):
        for username, password, status in (
            ("u-opt", "p-env", 200),
            ("u-env", "p-env", 401),
            ("u-opt", "any", 401),
        ):
            assert ask(address, "POST", PATH, userName=username, password=password)[0] == status
    assert "PS7_PASSWORD=<as given>" in text
    assert not re.search("p-env|u-opt|will do", text)


@pytest.mark.parametrize("number", SIGNALS)
def test_it_can_be_called_from_another_program(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """The signal handlers are restored; with an app secret it says what a bot needs for tokens."""
    monkeypatch.setenv("PS7_APP_SECRET", "s-env")
    before = [signal.getsignal(one) for one in SIGNALS]
    terminal = Terminal(number)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["--app-secret", "s-opt"]) == 0
    assert [signal.getsignal(one) for one in SIGNALS] == before
    text = terminal.getvalue()
    assert text.startswith("PS7 simulator: http://127.0.0.1:")
    assert "PS7_APP_KEY=simulator" in text
    assert "PS7_APP_SECRET=<as given>" in text
    assert "s-opt" not in text


def test_the_module_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` ends with the command's exit code."""
    monkeypatch.setattr(sys, "stdout", Terminal(signal.SIGTERM))
    monkeypatch.setattr(sys, "argv", ["simulator", "--port", "0"])
    monkeypatch.delitem(sys.modules, f"{MODULE}.__main__", raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(MODULE, run_name="__main__")
    assert ended.value.code == 0


@pytest.mark.parametrize(
    ("host", "reason"), [("127.0.0.1", "address already in use"), ("192.0.2.1", "")]
)
def test_where_it_cannot_listen_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], host: str, reason: str
) -> None:
    """A port that is taken, an address of another machine: no traceback, exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--host", host, "--port", str(port)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"PS7 simulator: it cannot listen on {host}, port {port}: ")
    assert reason in said.err
    assert len(said.err.splitlines()) == 1


def test_the_startup_text_names_every_setting_customer_and_fault() -> None:
    """What a newcomer needs stands there, a line each; keys that were given are not shown."""
    text = startup_text(Simulator(port=8077, username=None, password=None))
    lines = text.splitlines()
    assert lines[0] == "PS7 simulator: http://127.0.0.1:8077"
    assert "  PS7_BASE_URL=http://127.0.0.1:8077" in lines
    assert "  PS7_USERNAME=simulator" in lines
    assert "  PS7_PASSWORD=simulator" in lines
    assert "any user name and password that are not empty will do" in text
    for persona in PERSONAS.values():
        assert sum(line.split()[:1] == [persona.context_id] for line in lines) == 1
        assert persona.title in text
    for fault in FAULTS.values():
        assert any(line.split()[:2] == [fault.context_id, fault.outcome] for line in lines)
        assert fault.title in text
    assert all(len(line) <= 100 for line in lines)
    keys = startup_text(Simulator(port=8077, api_key="hush", app_key="hush", app_secret="hush"))
    for name in ("API_KEY", "APP_KEY", "APP_SECRET"):
        assert f"PS7_{name}=<as given>" in keys
    assert "hush" not in keys


@pytest.mark.parametrize(
    ("option", "code", "says"),
    [
        *(
            (f"--port={port}", 2, ["a port is a number from 0 to 65535"])
            for port in ("70000", "-1", "x", "²")
        ),
        ("--help", 0, [f"python -m {MODULE}", *VARIABLES]),
    ],
)
def test_a_wrong_port_and_help_explain_the_options(
    capsys: pytest.CaptureFixture[str], option: str, code: int, says: list[str]
) -> None:
    """A usage error exits with 2 as commands do; help says what the options default to."""
    with pytest.raises(SystemExit) as ended:
        main([option])
    said = "".join(capsys.readouterr())
    assert ended.value.code == code
    assert all(each in " ".join(said.split()) for each in says)
