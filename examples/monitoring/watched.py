"""A bot that is watched: PS7's simulator, an action server with two workers, and Prometheus.

All run on free ports of this machine. The action server loads `metrics.py` and Prometheus the rules
beside this file, as they are but for one thing: each of their durations is divided by one factor,
so that an alert on five minutes can be seen within five seconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import tempfile
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from cryptography.fernet import Fernet

from actions.ps7.testing import Simulator
from examples.demo import Customer, action_server, free_ports, server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

HERE = Path(__file__).parent
WORKERS = 2
PROMETHEUS = shutil.which("prometheus")
FIRST_PORT = 9464
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION = re.compile(r"(?<![\w.:])(\d+)([smhd])\b")


def faster(text: str, factor: float) -> str:
    """Divide every duration of rules or of Prometheus's settings."""

    def shorter(found: re.Match[str]) -> str:
        return f"{max(1, round(int(found[1]) * _SECONDS[found[2]] * 1000 / factor))}ms"

    return _DURATION.sub(shorter, text)


@dataclass(frozen=True)
class Watched:
    """What runs, and where it answers."""

    ps7: Simulator
    actions: str
    prometheus: str
    targets: list[str]
    """Where the workers show their metrics."""
    _http: aiohttp.ClientSession = field(repr=False)

    async def turn(self, customer: Customer, context_id: str | None = None) -> str:
        """Let a customer say something; return what `ps7_status` is then."""
        await customer.say(self._http, self.actions, "oi", context_id)
        return str(customer.slots["ps7_status"])

    async def customers(self, rate: float) -> None:
        """Let so many new customers a second come, and as many known ones, until cancelled."""
        known: deque[Customer] = deque(maxlen=200)
        talks: set[asyncio.Task[None]] = set()
        try:
            while True:
                later = known.popleft() if known else Customer()
                for talk in (self._talk(Customer(), known, "ana"), self._talk(later, known)):
                    task = asyncio.create_task(talk)
                    talks.add(task)
                    task.add_done_callback(talks.discard)
                await asyncio.sleep(1 / rate)
        finally:
            for task in talks:
                task.cancel()

    async def _talk(
        self, customer: Customer, known: deque[Customer], context_id: str | None = None
    ) -> None:
        if await self.turn(customer, context_id) == "ok":
            known.append(customer)

    async def ask(self, query: str) -> list[dict[str, Any]]:
        """Return the series that Prometheus has for a query now."""
        found: list[dict[str, Any]] = (await self.get("query", query=query))["result"]
        return found

    async def ask_over_time(
        self, query: str, start: float, steps: int, step: float
    ) -> list[dict[str, Any]]:
        """Return the series of a query at each step from `start` on, in seconds."""
        span = {"start": f"{start}", "end": f"{start + (steps - 1) * step}", "step": f"{step}"}
        found: list[dict[str, Any]] = (await self.get("query_range", query=query, **span))["result"]
        return found

    async def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that fire now, but for the one that always does."""
        every = (await self.get("alerts"))["alerts"]
        firing = (alert for alert in every if alert["state"] == "firing")
        return [alert for alert in firing if alert["labels"]["alertname"] != "Watchdog"]

    async def get(self, what: str, **asked: str) -> dict[str, Any]:
        """Return what Prometheus answers to a call of its API."""
        async with self._http.get(f"{self.prometheus}/api/v1/{what}", params=asked) as answer:
            body = await answer.json()
        if body["status"] != "success":
            raise ValueError(body["error"])
        data: dict[str, Any] = body["data"]
        return data


@asynccontextmanager
async def beside(*jobs: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Let these go on until the block ends."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def watched(factor: float = 1.0, **settings: str) -> AsyncIterator[Watched]:
    """Run it all until the block ends; `settings` go to the action server.

    Raises:
        SystemExit: Prometheus is not installed, or something does not start; the text says which.

    """
    if PROMETHEUS is None:
        sys.exit("Prometheus is not installed (Debian: apt-get install prometheus)")
    with tempfile.TemporaryDirectory() as scratch:
        first = free_ports(WORKERS)
        settings = {
            "PS7_SEAL_KEYS": json.dumps([Fernet.generate_key().decode()]),
            "ACTION_SERVER_SANIC_WORKERS": str(WORKERS),
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(first),
            **settings,
        }
        bot, config = _bot(Path(scratch)), _config(Path(scratch), factor, first)
        port = free_ports()
        prometheus = f"http://127.0.0.1:{port}"
        command = (
            *(PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={scratch}/tsdb"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"),
        )
        none: dict[str, str] = {}
        # A connection for each call, so that either worker may get it.
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            Simulator(port=free_ports()) as ps7,  # the port stays its own while it is stopped
            action_server({**ps7.environment, **settings}, bot) as actions,
            server(f"{prometheus}/-/ready", *command, cwd=Path(scratch), settings=none),
            aiohttp.ClientSession(connector=connector) as http,
        ):
            targets = [f"http://localhost:{first + n}/metrics" for n in range(WORKERS)]
            yield Watched(ps7, actions, prometheus, targets, http)


def _bot(scratch: Path) -> Path:
    """Make a bot of the plugin and `metrics.py`."""
    actions = scratch / "bot" / "actions"
    actions.mkdir(parents=True)
    (actions.parent / "rasa_ps7").symlink_to(HERE.parents[1] / "actions" / "ps7")
    shutil.copy(HERE / "metrics.py", actions)
    imports = "import rasa_ps7\nfrom . import metrics\n"
    (actions / "__init__.py").write_text(imports, encoding="utf-8")
    return actions.parent


def _config(scratch: Path, factor: float, first: int) -> Path:
    """Write Prometheus's settings and rules, for these ports and this factor."""
    targets = json.dumps([f"localhost:{first + worker}" for worker in range(WORKERS)])
    for name in ("rules.yml", "prometheus.yml"):
        text = faster((HERE / name).read_text(encoding="utf-8"), factor)
        text = text.replace(f'["localhost:{FIRST_PORT}"]', targets)
        (scratch / name).write_text(text, encoding="utf-8")
    return scratch / "prometheus.yml"
