"""What becomes of a message between the 200 that its service heard and its turn.

- A delivery is taken once: by every Rasa server and after a restart if there is Redis, and
  by this process alone if there is not.
- A sender's messages are answered in their order. Of a flood, only the newest are.
- What is not answered is counted in a line, which names neither sender nor text.

It knows no service, and nothing of Rasa.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

import redis.asyncio
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Turn = Callable[[], Awaitable[None]]

REMEMBERED = 2 * 3600
"""Seconds for which a delivery is remembered: more than `cloud_api.MAX_AGE`."""
ADDRESSES = 24 * 3600
"""Seconds for which an address is kept: as long as WhatsApp lets a business answer."""
WAITING = 10
"""How many messages of one sender wait for their turn."""
MOST = 100_000
"""How many names `Memory` keeps."""
PATIENCE = 0.5
"""Seconds for a command of Redis."""

_log = logging.getLogger(__name__)


class Memory:
    """What `Inbox` uses of Redis, for one process and until it ends."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._kept: dict[str, tuple[float, str]] = {}

    async def set(self, name: str, value: str, *, ex: int, nx: bool = False) -> bool | None:
        """Keep a value for `ex` seconds; None if `nx` and there is one already."""
        if nx and await self.get(name) is not None:
            return None
        self._kept.pop(name, None)
        self._kept[name] = (time.monotonic() + ex, value)
        if len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return True

    async def get(self, name: str) -> str | None:
        """Return a value whose time is not over."""
        until, value = self._kept.get(name, (0.0, ""))
        return value if until > time.monotonic() else None

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class Inbox:
    """The messages of one channel."""

    def __init__(self, channel: str, redis_url: str = "") -> None:
        """Take the name of the channel, and the address of Redis if there is one."""
        self._channel = channel
        self._store: Memory | redis.asyncio.Redis[str] = Memory()
        if redis_url:
            limits = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
            self._store = redis.asyncio.from_url(redis_url, decode_responses=True, **limits)
        self._waiting: dict[str, deque[Turn]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self.counts: Counter[str] = Counter()

    def count(self, what: str, times: int = 1) -> None:
        """Count what cost an answer, and say so in a line."""
        self.counts[what] += times
        _log.warning("%s: %s, %d so far", self._channel, what, self.counts[what])

    async def _ask(self, command: Awaitable[Any], otherwise: object) -> Any:  # noqa: ANN401
        try:
            return await command
        except RedisError as error:
            self.count(f"Redis did not answer ({type(error).__name__})")
            return otherwise

    async def is_new(self, delivery: str) -> bool:
        """Whether this is the first time. If Redis is away, it is: better twice than never."""
        name = f"{self._channel}:seen:{delivery}"
        return bool(await self._ask(self._store.set(name, "1", ex=REMEMBERED, nx=True), "new"))

    async def remember(self, sender: str, address: str) -> None:
        """Keep where a sender is answered, for what is said while no turn of theirs runs."""
        name = f"{self._channel}:to:{sender}"
        await self._ask(self._store.set(name, address, ex=ADDRESSES), None)

    async def address(self, sender: str) -> str | None:
        """Return where a sender is answered, None if they have not written for a day."""
        name = f"{self._channel}:to:{sender}"
        return await self._ask(self._store.get(name), None)  # type: ignore[no-any-return]

    def take(self, sender: str, turn: Turn) -> None:
        """Let a turn follow the earlier ones of its sender; the oldest that waits makes room."""
        waiting = self._waiting.get(sender)
        if waiting is None:
            waiting = self._waiting[sender] = deque(maxlen=WAITING)
            worker = asyncio.create_task(self._answer(sender, waiting))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        if len(waiting) == WAITING:
            self.count("a message gave way to newer ones of its sender")
        waiting.append(turn)

    async def _answer(self, sender: str, waiting: deque[Turn]) -> None:
        while waiting:
            try:
                await waiting.popleft()()
            except Exception as error:  # noqa: BLE001 - its text may hold what the customer said
                self.count(f"a turn failed ({type(error).__name__})")
        del self._waiting[sender]

    async def close(self, seconds: float) -> None:
        """Give what was taken some seconds more, and count what remains."""
        if self._workers:
            await asyncio.wait(self._workers, timeout=seconds)
        if left := sum(1 + len(waiting) for waiting in self._waiting.values()):
            self.count("messages were not answered before the end", left)
        for worker in self._workers:
            worker.cancel()
        await self._store.close()
