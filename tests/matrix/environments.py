"""The environments of the matrix: where each is, whether it stands, and how it is made.

They are made from pins, under `.venv-matrix`; those of the tests and of `make floor` are used as
they stand. Knows nothing of what is run in them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.matrix.cells import NEWEST, OLDEST, RUN, Sdk
from tests.support.processes import ROOT

HOME = ROOT / ".venv-matrix"
STAMP = "ready"
"""The file that says: installed from the pins as they stand. The Makefile's has this name too."""
FLOOR = Path(os.environ.get("PS7_FLOOR_PYTHON") or ROOT / ".venv-floor" / "bin" / "python")


class NotMade(Exception):  # noqa: N818 - a finding
    """An environment could not be made; the text says why, for a person at a terminal."""


@dataclass(frozen=True)
class Environment:
    """A folder with an interpreter and its packages."""

    name: str
    pins: str
    version: str
    """Of Python."""

    @property
    def python(self) -> Path:
        """Its interpreter, which may not be there."""
        return HOME / self.name / "bin" / "python"

    @property
    def stands(self) -> bool:
        """Whether it was made, from the pins as they are now."""
        return self._stamp.exists() and self._stamp.read_text("utf-8") == self._digest

    def make(self) -> None:
        """Make it anew.

        Raises:
            NotMade: there is no such Python here, or the packages could not be installed.

        """
        folder = HOME / self.name
        shutil.rmtree(folder, ignore_errors=True)
        _run(_find_python(self.version), "-m", "venv", str(folder))
        requirements = ("--requirement", str(ROOT / self.pins))
        _run(str(self.python), "-m", "pip", "install", "--quiet", "--use-pep517", *requirements)
        self._stamp.write_text(self._digest, "utf-8")

    @property
    def _stamp(self) -> Path:
        return HOME / self.name / STAMP

    @property
    def _digest(self) -> str:
        return hashlib.sha256((ROOT / self.pins).read_bytes()).hexdigest()


def environment(sdk: Sdk, python: str) -> Environment:
    """Return the environment of a rasa-sdk on a Python."""
    return Environment(f"{sdk.name}-{python}", sdk.pins, python)


def at_hand(sdk: Sdk, python: str) -> Path | None:
    """Return the interpreter if it is that of these tests, or that of `make floor`."""
    if sdk is NEWEST and python == "{}.{}".format(*sys.version_info):
        return Path(sys.executable)
    return FLOOR if sdk is OLDEST else None


def interpreter(sdk: Sdk, python: str) -> Path | None:
    """Return the interpreter of a Python that has this rasa-sdk, if one stands."""
    if known := at_hand(sdk, python):
        return known if known.exists() else None
    made = environment(sdk, python)
    return made.python if made.stands else None


def usable(python: Path | None) -> Path:
    """Return an interpreter that stands; skip the test where none does, and fail it in CI."""
    if python is None:
        reason = "`make matrix` (or `make floor`) has not made the environment, or from other pins"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return python


def every() -> Iterator[Environment]:
    """Yield all that `make matrix` makes."""
    yield from dict.fromkeys(
        environment(cell.sdk, cell.python) for cell in RUN if not at_hand(cell.sdk, cell.python)
    )


def _find_python(version: str) -> str:
    try:
        return _run(str(ROOT / "scripts" / "find-python"), version, version)
    except NotMade:
        raise NotMade(f"there is no Python {version} here") from None


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        *_, last = done.stderr.strip().splitlines() or [f"{command[0]} failed"]
        raise NotMade(last)
    return done.stdout.strip()
