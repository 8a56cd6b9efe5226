"""requests in a plain `def run`, which keeps every other conversation waiting meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from benchmarks.peers.common import HEADERS, URL, Peer, request_body, slots

if TYPE_CHECKING:
    from rasa_sdk import Tracker


class WithRequests(Peer):
    """Asks, and blocks."""

    # The SDK runs a plain function as well, though its type does not say so.
    def run(  # type: ignore[override]
        self,
        dispatcher: object,  # noqa: ARG002
        tracker: Tracker,
        domain: object,  # noqa: ARG002
    ) -> list[Any]:
        """Look the customer up."""
        answer = requests.post(URL, json=request_body(tracker), headers=HEADERS, timeout=10)
        return slots(answer.json())
