"""A host that runs the actions in its own process, reloads their modules, and changes its loop.

    python in_process.py PACKAGE

Reads orders, one JSON a line: `{"reload": "touched"}` reloads modules as `reload` says, and
`{"run": {…}}` runs an action, in an event loop of its own. Answers each with one line of JSON.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any

from rasa_sdk.executor import ActionExecutor

PACKAGE = sys.argv[1]


def reload(executor: ActionExecutor, which: str) -> list[str]:
    """Reload modules: one by its name, all of them from the last one on, or all `touched`.

    `touched` is what the SDK itself does where every file is newer than it was.
    """
    modules = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
    if which == "touched":
        for file, stamp in executor._modules.items():
            executor._modules[file] = stamp._replace(timestamp=0)
        executor.reload()
    else:
        for name in modules[::-1] if which == "backward" else [which]:
            importlib.reload(sys.modules[name])
        executor.register_package(PACKAGE)
    return modules


def run(executor: ActionExecutor, call: dict[str, Any]) -> dict[str, Any]:
    """Run an action; the loop is closed afterwards."""
    result = asyncio.run(executor.run(call))
    assert result is not None
    # 3.6 gives a dictionary, newer ones give a model.
    return result if isinstance(result, dict) else result.model_dump()


def main() -> None:
    """Serve until the input ends."""
    executor = ActionExecutor()
    executor.register_package(PACKAGE)
    for line in sys.stdin:
        order = json.loads(line)
        if "reload" in order:
            answer: object = reload(executor, order["reload"])
        else:
            answer = run(executor, order["run"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
