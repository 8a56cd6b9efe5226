"""Imports every module of a package where only the core dependencies can be imported.

    python import_everything.py PACKAGE

Prints, as JSON, what was imported, and what changed in the process that an import must not change.
Runs in a fresh interpreter, with the package in the working folder, and knows nothing of pytest.
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
from importlib.metadata import PackageNotFoundError, distributions, requires
from typing import Any

CORE = (
    *("rasa-sdk", "aiohttp", "pydantic", "pydantic-settings", "cryptography", "python-stdnum"),
    *("opentelemetry-api", "PyJWT", "tzdata"),
)
# Loaded before the watch begins: what they do is theirs.
LOADED_FIRST = (
    *("rasa_sdk.executor", "aiohttp", "pydantic_settings", "cryptography.fernet", "stdnum.br.cpf"),
    *("opentelemetry.metrics", "opentelemetry.trace.propagation.tracecontext", "jwt", "zoneinfo"),
)
_WATCHED = re.compile(r"socket\.|subprocess\.|os\.(system|fork|exec|spawn|posix_spawn)")


def normalised(name: str) -> str:
    """Return the name of a distribution in its one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def closure() -> set[str]:
    """Return the core dependencies and all that they need, extras excepted, as far as installed."""
    reached, queue = set(), [normalised(name) for name in CORE]
    while queue:
        name = queue.pop()
        if name in reached:
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        reached.add(name)
        for requirement in needed:
            text, _, marker = requirement.partition(";")
            if "extra" not in marker:
                queue.append(normalised(re.split(r"[\s\[(<>=!~]", text.strip())[0]))
    return reached


def strangers() -> set[str]:
    """Return the top-level names that only distributions outside of the core bring."""
    core, brought = closure(), {True: set[str](), False: set[str]()}
    for distribution in distributions():
        tops = {file.parts[0].partition(".")[0] for file in distribution.files or ()}
        brought[normalised(distribution.metadata["Name"]) in core] |= tops
    return brought[False] - brought[True]


class NothingElse:
    """Finds no module that comes from outside of the core, as if it were not installed."""

    def __init__(self) -> None:
        self._strangers = strangers()
        self.refused: set[str] = set()

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Refuse, or leave it to the next finder."""
        top = name.partition(".")[0]
        if top in self._strangers:
            self.refused.add(top)
            raise ModuleNotFoundError(name, name=name)


def state() -> dict[str, Any]:
    """Return what an import must leave as it is."""
    root = logging.getLogger()
    loggers = logging.root.manager.loggerDict.items()
    return {
        "threads": [thread.name for thread in threading.enumerate()],
        "environment": dict(os.environ),
        "path": list(sys.path),
        "logging": [root.level, [str(each) for each in (*root.handlers, *root.filters)]],
        "warnings": [str(each) for each in warnings.filters],
        "signals": [str(signal.getsignal(each)) for each in signal.valid_signals()],
        "loud loggers": [name for name, each in loggers if name[:7] == "actions" and loud(each)],
    }


def loud(logger: object) -> bool:
    """Whether a logger has handlers of its own."""
    return bool(getattr(logger, "handlers", None))


def walk(package: str) -> list[str]:
    """Import a package and every module below it, `__main__` included."""
    root = importlib.import_module(package)
    below = pkgutil.walk_packages(root.__path__, f"{package}.", onerror=_raise)
    return [package, *(importlib.import_module(module.name).__name__ for module in below)]


def _raise(_name: str) -> None:
    raise  # noqa: PLE0704 - within pkgutil's own `except`


def main(package: str) -> None:
    """Import everything, and print what happened."""
    finder = NothingElse()
    sys.meta_path.insert(0, finder)
    for name in LOADED_FIRST:
        importlib.import_module(name)
    finder.refused.clear()

    events: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if _WATCHED.match(event):
            events.append(event)
        if event == "open" and str(arguments[0]).endswith(".env"):
            events.append("open .env")

    before, loaded = state(), set(sys.modules)
    sys.addaudithook(watch)
    modules = walk(package)
    brought = sorted(set(sys.modules) - loaded)
    after = state()
    result = {
        "modules": modules,
        "brought": brought,
        "refused": sorted(finder.refused),
        "strangers": sorted(strangers()),
        "events": events,
        "changed": [key for key, value in before.items() if after[key] != value],
    }
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1])
