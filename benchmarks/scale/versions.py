"""Other versions of the plugin: the present one with one change to its seals, or another tree's.

Each is the example bot's actions with a plugin of its own, in a folder of the run.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FURTHER_FIELD, NEXT_FORMAT = "a further field", "another format"

_FORMAT = "    version: Literal[4] = 4\n"
_CHANGES = {
    FURTHER_FIELD: (_FORMAT, f'{_FORMAT}    channel: str = "app"\n'),
    NEXT_FORMAT: (_FORMAT, "    version: Literal[5] = 5\n"),
}
"""By version: a line of `conversation/seal.py`, and what stands there instead."""


def make(version: str | Path, bot: Path, folder: Path) -> Path:
    """Copy a bot's actions with a plugin of this version; return where to start their server.

    A path is that of another tree of the project, whose plugin it is.

    Raises:
        ValueError: the line to change is not there (once).

    """
    plugin = bot / "rasa_ps7" if isinstance(version, str) else version / "actions" / "ps7"
    for package, source in (("actions", bot / "actions"), ("rasa_ps7", plugin)):
        shutil.copytree(source, folder / package, ignore=shutil.ignore_patterns("__py*"))
    if not isinstance(version, str):
        return folder
    seal = folder / "rasa_ps7" / "conversation" / "seal.py"
    present, line = seal.read_text(encoding="utf-8"), _CHANGES[version]
    if present.count(line[0]) != 1:
        raise ValueError(f"{line[0].strip()!r} is not in the seal: mend benchmarks/scale/versions")
    seal.write_text(present.replace(*line), encoding="utf-8")
    return folder
