"""Python as documents show it: it compiles, what it imports is there, and what can be run is run.

A block whose first line is a comment with a path is a file of a bot. Any
block is executed as a module of a bot's own `actions/`, with the plugin at hand as a folder and as
the wheel has it. What needs Rasa itself is executed where there is one. Tests and whole programs
are left to tests of their own.
"""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import CodeType

    from tests.docs.documents import Block

_FILE = re.compile(r"# ([\w./-]+)\n")
_ELSEWHERE = re.compile(r"sys\.argv|set_meter_provider")
_NEEDS_RASA = re.compile(r"^(from|import) rasa\b", re.MULTILINE)


def path_of(block: Block) -> str | None:
    """Give where in a bot a block belongs; None where it does not say."""
    named = _FILE.match(block.code)
    return named[1] if named else None


def faults(block: Block, folder: Path) -> list[str]:
    """Say what is wrong with a block; nothing where all is well. `folder` is empty."""
    try:
        code = compile(block.code, str(block), "exec", dont_inherit=True)
    except SyntaxError as error:
        return [f"no Python: {error}"]
    if _NEEDS_RASA.search(block.code):
        return _runs_with_rasa(block, folder)
    if _ELSEWHERE.search(block.code) or "tests/" in (path_of(block) or ""):
        return []  # a program, tests, or what changes a process: others run them as a reader would
    try:
        with executed(code):
            return []
    except Exception as error:  # noqa: BLE001 - whatever it is, a reader would meet it
        return [f"it does not run: {type(error).__name__}: {error}"]


@contextmanager
def executed(code: str | CodeType) -> Iterator[dict[str, Any]]:
    """Execute a module of a bot's own; give what it defines, and let go of it afterwards.

    rasa_sdk registers every action that a process knows: none of these may outlive its test.
    """
    names: dict[str, Any] = {"__name__": "actions.shown", "__package__": "actions"}
    try:
        with warnings.catch_warnings(), patch.dict(sys.modules, as_installed()):
            warnings.simplefilter("error")
            exec(code, names)  # noqa: S102 - the documents are ours
        yield names
    finally:
        names.clear()
        gc.collect()


def as_installed() -> dict[str, object]:
    """Name the plugin's modules as the wheel does, beside their names here."""
    loaded = {
        name: module for name, module in sys.modules.items() if name.startswith("actions.ps7")
    }
    return {name.replace("actions.ps7", "rasa_ps7", 1): module for name, module in loaded.items()}


def _runs_with_rasa(block: Block, folder: Path) -> list[str]:
    interpreter = os.environ.get("PS7_RASA_PYTHON", "")
    if not os.path.exists(interpreter):  # noqa: PTH110 - it may be no path at all
        return []
    file = folder / "shown.py"
    file.write_text(block.code, encoding="utf-8")
    ran = subprocess.run(
        [interpreter, "-W", "ignore", str(file)],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "RASA_TELEMETRY_ENABLED": "false"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return [] if ran.returncode == 0 else [ran.stderr]
