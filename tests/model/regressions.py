"""Play the known traces against an older commit: `make regressions`, or REV=… for another one.

What that commit does is a table, and no failure: the traces are tests of this tree.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.model.conversation import violated
from tests.model.drivers import tree
from tests.model.traces import TRACES
from tests.support.processes import ROOT


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """Check a commit out beside this tree, and take it away again."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tree"
        subprocess.run([*git, "add", "--quiet", "--detach", str(path), commit], check=True)
        try:
            yield path
        finally:
            subprocess.run([*git, "remove", "--force", str(path)], check=True)


def main() -> None:
    """Print which traces a commit breaks, and how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commit")
    commit = parser.parse_args().commit
    with worktree(commit) as path, tree(path) as driver:
        found = {name: violated(walk, driver) for name, walk in TRACES.items()}
    broken = sum(text is not None for text in found.values())
    width = max(map(len, found))
    rows = (f"  {name:{width}}  {text or 'holds'}\n" for name, text in found.items())
    sys.stdout.write(f"{commit} breaks {broken} of {len(found)} traces\n\n{''.join(rows)}")


if __name__ == "__main__":
    main()
