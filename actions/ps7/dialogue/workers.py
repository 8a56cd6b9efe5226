"""The worker processes of an action server: what Sanic's manager of them does not do.

From 3.20 on, the SDK serves from worker processes, even from one alone. Sanic 25 only notes that a
worker has died: the port stays open, and nobody answers. It forgets a signal that comes before each
worker has reported, and one that comes while it reads their states lets it fail. So a thread beside
the manager replaces the dead, and signals reach it as messages, as those of its workers do.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanic.worker.manager import WorkerManager
    from sanic.worker.process import WorkerProcess

logger = logging.getLogger(__name__)

_PAUSE = 0.1  # seconds


def watch() -> None:
    """Watch the workers, if this process is the one that starts them."""
    from sanic import Sanic  # noqa: PLC0415 - not every host of the actions has it
    from sanic.exceptions import SanicException  # noqa: PLC0415

    with suppress(SanicException):
        manager = Sanic.get_app("rasa_sdk").manager
        watched = (each.manager for each in threading.enumerate() if isinstance(each, Watch))
        if manager not in watched:
            Watch(manager).start()


class Watch(threading.Thread):
    """Replaces workers that died; and takes SIGTERM and SIGINT, which end all of them."""

    def __init__(self, manager: WorkerManager) -> None:
        """Take the signals: only the main thread can."""
        super().__init__(name="ps7-workers", daemon=True)
        self.manager = manager
        self._stopping = False
        self._replaced: set[int] = set()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_all)

    def _stop_all(self, number: int, _: object) -> None:
        self._stopping = True
        signal.signal(number, self.manager.shutdown_signal)  # a second one kills them
        self.manager.monitor_publisher.send("__TERMINATE__")

    def run(self) -> None:
        """Look at the workers until the manager has come to its end."""
        with suppress(OSError, EOFError):
            while True:
                time.sleep(_PAUSE)
                for process in list(self.manager.transient_processes):
                    if self._stopping:
                        self._stop_one_that_starts(process)
                    elif process.state.name in ("FAILED", "COMPLETED"):
                        self._replace(process)

    def _replace(self, process: WorkerProcess) -> None:
        pid = process.pid
        if pid not in self._replaced:
            self._replaced.add(pid)
            logger.error("Worker %s has died (exit code %s); replaced", pid, process.exitcode)
            self.manager.monitor_publisher.send(process.name)

    def _stop_one_that_starts(self, process: WorkerProcess) -> None:
        state = self.manager.worker_state.get(process.name, {}).get("state")
        if state == "STARTED":  # it serves nobody yet, and the manager waits until it has reported
            os.kill(process.pid, signal.SIGKILL)
            process.set_state(type(process.state)["ACKED"], force=True)
