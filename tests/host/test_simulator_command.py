"""`python -m actions.ps7.testing.simulator`, as a person or a script starts it."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.request import urlopen

import pytest

from actions.ps7.cli.command import main as rasa_ps7
from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator.__main__ import _port, main, startup_text
from tests.support.simulator_client import JSON, PATH

MODULE = "actions.ps7.testing.simulator"
VARIABLES = ("PS7_USERNAME", "PS7_PASSWORD", "PS7_API_KEY", "PS7_APP_KEY", "PS7_APP_SECRET")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
pytestmark = pytest.mark.usefixtures("isolated")


class Terminal(io.StringIO):
    """A standard output that runs `meanwhile` beside the command, and ends it with a signal."""

    def __init__(self, number: signal.Signals, meanwhile: Callable[[str], None]) -> None:
        super().__init__()
        self._number, self._meanwhile = number, meanwhile
        self._acts = [threading.Thread(target=self._act)]

    def flush(self) -> None:
        """Act in another thread: the start-up text is complete, and the command begins to serve."""
        while self._acts:
            self._acts.pop().start()

    def _act(self) -> None:
        try:
            self._meanwhile(self.getvalue().splitlines()[0].partition("http://")[2])
        finally:
            os.kill(os.getpid(), self._number)


def look_up(address: str, **headers: str) -> int:
    """Look Ana up and return the status."""
    with closing(HTTPConnection(address, timeout=10)) as connection:
        connection.request("POST", PATH, '{"contextId": "ana"}', {**JSON, **headers})
        return connection.getresponse().status


def test_it_serves_until_a_signal_and_ends_cleanly(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Any credentials will do; it keeps the newest requests alone; handlers are restored."""
    monkeypatch.setattr(f"{MODULE}.__main__._KEPT_REQUESTS", 1)
    statuses: list[int] = []

    def serve(address: str) -> None:
        statuses.append(look_up(address, userName="any", password="any"))
        statuses.append(look_up(address, userName="any"))
        with urlopen(f"http://{address}/requests", timeout=10) as shown:
            statuses.extend(each["status"] for each in json.load(shown)["requests"])

    before = [signal.getsignal(one) for one in SIGNALS]
    monkeypatch.setattr(sys, "stdout", Terminal(signal.SIGINT, serve))
    assert rasa_ps7(["simulate"]) == 0
    assert statuses == [200, 401, 401]
    assert [signal.getsignal(one) for one in SIGNALS] == before
    assert capfd.readouterr() == ("", "")


def test_the_module_takes_credentials_from_environment_options_and_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is given must match, and is not printed: it may be a real one. Options go first."""
    for name in VARIABLES:
        monkeypatch.setenv(name, f"{name}-made-up")
    statuses: list[int] = []
    keys = {"x-itau-apikey": "PS7_API_KEY-made-up", "x-app-key": "PS7_APP_KEY-made-up"}

    def serve(address: str) -> None:
        for username, password in (
            ("PS7_USERNAME-made-up", "PS7_PASSWORD-made-up"),
            ("any", "p-opt"),
            ("PS7_USERNAME-made-up", "p-opt"),
        ):
            statuses.append(look_up(address, userName=username, password=password, **keys))

    options = ("--password", "-", "--app-secret", "", "--requests-per-second", "0")
    monkeypatch.setattr(sys, "stdout", terminal := Terminal(signal.SIGTERM, serve))
    monkeypatch.setattr(sys, "stdin", io.StringIO("p-opt\n"))
    monkeypatch.setattr(sys, "argv", ["simulator", *options])
    monkeypatch.delitem(sys.modules, f"{MODULE}.__main__")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(MODULE, run_name="__main__")
    assert (ended.value.code, statuses) == (0, [401, 401, 429])
    assert "PS7_PASSWORD=<as given>" in terminal.getvalue()
    assert not re.search("-made-up|-opt|will do", terminal.getvalue())


def test_where_it_cannot_listen_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port that is taken, an address of another machine: no traceback, exit code 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for host, reason in (("127.0.0.1", ".*address already in use.*"), ("192.0.2.1", ".+")):
            assert main(["--host", host, "--port", str(port)]) == 1
            out, err = capsys.readouterr()
            start = re.escape(f"PS7 simulator: it cannot listen on {host}, port {port}: ")
            assert out == "", err
            assert re.fullmatch(f"{start}{reason}\n", err), err


def test_the_startup_text_names_every_setting_customer_and_fault() -> None:
    """What a newcomer needs stands there, a line each; keys that were given are not shown."""
    lines = startup_text(Simulator(port=8077, username=None, app_secret="hush")).splitlines()
    assert lines[0] == "PS7 simulator: http://127.0.0.1:8077"
    for setting in (
        *("BASE_URL=http://127.0.0.1:8077", "USERNAME=simulator", "PASSWORD=<as given>"),
        *("APP_KEY=simulator", "APP_SECRET=<as given>"),
    ):
        assert f"  PS7_{setting}" in lines
    assert "any user name and password that are not empty will do" in "".join(lines)
    for who in PERSONAS.values():
        assert any(line.split()[:1] == [who.context_id] and who.title in line for line in lines)
    for fault in FAULTS.values():
        assert any(line.split()[:2] == [fault.context_id, fault.outcome] for line in lines)
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("text", ["65536", "-1", "", "8099 ", "\uff18\uff10", "1e3", "²"])
def test_a_port_is_a_number_that_there_is(text: str) -> None:
    """0 is any that is free."""
    assert [_port(each) for each in ("0", "8099", "65535")] == [0, 8099, 65535]
    with pytest.raises(argparse.ArgumentTypeError, match="from 0 to 65535"):
        _port(text)
