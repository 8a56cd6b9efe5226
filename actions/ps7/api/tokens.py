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
from ..context import wire_text
from ..errors import (
    AccessDenied,
    DeadlineExceeded,
    LookupFailed,
    PS7Unavailable,
    Reason,
    UnreadableAnswer,
)
from .wire import HEADERS, Answer, Request, parse, retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..settings import PS7Settings

PATH = "/apigovernance/api/oauth/tokenByAkSk"
LIFETIME = 600
"""Seconds that we ask for; the gateway grants 3600 at most."""

_OK = 200
_REFUSALS = frozenset({400, 401, 403})
_RENEWED_AT = 0.9
"""The part of its life after which a token is no longer used."""


@dataclass(frozen=True)
class Token:
    """A token, and from when on (monotonic clock, seconds) another one is fetched."""

    text: str = field(repr=False)
    renew_at: float


class Tokens:
    """Keeps the token. Lookups that need one at the same time wait for one request."""

    def __init__(self, settings: PS7Settings, send: Callable[[Request], Awaitable[Answer]]) -> None:
        self.are_wanted = settings.app_key is not None and settings.app_secret is not None
        """Whether the gateway asks for one, by the settings."""
        self._settings = settings
        self._send = send
        self._token: Token | None = None
        self._fetches: dict[asyncio.AbstractEventLoop, asyncio.Task[Token]] = {}

    async def get(self) -> str:
        """Return a valid token, from memory or from the gateway; or raise LookupFailed."""
        if self._token is None or time.monotonic() >= self._token.renew_at:
            self._token = await self._fetched()
        return self._token.text

    def drop(self, text: str) -> None:
        """Forget a token that the gateway refused, unless it was replaced already."""
        if self._token is not None and self._token.text == text:
            self._token = None

    async def join(self) -> None:
        """Wait for the fetch of the running loop, which ends if its connection is closed."""
        task = self._fetches.get(asyncio.get_running_loop())
        if task is not None:
            await asyncio.wait([task])

    async def _fetched(self) -> Token:
        """Wait for the fetch that is under way, or begin one.

        The fetch is its own task: a lookup that is cancelled must not end it for the others.
        If it fails, each lookup gets a copy of the error: an error keeps where it was raised.
        """
        loop = asyncio.get_running_loop()
        task = self._fetches.get(loop)
        if task is None:
            task = self._fetches[loop] = loop.create_task(self._fetch())
            task.add_done_callback(self._end)
        try:
            return await asyncio.shield(task)
        except LookupFailed as failure:
            own = copy(failure)
        raise own

    def _end(self, task: asyncio.Task[Token]) -> None:
        del self._fetches[task.get_loop()]
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
            raise DeadlineExceeded(Reason.DEADLINE) from None
        except UnreadableAnswer as failure:  # it is not about a contextId
            raise UnreadableAnswer(Reason.TOKEN_UNREADABLE, failure.status) from None
        return _read(answer, asked_at)


def _read(answer: Answer, asked_at: float) -> Token:
    if answer.status in _REFUSALS:
        raise AccessDenied(Reason.TOKEN_REFUSED, answer.status)
    if answer.status != _OK:
        wait = retry_after(answer, clock.utc_now())
        raise PS7Unavailable(Reason.TOKEN_UNAVAILABLE, answer.status, wait)
    try:
        body = parse(answer.body)
        text = wire_text(body["AccessToken"])
        lifetime = float(wire_text(body["Expires"]) or "")
    except (ValueError, KeyError, TypeError):
        raise UnreadableAnswer(Reason.TOKEN_UNREADABLE, _OK) from None
    if not (text and text.isascii() and text.isprintable()) or not 0 < lifetime < math.inf:
        raise UnreadableAnswer(Reason.TOKEN_UNREADABLE, _OK)
    return Token(text, asked_at + lifetime * _RENEWED_AT)
