"""Two ways to call the plugin: here, or that of another tree in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.model.conversation import Driver
from tests.model.subject import Subject

_PROGRAM = Path(__file__).with_name("subject.py")


@contextmanager
def this_process() -> Iterator[Driver]:
    """Call the plugin of this tree."""
    with closing(Subject()) as subject:
        yield subject


@contextmanager
def tree(root: Path) -> Iterator[Driver]:
    """Call the plugin of another tree, with the interpreter and the libraries of this one."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("PS7_", "PYTHON"))}
    with subprocess.Popen(
        [sys.executable, str(_PROGRAM)],
        cwd=root,
        env={**variables, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        requests, replies = process.stdin, process.stdout

        def driver(message: dict[str, Any]) -> dict[str, Any]:
            requests.write(json.dumps(message) + "\n")
            requests.flush()
            reply: dict[str, Any] = json.loads(replies.readline())
            return reply

        imported = Path(replies.readline().strip())
        assert imported.is_relative_to(root.resolve()), imported
        try:
            yield driver
        finally:
            requests.close()
