"""The matrix: each rasa-sdk on each Python that it installs on, over every transport.

    make matrix

A session makes an environment that has one set of pins and nothing else. The tests run where nox
does, and start their action servers with the Python of that environment. docs/figures.md has the
table of these cells.
"""

from __future__ import annotations

import os
import subprocess
import sys

import nox

nox.needs_version = ">=2025"
nox.options.default_venv_backend = "virtualenv"
nox.options.envdir = ".venv-matrix"
nox.options.error_on_missing_interpreters = bool(os.environ.get("PS7_TESTS_COMPLETE"))

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
NEWEST, OLDEST = "requirements/runtime.txt", "requirements/floor.txt"
SDK_3_12, SDK_3_6 = "requirements/matrix/rasa-sdk-3.12.txt", "requirements/matrix/rasa-sdk-3.6.txt"
CELLS = (
    *((python, NEWEST) for python in PYTHONS),
    *((python, SDK_3_12) for python in PYTHONS[:3]),
    ("3.10", SDK_3_6),
    ("3.10", OLDEST),
)


def interpreter(version: str) -> str:
    """Return where a Python is: on the PATH, or where pyenv or uv keep it."""
    find = ("scripts/find-python", version, version)
    found = subprocess.run(find, capture_output=True, text=True, check=False)  # noqa: S603 - our own script
    return found.stdout.strip() or version


WHERE = {version: interpreter(version) for version in PYTHONS}


def install(session: nox.Session, pins: str, *newer: str) -> None:
    """Install a set of pins, and then what is newer than they say."""
    session.install("--use-pep517", "--requirement", pins)
    if newer:
        session.install("--upgrade", *newer)
    python = f"{session.virtualenv.location}/bin/python"
    cell = {"PS7_MATRIX_PYTHON": python, "PS7_MATRIX_PINS": pins}
    tests = ("-m", "pytest", "-q", "-m", "release or not release", "tests/matrix")
    session.run(sys.executable, *tests, external=True, env=cell)


@nox.session
@nox.parametrize(
    "python,pins",
    [(WHERE[python], pins) for python, pins in CELLS],
    ids=[f"{pins}, {python}" for python, pins in CELLS],
)
def matrix(session: nox.Session, pins: str) -> None:
    """Look a customer up with these pins on this Python."""
    install(session, pins)


@nox.session(python=WHERE[PYTHONS[-1]])
def aiohttp(session: nox.Session) -> None:
    """Look a customer up with the newest aiohttp that there is."""
    install(session, NEWEST, "aiohttp")
