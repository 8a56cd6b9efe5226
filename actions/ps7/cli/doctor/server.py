"""The action server of a bot's endpoints.yml: whether it runs, and has the plugin's actions."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from http.client import HTTPException
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit

from ...customer import CONTEXT_ACTION, FORGET_ACTION, VERIFY_ACTION
from ...settings import is_loopback
from ..web import ask
from . import connection
from .bot import ACTIONS, rows, table
from .report import Finding, caution, error, listed, ok, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bot import Table

DEFAULT_PORT = 5055
_SECONDS = 5.0
_NEEDED = (CONTEXT_ACTION, VERIFY_ACTION, FORGET_ACTION)
_ELSEWHERE = "run `rasa-ps7 doctor` where Rasa runs, or leave this out with --offline"


def address(endpoint: Table) -> str | None:
    """Return where the action server is, without `/webhook`; None if that is not known here."""
    url = os.path.expandvars(str(endpoint.get("url", "")))
    with suppress(ValueError):  # not a port
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and "$" not in url:
            path = parts.path.removesuffix("/webhook").rstrip("/")
            return f"{parts.scheme}://{connection.address(url)}{path}"
    return None


def command(endpoint: Table) -> str:
    """Return what starts the action server with the interpreter in use, at the bot's port."""
    port = urlsplit(address(endpoint) or "").port or DEFAULT_PORT
    end = "" if port == DEFAULT_PORT else f" --port {port}"
    return f"{interpreter()} -m rasa_sdk --actions {ACTIONS}{end}"


def interpreter() -> str:
    """Return the interpreter in use, as it is named from this folder."""
    python, here = Path(sys.executable), Path.cwd()
    return str(python.relative_to(here) if here in python.parents else python)


def check(endpoint: Table) -> Iterator[Finding]:
    """Ask for the actions that are registered; nothing if Rasa runs the actions by itself."""
    if "actions_module" in endpoint or not endpoint:
        return
    url = address(endpoint)
    if url is None:
        found = "the url of `action_endpoint:` is none that can be asked from here"
        yield caution("action-server-url", found, f"set what its ${{…}} names, or {_ELSEWHERE}")
        return
    at = f"the action server at {shown(url)}"
    try:
        ask(f"{url}/health", seconds=_SECONDS)
        names = {table(each).get("name") for each in rows(ask(f"{url}/actions", seconds=_SECONDS))}
    except (HTTPError, JSONDecodeError, UnicodeDecodeError):
        found = f"what answers at {shown(url)} is no action server"
        yield error(
            "action-server-other", found, "correct the port in endpoints.yml, or its server's"
        )
        return
    except (OSError, HTTPException, ValueError) as failure:
        why = type(getattr(failure, "reason", failure)).__name__
        local = is_loopback(urlsplit(url).hostname or "")
        how = f"start it: `{command(endpoint)}`" if local else _ELSEWHERE
        level = error if local else caution
        yield level("action-server-none", f"{at} does not answer ({why})", how)
        return
    if lacking := [name for name in _NEEDED if name not in names]:
        how = "import the plugin in the module that it loads, and start it again"
        yield error("action-server-plugin", f"{at} runs without {listed(lacking)}", how)
    else:
        yield ok("action-server", f"{at} runs, and has the plugin's actions")
