"""What the scale run needs beside the project: Debian's programs, and a Python that has Rasa."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = "postgresql redis-server nginx"
"""Debian's packages that bring the programs."""

_POSTGRES_FOLDERS = Path("/usr/lib/postgresql")
"""Debian keeps a folder for each version here, and puts none of them on the PATH."""
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@dataclass(frozen=True)
class Programs:
    """Where they are. A path that does not exist says what is missing."""

    postgres: Path
    """The folder with `initdb`, `postgres`, `createdb` and `pg_isready`."""
    redis: Path
    nginx: Path
    rasa_python: Path

    @classmethod
    def find(cls) -> Programs:
        """Look for them: Rasa's Python is `PS7_RASA_PYTHON`, or that of `.venv-rasa`."""
        rasa = os.environ.get("PS7_RASA_PYTHON") or ROOT / ".venv-rasa" / "bin" / "python"
        return cls(_postgres(), _which("redis-server"), _which("nginx"), Path(rasa))

    @property
    def missing(self) -> str | None:
        """Return what is missing and how to get it, None where nothing is."""
        programs = {
            "PostgreSQL": self.postgres / "initdb",
            "redis-server": self.redis,
            "nginx": self.nginx,
            f"a Python that has rasa==3.6.21 ({self.rasa_python})": self.rasa_python,
        }
        absent = [name for name, path in programs.items() if not path.exists()]
        return f"missing: {', '.join(absent)} (apt-get install {PACKAGES})" if absent else None

    def versions(self, *in_rasa: str) -> dict[str, str]:
        """Ask each of the programs which version it is, or only packages beside Rasa."""
        code = "import importlib.metadata as m; print(m.version('{}'))"
        asked: dict[str, tuple[str | Path, ...]] = {
            name: (self.rasa_python, "-c", code.format(name)) for name in in_rasa or ("rasa",)
        }
        if not in_rasa:
            asked["PostgreSQL"] = (self.postgres / "postgres", "--version")
            asked |= {"Redis": (self.redis, "--version"), "nginx": (self.nginx, "-v")}
        return {name: _version(*command) for name, command in asked.items()}


def _which(name: str) -> Path:
    return Path(shutil.which(name, path=_PATH) or f"/usr/bin/{name}")


def _postgres() -> Path:
    """Find the newest version that is there."""
    found = [folder for folder in _POSTGRES_FOLDERS.glob("*/bin") if (folder / "initdb").exists()]
    return max(found, key=lambda folder: float(folder.parent.name), default=_POSTGRES_FOLDERS)


def _version(*command: str | Path) -> str:
    said = subprocess.run(  # noqa: S603 - programs that were found above
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True, text=True
    )
    number = re.search(r"\d+(\.\d+)+", said.stdout)
    return number[0] if number else "unknown"
