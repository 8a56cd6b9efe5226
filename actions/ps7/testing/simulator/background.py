"""The simulator beside a test: in a thread of its own, so that any test can use it.

It does not matter which event loop a test runs in, whether it runs in one at all, and whether an
action blocks it. Every connection ends with its answer: none stays open when the loop of a test
ends before the simulator does.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from ..faults import FAULTS
from .server import Simulator

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from aiohttp import web
    from typing_extensions import Self


class BackgroundSimulator(Simulator):
    """A simulator that runs while a plain `with` block does.

    with BackgroundSimulator() as ps7:
        with ps7.failing("http-503"):
            ...
        assert ps7.asked == ["ana"]
    """

    _loop: asyncio.AbstractEventLoop
    _ended: asyncio.Event
    _thread: Thread

    @property
    def asked(self) -> list[str]:
        """The contextIds that PS7 was asked about, in order; one for each request.

        A request that the gateway refused did not reach PS7. `requests.clear()` empties it.
        """
        return [request.json["contextId"] for request in self.requests if not request.refusal]

    @contextmanager
    def failing(self, name: str) -> Iterator[None]:
        """Answer every contextId with this one of `FAULTS` while the block runs.

        Raises:
            ValueError: no fault has this name.

        """
        if name not in FAULTS:
            raise ValueError(f"{name!r} is no fault; those are {', '.join(FAULTS)}")
        self._for_all = [self._named[each] for each in (*FAULTS[name].after, name)]
        try:
            yield
        finally:
            self._for_all = []

    @contextmanager
    def down(self) -> Iterator[None]:
        """Refuse every connection while the block runs."""
        self._send(super().stop()).result()
        try:
            yield
        finally:
            self._send(super().start()).result()

    async def start(self) -> None:
        """Listen again, on the same port; see `Simulator.start`."""
        await asyncio.wrap_future(self._send(super().start()))

    async def stop(self) -> None:
        """Listen no more and close every connection; see `Simulator.stop`."""
        await asyncio.wrap_future(self._send(super().stop()))

    def __enter__(self) -> Self:
        started: Future[None] = Future()
        self._thread = Thread(target=asyncio.run, args=(self._live(started),), daemon=True)
        self._thread.start()
        started.result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    async def _live(self, started: Future[None]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        try:
            await super().start()
        except Exception as error:  # noqa: BLE001 - the thread that waits gets it
            started.set_exception(error)
            return
        started.set_result(None)
        await self._ended.wait()
        await super().stop()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await super()._handle(request)
        response.force_close()
        return response

    def _send(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
