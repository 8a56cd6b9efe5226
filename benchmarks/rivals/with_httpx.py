"""httpx with one client for all calls."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.rivals.common import HEADERS, URL, Rival, question, slots

if TYPE_CHECKING:
    from rasa_sdk import Tracker


@cache
def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(limits=httpx.Limits(max_connections=None))


class WithHttpx(Rival):
    """Asks over a pool of connections."""

    async def run(self, dispatcher: object, tracker: Tracker, domain: object) -> list[Any]:  # noqa: ARG002
        """Look the customer up."""
        answer = await _client().post(URL, json=question(tracker), headers=HEADERS)
        return slots(answer.json())
