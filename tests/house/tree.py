"""A folder with the Makefile, in which everything is installed, and each program a stand-in."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.support.processes import ROOT, run

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROGRAM = f"""#!/bin/sh
[ "$2" != tests.support.needs ] || exec {sys.executable} "$@"
echo "$*" >>ran
test $(wc -l <ran) != "$FAILS"
"""
"""It notes what it is told, and fails once. What says how all tests ended is the real one."""
PROGRAMS = {
    ".venv/bin": ("python", "lint-imports"),
    ".venv-site/bin": ("mkdocs",),
    **dict.fromkeys(
        (f".venv-{each}/bin" for each in ("mutants", "floor", "rasa", "checkov")), ("python",)
    ),
    ".venv-release/bin": ("python", "pip-audit"),
}


class Tree:
    """What can be made there; `rules` are added to the Makefile."""

    def __init__(self, folder: Path, rules: str = "") -> None:
        self.folder = folder
        (folder / "Makefile").write_text(f"{MAKEFILE}\n{rules}")
        (folder / "scripts").symlink_to(ROOT / "scripts")
        for name in re.findall(r"[\w/]*requirements[\w/-]*\.txt", MAKEFILE):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("as it was\n")
            os.utime(folder / name, (0, 0))
        (folder / "program").write_text(PROGRAM)
        (folder / "program").chmod(0o755)
        for place, names in PROGRAMS.items():
            (folder / place).mkdir(parents=True)
            for ready in ("runtime", "dev", "ready"):
                (folder / place).with_name(ready).touch()
            for name in names:
                (folder / place / name).symlink_to(folder / "program")

    def make(self, *command: str, **variables: str) -> tuple[int, str, list[str]]:
        """Make a target; return the exit code, the last line, and what ran in which order."""
        (self.folder / "ran").write_text("")
        told = {"PYTHONPATH": str(ROOT), **variables}
        done = run("make", *command, cwd=self.folder, variables=told)
        ran = (self.folder / "ran").read_text().splitlines()
        return done.returncode, done.stdout.rpartition("\n")[0].rpartition("\n")[2], ran
