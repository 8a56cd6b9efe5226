"""PS7 itself, behind the gateway: which contextId leads to which answer. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ..faults import FAULTS
from ..personas import PERSONAS
from .messages import Reply, make_reply

if TYPE_CHECKING:
    from collections.abc import Sequence


class Answers:
    """What is answered for each contextId: one reply after another, and the last one for good."""

    def __init__(self, redirect_to: str) -> None:
        """Know every persona and every fault. `redirect_to` is where faults that redirect lead."""
        self._named: dict[str, Reply] = {}
        self._next: dict[str, list[Reply]] = {}
        self._for_all: list[Reply] = []
        for who in PERSONAS.values():
            self._named[who.name] = make_reply(200, who.answer)
            self.script(who.context_id, [who.name])
        for fault in FAULTS.values():
            moved = {"Location": redirect_to} if "Location" in fault.headers else {}
            headers = {**fault.headers, **moved}
            self._named[fault.name] = make_reply(fault.status, fault.body, headers, fault.delivery)
        for fault in FAULTS.values():
            self.script(fault.context_id, [*fault.after, fault.name])

    def put(self, context_id: str, reply: Reply) -> None:
        """Answer a contextId with this reply from now on."""
        self._next[context_id] = [reply]

    def script(self, context_id: str, names: Sequence[str]) -> None:
        """Answer a contextId with these personas and faults in turn, and then with the last one.

        Raises:
            ValueError: there are no names, or one is no persona's and no fault's.

        """
        unknown = [name for name in names if name not in self._named]
        if unknown or not names:
            raise ValueError(f"a script is made of names of personas and faults, not {unknown}")
        self._next[context_id] = [self._named[name] for name in names]

    def for_all(self, names: Sequence[str]) -> None:
        """Answer every contextId with these in turn, as `script` does; each its own without any."""
        self._for_all = [self._named[name] for name in names]

    def take(self, upstream_id: str) -> Reply:
        """Return the answer for a contextId as the gateway passes it on: plain, or in Base64.

        An unknown one is answered as not found.
        """
        plain = upstream_id if upstream_id in self._next else _decoded(upstream_id)
        replies = self._for_all or self._next.get(plain) or self._next["not-found"]
        return replies.pop(0) if len(replies) > 1 else replies[0]


def _decoded(text: str) -> str:
    """Return the text behind a Base64 form, an empty one where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""
