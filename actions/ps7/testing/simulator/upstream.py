"""PS7 itself, behind the gateway: which contextId leads to which answer. Pure."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from ..faults import FAULTS
from ..personas import PERSONAS
from .reply import Reply, make_reply

if TYPE_CHECKING:
    from collections.abc import Iterable


class Answers:
    """What is answered for each contextId: one reply after another, and the last one for good."""

    def __init__(self, redirect_to: str) -> None:
        """Know every persona and every fault. `redirect_to` is where faults that redirect lead."""
        self._by_name = {who.name: make_reply(200, who.answer) for who in PERSONAS.values()}
        for fault in FAULTS.values():
            reply = make_reply(fault.status, fault.body, fault.headers, fault.delivery)
            if "Location" in reply.headers:
                reply = replace(reply, headers={**reply.headers, "Location": redirect_to})
            self._by_name[fault.name] = reply
        self._next: dict[str, list[Reply]] = {}
        self._for_everybody: list[Reply] = []
        for who in PERSONAS.values():
            self.script(who.context_id, [who.name])
        for fault in FAULTS.values():
            self.script(fault.context_id, [*fault.after, fault.name])

    def put(self, context_id: str, reply: Reply) -> None:
        """Answer a contextId with this reply from now on."""
        self._next[context_id] = [reply]

    def script(self, context_id: str, names: Iterable[str]) -> None:
        """Answer a contextId with these personas and faults in turn, and then with the last one.

        Raises:
            ValueError: there are no names, or one is nobody's.

        """
        replies = self._named(names)
        if not replies:
            raise ValueError("a script is made of names of personas and faults, at least one")
        self._next[context_id] = replies

    def everybody(self, names: Iterable[str]) -> None:
        """Answer every contextId with these in turn, as `script` does; each its own without any.

        Raises:
            ValueError: a name is nobody's.

        """
        self._for_everybody = self._named(names)

    def take(self, upstream_id: str) -> Reply:
        """Answer for a contextId as it came from the gateway: plain, or its Base64 form.

        One that nobody knows is answered as not found.
        """
        plain = upstream_id if upstream_id in self._next else _decoded(upstream_id)
        replies = self._for_everybody or self._next.get(plain) or self._next["not-found"]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _named(self, names: Iterable[str]) -> list[Reply]:
        names = list(names)
        if unknown := [name for name in names if name not in self._by_name]:
            raise ValueError(f"a script is made of names of personas and faults, not {unknown}")
        return [self._by_name[name] for name in names]


def _decoded(text: str) -> str:
    """Give the text behind a Base64 form, an empty one where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""
