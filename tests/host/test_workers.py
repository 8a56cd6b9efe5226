"""The watch beside Sanic's manager of workers: the SDK's own `run`, in this process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from types import SimpleNamespace
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from actions.ps7.dialogue import workers as the_module
from actions.ps7.dialogue.workers import Watch
from rasa_sdk import endpoint
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context
from tests.support.processes import free_port


@pytest.fixture
def _spawning() -> Iterator[None]:
    """Forget how a test before this one has started processes: Sanic does not overrule it."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(None, force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


@contextmanager
def meanwhile(script: Callable[[], None]) -> Iterator[None]:
    """Run a script beside the server that this thread runs; SIGTERM is its last line."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    ended = threading.Event()

    def play() -> None:
        try:
            script()
        finally:
            if not ended.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def run_server(port: int) -> None:
    """Serve until a signal comes."""
    executor = ActionExecutor()
    executor.register_action(ActionPS7Context)
    endpoint.run(executor, port)


def workers() -> list[int]:
    """Return the processes that serve."""
    children = multiprocessing.active_children()
    return [child.pid for child in children if child.pid and child.name.startswith("Sanic-Server")]


def health(port: int) -> None:
    """Wait for an answer, for as long as a server may take to start."""
    for _ in range(300):
        with suppress(URLError), urlopen(f"http://127.0.0.1:{port}/health"):
            return
        time.sleep(0.1)
    pytest.fail("nobody answers")


@pytest.mark.usefixtures("settings", "_spawning")
def test_a_dead_worker_is_replaced_until_a_signal_comes(
    caplog: pytest.LogCaptureFixture, isolated: pytest.MonkeyPatch
) -> None:
    """Behind the same port: whoever calls meanwhile waits. A line of the log names the dead one.

    The signal comes while a worker starts, for whose report Sanic would wait for ever.
    """
    isolated.setenv("SANIC_USE_UVLOOP", "false")  # else it is the loop of all tests after this one
    port, seen = free_port(), list[int]()

    def kill_one() -> None:
        seen.extend(workers())
        os.kill(seen[-1], signal.SIGKILL)

    def script() -> None:
        health(port)
        kill_one()
        health(port)
        kill_one()
        while set(workers()) <= set(seen):
            time.sleep(0.01)

    with meanwhile(script):
        run_server(port)
    assert workers() == []
    assert len(set(seen)) == len(seen) == 2
    said = [each.message for each in caplog.records if each.name.endswith("dialogue.workers")]
    assert said == [f"Worker {pid} has died (exit code -9); replaced" for pid in seen]


class State(Enum):
    """Of Sanic's states of a process, those that are met here."""

    FAILED = "failed"
    ACKED = "acked"


class Worker:
    """A worker process, as Sanic's manager notes it."""

    name, pid, exitcode = "Sanic-Server-0-0", 4711, -9

    def __init__(self, state: State) -> None:
        self.state = state

    def set_state(self, state: State, *, force: bool) -> None:
        assert force
        self.state = state


@pytest.mark.parametrize("reported", ["STARTED", "ACKED"])
def test_a_worker_is_replaced_once_and_one_that_starts_is_killed_at_the_end(
    monkeypatch: pytest.MonkeyPatch, reported: str
) -> None:
    """The manager waits for the report of each worker; one that has reported ends by itself."""
    sent, killed = list[str](), list[tuple[int, int]]()
    worker = Worker(State.FAILED)
    manager: Any = SimpleNamespace(
        transient_processes=[worker],
        worker_state={worker.name: {"state": reported}},
        monitor_publisher=SimpleNamespace(send=sent.append),
        shutdown_signal=None,
    )
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(the_module, "os", SimpleNamespace(kill=lambda *it: killed.append(it)))
    looks = iter([None, None])

    def look(_seconds: float) -> None:
        if next(looks, "over") == "over":
            raise EOFError  # the manager has ended

    monkeypatch.setattr(the_module, "time", SimpleNamespace(sleep=look))
    watch = Watch(manager)
    watch.run()
    assert sent == [worker.name]
    watch._stop_all(signal.SIGTERM, None)
    looks = iter([None])
    watch.run()
    assert sent == [worker.name, "__TERMINATE__"]
    starts = reported == "STARTED"
    assert killed == ([(worker.pid, signal.SIGKILL)] if starts else [])
    assert worker.state is (State.ACKED if starts else State.FAILED)
