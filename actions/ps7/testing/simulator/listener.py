"""The simulator's socket: it listens, on the same port again after a pause, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from aiohttp import web

_GRACE = 0.1
"""Seconds that answers under way get at a stop before their connections are closed."""


class Listener:
    """Hands every request to `handle` while it listens."""

    def __init__(self, handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        self._handle = handle
        self._runner: web.ServerRunner | None = None

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen, unless it does already, and give the port: a free one where `port` is 0.

        Raises:
            OSError: the port is taken, or the host is none of this machine.

        """
        from aiohttp import web  # noqa: PLC0415 - the action server imports this module too

        if self._runner is not None:
            return port
        # A client that leaves ends its answer; and no access log: it would name paths and agents.
        server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port, ssl_context=tls).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        taken: int = runner.addresses[0][1]
        return taken

    async def stop(self) -> None:
        """Listen no more and close every connection. Does nothing where it does not listen."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
