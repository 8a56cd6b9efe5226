"""An action that does nothing: what is left is the action server itself."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.common import Peer


class Nothing(Peer):
    """Changes no slot."""

    async def run(self, dispatcher: object, tracker: object, domain: object) -> list[Any]:  # noqa: ARG002
        """Answer at once."""
        return []
