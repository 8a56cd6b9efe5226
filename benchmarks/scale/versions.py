"""Versions of the plugin that do not exist yet: the present one with one change to its seals.

Each is the example bot's actions with a plugin of its own, in a folder of the run.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FURTHER_FIELD, READS_NEXT, WRITES_NEXT = "a further field", "reads format 4", "writes format 4"

_FORMAT = "    version: Literal[3] = 3\n"
_CHANGES = {
    FURTHER_FIELD: (_FORMAT, f'{_FORMAT}    channel: str = "app"\n'),
    READS_NEXT: (_FORMAT, "    version: Literal[3, 4] = 3\n"),
    WRITES_NEXT: (_FORMAT, "    version: Literal[3, 4] = 4\n"),
}
"""By version: a line of `conversation/seal.py`, and what stands there instead. Those who write the
next format read both; so do those of the release between, which still write the present one."""


def make(version: str, bot: Path, folder: Path) -> Path:
    """Copy a bot's actions with a plugin of this version; return where to start their server.

    Raises:
        ValueError: the line to change is not there (once).

    """
    for package in ("actions", "rasa_ps7"):
        shutil.copytree(bot / package, folder / package, ignore=shutil.ignore_patterns("__py*"))
    seal = folder / "rasa_ps7" / "conversation" / "seal.py"
    present, line = seal.read_text(encoding="utf-8"), _CHANGES[version]
    if present.count(line[0]) != 1:
        raise ValueError(f"{line[0].strip()!r} is not in the seal: mend benchmarks/scale/versions")
    seal.write_text(present.replace(*line), encoding="utf-8")
    return folder
