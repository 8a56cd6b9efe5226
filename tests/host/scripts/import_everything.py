"""Imports every module of a package, and watches what that brings and changes.

    python import_everything.py PACKAGE

Prints, as JSON, what was imported, and what happened that an import must not do. Runs in a fresh
interpreter, with the package in the working folder, and knows nothing of pytest.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import pkgutil
import re
import signal
import sys
import threading
import warnings
from typing import Any

# What a bot installs with the plugin, loaded before the watch begins: what they do is theirs.
CORE = (
    *("rasa_sdk.executor", "aiohttp", "pydantic_settings", "cryptography.fernet", "stdnum.br.cpf"),
    *("opentelemetry.metrics", "opentelemetry.trace.propagation.tracecontext", "jwt", "zoneinfo"),
)
_WATCHED = re.compile(r"socket\.|subprocess\.|os\.(system|fork|exec|spawn|posix_spawn)")


def state() -> dict[str, str]:
    """Return what an import must leave as it is."""
    root = logging.getLogger()
    return {
        "threads": str(threading.enumerate()),
        "environment": str(os.environ),
        "path": str(sys.path),
        "logging": str([root.level, root.handlers, root.filters]),
        "warnings": str(warnings.filters),
        "signals": str([signal.getsignal(each) for each in signal.valid_signals()]),
    }


def tops() -> set[str]:
    """Name the packages of which something is loaded."""
    return {name.partition(".")[0] for name in sys.modules}


def walk(package: str) -> list[str]:
    """Import a package and every module below it, `__main__` included."""
    root = importlib.import_module(package)
    below = pkgutil.walk_packages(root.__path__, f"{package}.", onerror=_raise)
    return [package, *(importlib.import_module(module.name).__name__ for module in below)]


def _raise(_name: str) -> None:
    raise  # noqa: PLE0704 - within pkgutil's own `except`


def main(package: str) -> None:
    """Import everything, and print what happened."""
    for name in CORE:
        importlib.import_module(name)
    events: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if _WATCHED.match(event) or (event == "open" and str(arguments[0]).endswith(".env")):
            events.append(event)

    before, loaded, known = state(), set(sys.modules), tops()
    sys.addaudithook(watch)
    modules = walk(package)
    brought = set(sys.modules) - loaded
    after = state()
    result = {
        "modules": modules,
        "servers": sorted(name for name in brought if name.startswith("aiohttp.web")),
        "strangers": sorted(tops() - known - {package, *sys.stdlib_module_names}),
        "events": events,
        "changed": [key for key, value in before.items() if after[key] != value],
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
