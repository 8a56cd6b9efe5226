"""The watch beside Sanic's manager of workers: the SDK's own `run`, in this process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from rasa_sdk import endpoint
from rasa_sdk.executor import ActionExecutor

from actions.ps7 import ActionPS7Context
from tests.support.processes import free_port


@contextmanager
def meanwhile(script: Callable[[], None]) -> Iterator[None]:
    """Run a script beside the server that this thread runs; SIGTERM is its last line."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def play() -> None:
        try:
            script()
        finally:
            while signal.getsignal(signal.SIGTERM) is before[signal.SIGTERM]:
                time.sleep(0.01)  # the server has not begun yet
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
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


def health(port: int) -> int:
    """Ask, again if nobody listens yet."""
    while True:
        with suppress(URLError), urlopen(f"http://127.0.0.1:{port}/health") as answer:
            return int(answer.status)


@pytest.mark.usefixtures("settings")
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
