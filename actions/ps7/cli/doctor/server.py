"""The action server of a bot's endpoints.yml: whether it runs, and has the plugin's actions."""

from __future__ import annotations

import os
import re
import sys
from contextlib import suppress
from http.client import HTTPException
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ...settings import is_loopback
from ..bot.content import OURS
from ..bot.sources import ACTIONS
from ..bot.yaml import rows, table
from ..findings import Finding, finding, listed, shown
from ..web import ask
from . import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..bot.content import Bot
    from ..bot.yaml import Table

DEFAULT_PORT = 5055
_SECONDS = 5.0
_MAY_BE_FILLED = re.compile(
    r"\$\{\w+\}$|https?://([\w.-]+|\$\{\w*(HOST|SERVER|ADDR)\w*\})(:(\d+|\$\{\w*PORT\w*\}))?[\w/.-]*$",
    re.ASCII | re.IGNORECASE,
)


def address(endpoint: Table) -> str | None:
    """Return where the action server is, without `/webhook`; None if that is not known here.

    A variable is filled in if it is the whole of the URL, or the host or port by its name: with any
    other, a bot's files could send what the environment holds to a place that they choose.
    """
    url = str(endpoint.get("url", ""))
    if _MAY_BE_FILLED.match(url):
        url = os.path.expandvars(url)
    with suppress(ValueError):  # not a port
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and "$" not in url:
            path = parts.path.removesuffix("/webhook").rstrip("/")
            return f"{parts.scheme}://{connection.address(url)}{path}"
    return None


def is_remote(endpoint: Table) -> bool:
    """Whether the action server runs on another machine than Rasa, or in another container."""
    url = address(endpoint)
    return url is not None and not is_loopback(urlsplit(url).hostname or "")


def command(endpoint: Table, place: Path) -> str:
    """Return what starts the action server with the interpreter in use, at the bot's port.

    place: the package or module of the actions.
    """
    port = urlsplit(address(endpoint) or "").port or DEFAULT_PORT
    end = "" if port == DEFAULT_PORT else f" --port {port}"
    home = place.parent
    here = home.resolve() == Path.cwd()
    python = interpreter() if here else sys.executable
    start = f"{python} -m rasa_sdk --actions {place.stem}{end}"
    return start if here else f"cd {home} && {start}"


def interpreter() -> str:
    """Return the interpreter in use, as it is named from this folder."""
    python, here = Path(sys.executable), Path.cwd()
    return str(python.relative_to(here) if here in python.parents else python)


def check(bot: Bot) -> Iterator[Finding]:
    """Ask for the actions that are registered; nothing if Rasa runs the actions by itself."""
    endpoint = bot.action_endpoint
    if "actions_module" in endpoint or not endpoint:
        return
    url = address(endpoint)
    if url is None:
        yield finding("action-server-url")
        return
    try:
        ask(f"{url}/health", seconds=_SECONDS)
        names = {table(each).get("name") for each in rows(ask(f"{url}/actions", seconds=_SECONDS))}
    except (HTTPError, JSONDecodeError, UnicodeDecodeError):
        yield finding("action-server-other", url=shown(url))
        return
    except (OSError, HTTPException, ValueError) as failure:
        why = type(getattr(failure, "reason", failure)).__name__
        place = bot.code.place if bot.code else Path(ACTIONS)
        key = "action-server-none" + (":remote" if is_remote(endpoint) else "")
        yield finding(key, url=shown(url), why=why, command=command(endpoint, place))
        yield from lacking(bot)
        return
    if absent := [name for name in OURS if name not in names]:
        yield finding("action-server-plugin", url=shown(url), names=listed(absent))
    absent = [name for name in bot.own_actions if name not in names]
    for lacks, runs in (("action-server-actions", True), ("action-server-actions:unused", False)):
        if some := [name for name in absent if bot.runs(name) is runs]:
            yield finding(lacks, url=shown(url), names=listed(some))
    if names.issuperset([*OURS, *bot.own_actions]):
        yield finding("action-server", url=shown(url))


def lacking(bot: Bot) -> Iterator[Finding]:
    """Check that the environment in use has what the bot's actions import."""
    if bot.code is not None and (names := bot.code.lacking()):
        place, python = bot.code.place, interpreter()
        yield finding("actions-require", where=place, names=listed(names), python=python)
