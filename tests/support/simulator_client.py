"""A client that sends PS7's simulator what a test tells it to, right or wrong."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import pytest
from aiohttp import ClientSession, ClientTimeout

from actions.ps7.testing import Simulator

PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
LOGIN = {"userName": "simulator", "password": "simulator"}
JSON = {"Content-Type": "application/json"}


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is any of its types
        """The body as JSON."""
        return json.loads(self.body)


class Client:
    """Sends one request at a time, and follows no redirect."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def send(
        self,
        url: str,
        *,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> Answer:
        """Send one request."""
        # aiohttp warns of large bytes, so a stream.
        async with self._session.request(
            method, url, headers=headers, data=io.BytesIO(body), allow_redirects=False
        ) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def look_up(
        self, ps7: Simulator, context_id: str, headers: Mapping[str, str] = JSON, /, **more: object
    ) -> Answer:
        """Send the request of a correct client, with more headers and with `more` in its body."""
        body = json.dumps({"contextId": context_id, **more}).encode()
        return await self.send(ps7.url + PATH, headers={**LOGIN, **JSON, **headers}, body=body)


async def own_client() -> AsyncIterator[Client]:
    """Yield a client; what it waits for comes within seconds or never."""
    async with ClientSession(timeout=ClientTimeout(total=10)) as session:
        yield Client(session)


async def own_simulator(request: pytest.FixtureRequest) -> AsyncIterator[Simulator]:
    """Run a simulator on a free port, with the options that a test gives as a parameter.

    A module makes its fixture of this.
    """
    async with Simulator(**getattr(request, "param", {})) as running:
        yield running
