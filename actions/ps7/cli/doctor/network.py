"""The way to PS7, stage by stage. Each stage builds on those before it; the first error ends it."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING

from ... import clock
from . import handshake, probe, reach
from .finding import Finding, has_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from ...settings import PS7Settings

Stage = tuple[str, "Callable[[], list[Finding]]"]


def examine(settings: PS7Settings) -> tuple[list[Finding], list[str]]:
    """Go the whole way; give what was found, and the stages that were not reached."""
    stages = _Way(settings).stages()
    found: list[Finding] = []
    for number, (_, stage) in enumerate(stages, start=1):
        findings = stage()
        found += findings
        if has_error(findings):
            return found, [name for name, _ in stages[number:]]
    return found, []


class _Way:
    """What one stage leaves for the next."""

    def __init__(self, settings: PS7Settings) -> None:
        self._settings = settings
        self._proxy = settings.proxy.get_secret_value() if settings.proxy else None
        self._ps7 = reach.place_of(settings.base_url, "PS7")
        self._next = reach.place_of(self._proxy, "the proxy") if self._proxy else self._ps7
        self._hint = reach.unread_proxy(settings)
        self._addresses: list[str] = []
        self._address = ""
        self._token: str | None = None

    def stages(self) -> list[Stage]:
        """Give those that these settings need, in order."""
        stages: list[Stage] = [("dns", self._resolve), ("tcp", self._knock)]
        if self._settings.base_url.startswith("https:"):
            if self._proxy is not None:
                stages.append(("proxy", partial(self._pass_proxy, self._proxy)))
            stages.append(("tls", self._shake))
        key, secret = self._settings.app_key, self._settings.app_secret
        if key is not None and secret is not None:
            stages.append(("token", partial(self._fetch_token, key, secret)))
        return [*stages, ("ps7", self._ask)]

    def _resolve(self) -> list[Finding]:
        finding, self._addresses = reach.resolve(self._next, self._hint)
        return [finding]

    def _knock(self) -> list[Finding]:
        seconds = self._settings.connect_timeout
        finding, address = reach.knock(self._next, self._addresses, seconds, self._hint)
        self._address = address or ""
        return [finding]

    def _connect(self) -> socket.socket:
        """Connect to whom TCP leads to first: PS7, or the proxy.

        Raises:
            OSError: it is gone again.

        """
        timeout = self._settings.connect_timeout
        connection = socket.create_connection((self._address, self._next.port), timeout)
        connection.settimeout(self._settings.read_timeout)
        return connection

    def _pass_proxy(self, url: str) -> list[Finding]:
        with self._connect() as connection:
            return [reach.pass_proxy(connection, url, self._ps7)]

    def _through(self) -> socket.socket:
        connection = self._connect()
        if self._proxy is not None:
            reach.pass_proxy(connection, self._proxy, self._ps7)
        return connection

    def _shake(self) -> list[Finding]:
        return handshake.shake(self._through, self._ps7, self._settings, clock.utc_now())

    def _fetch_token(self, key: SecretStr, secret: SecretStr) -> list[Finding]:
        finding, self._token = asyncio.run(probe.fetch_token(self._settings, key, secret))
        return [finding]

    def _ask(self) -> list[Finding]:
        return asyncio.run(probe.look_up_nobody(self._settings, self._token))
