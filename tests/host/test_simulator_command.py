"""`python -m actions.ps7.testing.simulator`, as a person or a script starts it."""

from __future__ import annotations

import http.client
import importlib
import io
import os
import re
import runpy
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from actions.ps7.testing.simulator.command import main, startup_text

if TYPE_CHECKING:
    from collections.abc import Iterator

MODULE = "actions.ps7.testing.simulator"
ROOT = Path(__file__).resolve().parents[2]
VARIABLES = ("PS7_USERNAME", "PS7_PASSWORD", "PS7_API_KEY", "PS7_APP_KEY", "PS7_APP_SECRET")


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
def command(*options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start the command on a free port and give the process and its start-up text."""
    process = subprocess.Popen(
        [sys.executable, "-m", MODULE, "--port", "0", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    with process:
        try:
            yield process, read_startup_text(process.stdout)
        finally:
            process.kill()


def read_startup_text(output: IO[str] | None) -> str:
    """Read up to the last line of it, or to the end of a command that failed."""
    assert output is not None
    lines = []
    for line in output:
        lines.append(line)
        if line == "It ends with Ctrl+C.\n":
            break
    return "".join(lines)


def url_in(text: str) -> str:
    """Give where the command says it listens."""
    found = re.match(r"PS7 simulator: (http://127\.0\.0\.1:\d+)\n", text)
    assert found is not None, text
    return found[1]


def look_up(url: str, **headers: str) -> int:
    """Look Ana up and give the status."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    with closing(connection):
        connection.request(
            "POST",
            "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos",
            b'{"contextId": "ana"}',
            {"Content-Type": "application/json", **headers},
        )
        return connection.getresponse().status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_cleanly(number: signal.Signals) -> None:
    """A free port, any credentials that are not empty, exit code 0 and nothing on stderr."""
    with command() as (process, text):
        url = url_in(text)
        assert look_up(url, userName="any", password="any") == 200
        assert look_up(url, userName="any") == 401
        process.send_signal(number)
        output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_credentials_come_from_the_environment_and_options_go_first() -> None:
    """What is given must match, and is not printed: it may be a real one."""
    with command("--username", "u-opt", PS7_USERNAME="u-env", PS7_PASSWORD="p-env") as started:
        _, text = started
        url = url_in(text)
        assert look_up(url, userName="u-opt", password="p-env") == 200
        assert look_up(url, userName="u-env", password="p-env") == 401
        assert look_up(url, userName="u-opt", password="any") == 401
    assert "PS7_PASSWORD=<as given>" in text
    assert "p-env" not in text
    assert "u-opt" not in text
    assert "will do" not in text


def test_with_an_app_secret_lookups_need_a_token() -> None:
    """Given as an option, which shows in no text."""
    with command("--app-secret", "s-opt", PS7_APP_SECRET="s-env") as (_, text):
        assert look_up(url_in(text), userName="u", password="p") == 401
    assert "PS7_APP_KEY=simulator" in text
    assert "PS7_APP_SECRET=<as given>" in text
    assert "s-opt" not in text


def test_a_slow_answer_does_not_keep_it_from_ending() -> None:
    """Somebody still waits, and Ctrl+C ends it all the same."""
    with command() as (process, text):
        waiting = subprocess.Popen(
            [sys.executable, "-c", SLOW_CLIENT, url_in(text)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with waiting:
            assert waiting.stdout is not None
            assert waiting.stdout.readline() == b"sent\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


SLOW_CLIENT = """
import http.client, sys, urllib.parse
address = urllib.parse.urlsplit(sys.argv[1]).netloc
connection = http.client.HTTPConnection(address, timeout=20)
connection.request(
    "POST",
    "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos",
    b'{"contextId": "slow"}',
    {"Content-Type": "application/json", "userName": "u", "password": "p"},
)
print("sent", flush=True)
connection.getresponse()
"""


def test_importing_the_command_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The action server imports every module under `actions/`, this one too."""
    monkeypatch.delitem(sys.modules, f"{MODULE}.__main__", raising=False)
    assert importlib.import_module(f"{MODULE}.__main__").main is main


async def test_a_port_that_is_taken_is_one_clear_line() -> None:
    """No traceback, exit code 1."""
    async with Simulator() as first:
        process = subprocess.run(  # noqa: ASYNC221 - the first one only has to hold the port
            [sys.executable, "-m", MODULE, "--port", str(first.port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert process.returncode == 1
    assert process.stdout == ""
    assert len(process.stderr.splitlines()) == 1
    assert f"port {first.port}" in process.stderr
    assert "address already in use" in process.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_signal_handlers_are_given_back(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """`main()` can be called from another program."""
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    terminal = Terminal(number)
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([]) == 0
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before
    assert "PS7 simulator: http://127.0.0.1:" in terminal.getvalue()


def test_the_module_runs_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m` ends with the command's exit code."""
    monkeypatch.setattr(sys, "stdout", Terminal(signal.SIGTERM))
    monkeypatch.setattr(sys, "argv", ["simulator", "--port", "0"])
    monkeypatch.delitem(sys.modules, f"{MODULE}.__main__", raising=False)
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(MODULE, run_name="__main__")
    assert ended.value.code == 0


def test_a_host_that_is_not_here_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An address of another machine cannot be listened on."""
    assert main(["--host", "192.0.2.1"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("PS7 simulator: it cannot listen on 192.0.2.1, port 0: ")
    assert len(said.err.splitlines()) == 1


def test_the_startup_text_names_every_setting_customer_and_fault() -> None:
    """What a newcomer needs stands there, a line each."""
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


def test_keys_are_named_where_they_were_given() -> None:
    """The bot needs them too, and their values are not printed."""
    given = Simulator(port=8077, api_key="hush", app_key="hush", app_secret="hush")
    text = startup_text(given)
    assert "PS7_API_KEY=<as given>" in text
    assert "PS7_APP_KEY=<as given>" in text
    assert "PS7_APP_SECRET=<as given>" in text
    assert "hush" not in text


@pytest.mark.parametrize("port", ["70000", "-1", "x", "²"])
def test_a_port_that_is_none_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], port: str
) -> None:
    """The command says what a port is, and exits with 2 as commands do."""
    with pytest.raises(SystemExit) as ended:
        main([f"--port={port}"])
    assert ended.value.code == 2
    assert "a port is a number from 0 to 65535" in capsys.readouterr().err


def test_help_says_what_the_options_default_to(capsys: pytest.CaptureFixture[str]) -> None:
    """A newcomer's first command."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"python -m {MODULE}" in text
    assert all(name in " ".join(text.split()) for name in VARIABLES)
