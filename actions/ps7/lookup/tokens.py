"""The API Fabric token that a gateway may ask for: one for the whole process, fetched on demand.

Source: Huawei Cloud CEC API reference, "C1 System Configuration Interface Authentication". How a
request is sent is handed in.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .. import clock
from ..customer import wire_text
from ..outcomes import LookupFailed, Reason
from .wire import HEADERS, Answer, Request, parse, retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..settings import PS7Settings

PATH = "/apigovernance/api/oauth/tokenByAkSk"
LIFETIME = 600
"""Seconds that we ask for; the gateway grants 3600 at most."""

_OK = 200
_FAILURES = {
    **dict.fromkeys((400, 401, 403), Reason.TOKEN_REFUSED),
    429: Reason.TOO_MANY_REQUESTS,
}
_UNREADABLE = frozenset({Reason.ANSWER_TOO_LARGE, Reason.NOT_HTTP})
_RENEWED_AT = 0.9
"""The part of its life after which a token is no longer used."""
_DOUBTED_FOR = 10.0
"""Seconds for which a token is still used that PS7 refused when it was new."""


@dataclass
class Token:
    """A token, and from when on (monotonic clock, seconds) another one is fetched."""

    text: str = field(repr=False)
    renew_at: float
    is_doubted: bool = False
    """Whether PS7 refused it when it was new: then another new one is no remedy."""


@dataclass
class Kept:
    """The token that a process has, whichever of its event loops fetched it."""

    token: Token | None = None


class Tokens:
    """Fetches tokens in one event loop. Lookups that need one at a time wait for one request."""

    def __init__(
        self, settings: PS7Settings, send: Callable[[Request], Awaitable[Answer]], kept: Kept
    ) -> None:
        self.are_wanted = settings.app_key is not None and settings.app_secret is not None
        """Whether the gateway asks for one, by the settings."""
        self._settings = settings
        self._send = send
        self._kept = kept
        self._fetching: asyncio.Task[Token] | None = None

    async def get(self) -> tuple[Token, bool]:
        """Return a valid token, and whether it was fetched for this call; or raise LookupFailed."""
        token = self._kept.token
        if token is not None and time.monotonic() < token.renew_at:
            return token, False
        return await self._fetched(), True

    async def instead_of(self, refused: Token) -> Token | None:
        """Return the token to replay a request with to which PS7 answered 401; or LookupFailed.

        None if the token is not to blame: PS7 refused it when it was new, too. The refused token
        stays until there is another one, since it may still serve other lookups.
        """
        kept = self._kept.token
        if kept is not None and kept is not refused:
            return kept
        return None if refused.is_doubted else await self._fetched()

    def doubt(self, token: Token) -> None:
        """Note that PS7 refused a token that was new, as it does with a wrong password.

        Other lookups may still be served with it. It is not replaced for a refusal, and used for
        ten more seconds at most: so refusals cost at most one fetch in that time.
        """
        token.is_doubted = True
        token.renew_at = min(token.renew_at, time.monotonic() + _DOUBTED_FOR)

    async def join(self) -> None:
        """Wait for the fetch that is under way, which ends if its connection is closed."""
        if self._fetching is not None:
            await asyncio.wait([self._fetching])

    async def _fetched(self) -> Token:
        """Wait for the fetch that is under way, or begin one.

        The fetch is its own task: a lookup that is cancelled must not end it for the others.
        If it fails, each lookup gets an error of its own: an error keeps where it was raised.
        """
        task = self._fetching
        if task is None:
            task = self._fetching = asyncio.create_task(self._fetch())
            task.add_done_callback(self._end)
        try:
            return await asyncio.shield(task)
        except LookupFailed as failure:
            own = copy(failure)
        raise own

    def _end(self, task: asyncio.Task[Token]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # retrieved, also if every lookup was cancelled meanwhile

    async def _fetch(self) -> Token:
        asked_at = time.monotonic()
        secrets = {"app_key": self._settings.app_key, "app_secret": self._settings.app_secret}
        body = {name: secret.get_secret_value() for name, secret in secrets.items() if secret}
        headers = {**HEADERS, "X-Token-Expire": str(LIFETIME)}
        request = Request(self._settings.base_url + PATH, headers, json.dumps(body).encode())
        try:
            answer = await asyncio.wait_for(self._send(request), self._settings.deadline)
        except asyncio.TimeoutError:
            raise LookupFailed(Reason.DEADLINE) from None
        except LookupFailed as failure:
            if failure.reason not in _UNREADABLE:
                raise
            raise LookupFailed(Reason.TOKEN_UNREADABLE, failure.status) from None
        self._kept.token = _read(answer, asked_at)
        return self._kept.token


def _read(answer: Answer, asked_at: float) -> Token:
    if answer.status != _OK:
        reason = _FAILURES.get(answer.status, Reason.TOKEN_UNAVAILABLE)
        wait = retry_after(answer, clock.utc_now())
        raise LookupFailed(reason, answer.status, retry_after=wait)
    try:
        body = parse(answer.body)
        text = wire_text(body["AccessToken"])
        lifetime = float(wire_text(body["Expires"]) or "")
    except (ValueError, KeyError, TypeError):
        raise LookupFailed(Reason.TOKEN_UNREADABLE, _OK) from None
    if not (text and text.isascii() and text.isprintable()) or not 0 < lifetime < math.inf:
        raise LookupFailed(Reason.TOKEN_UNREADABLE, _OK)
    return Token(text, asked_at + lifetime * _RENEWED_AT)
