"""The sides of a comparison: action servers as `python -m rasa_sdk` runs them, one for each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from cryptography.fernet import Fernet

from benchmarks.processes import CORES, FIRST_CORE, Lab, Running
from tests.support.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING = '"events":[]'
"""What stands in the answer of an action that changes nothing."""
_KEYS = json.dumps([Fernet.generate_key().decode()])


@dataclass(frozen=True)
class Side:
    """What runs on one side."""

    name: str
    actions: str
    """The module that the SDK is told to load."""
    traced: bool = False
    """Whether the SDK exports spans, and so the plugin too."""
    workers: int = 1
    pinned: bool = True
    """Whether it has one core for itself, or shares all of them."""
    settings: Mapping[str, str] = field(default_factory=dict, hash=False)
    """PS7_* variables beyond those that reach the stub."""
    expected: str = '"ok"'
    """Text that stands in every answer to a lookup."""

    def environment(self, ps7_url: str) -> dict[str, str]:
        """Return its PS7_* variables."""
        return {
            "PS7_BASE_URL": ps7_url,
            "PS7_USERNAME": "u",
            "PS7_PASSWORD": "p",
            "PS7_SEAL_KEYS": _KEYS,
            **self.settings,
        }


OURS = Side("ours", "actions")
OURS_TRACED = Side("ours, spans exported", "actions", traced=True)
EMPTY = Side("empty action", "benchmarks.rivals.empty", expected=NOTHING)
BARE = Side("bare aiohttp", "benchmarks.rivals.bare_aiohttp")
BARE_TRACED = Side("bare aiohttp, spans exported", "benchmarks.rivals.bare_aiohttp", traced=True)
PER_CALL = Side("aiohttp, a session per call", "benchmarks.rivals.session_per_call")
HTTPX = Side("httpx", "benchmarks.rivals.with_httpx")
REQUESTS = Side("requests", "benchmarks.rivals.with_requests")


@dataclass(frozen=True)
class Server:
    """The action server of a side."""

    side: Side
    running: Running
    url: str

    def wait(self, pause: float = 0.05) -> None:
        """Wait until it answers: it starts, or is busy with calls whose callers have gone."""
        self.running.answers(self.url.replace("webhook", "health"), pause)

    def post(self, call: bytes) -> dict[str, Any]:
        """Call the webhook once."""
        request = Request(self.url, call, {"Content-Type": "application/json"})  # noqa: S310 - http
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            read: dict[str, Any] = json.load(answer)
            return read


def launch(lab: Lab, side: Side, ps7_url: str) -> Server:
    """Start the action server of a side. It does not answer yet."""
    port = free_port()
    endpoints = lab.folder / f"endpoints-{port}.yml"
    endpoints.write_text(_tracing(lab) if side.traced else "{}\n", encoding="utf-8")
    running = lab.start(
        side.name,
        *("-m", "rasa_sdk", "--actions", side.actions),
        *("--port", str(port), "--endpoints", str(endpoints)),
        cores=FIRST_CORE if side.pinned else CORES,
        variables={
            "SANIC_HOST": "127.0.0.1",
            "ACTION_SERVER_SANIC_WORKERS": str(side.workers),
            **side.environment(ps7_url),
        },
    )
    return Server(side, running, f"http://127.0.0.1:{port}/webhook")


def _tracing(lab: Lab) -> str:
    where = lab.url_of("collector")
    return f"tracing:\n  type: otlp\n  endpoint: {where}\n  insecure: true\n"
