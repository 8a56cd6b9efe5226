"""Prints the pins of an image, each with the hashes of its wheels: `make pins`.

    python scripts/hash_pins.py requirements/runtime.txt >requirements/container.txt
    python scripts/hash_pins.py requirements/rasa.txt 3.10 x86_64 >requirements/rasa-container.txt

pip says, without installing anything, which wheel it would take for the image's Python on each
processor, and what its SHA-256 is. Nothing but that comes from the package index; where pip asks
for it is its own configuration.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PYTHON = "3.13"
"""The action server's: the `FROM` lines of the Dockerfile name the same."""
GLIBCS = (28, 41)
"""2.28, the oldest that an image may have, and 2.41 of Debian 13: pip prefers newer wheels."""
PROCESSORS = ("x86_64", "aarch64")
SOURCES = "docopt,mattermostwrapper,randomname"
"""Rasa needs them, and they have no wheels: rasa.Dockerfile names the same."""


def header(python: str = PYTHON, processors: Sequence[str] = PROCESSORS) -> str:
    """Return what the file begins with."""
    return f"""\
# The pins of an image, with the SHA-256 of each wheel for
# Python {python} on Linux with glibc 2.{GLIBCS[0]} or newer, {" and ".join(processors)}.
# Made by `make pins`: do not edit.
"""


def pins(text: str, python: str = PYTHON) -> list[str]:
    """Return the pins that count on the image's Python, without their markers."""
    there = {"python_version": python, "sys_platform": "linux", "extra": ""}
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    found = [Requirement(line) for line in lines]
    return [f"{pin.name}{pin.specifier}" for pin in found if _counts(pin, there)]


def _counts(pin: Requirement, there: dict[str, str]) -> bool:
    return pin.marker is None or pin.marker.evaluate(there)


def wheels(chosen: Iterable[str], python: str, processor: str, glibc: int) -> dict[str, str]:
    """Return the SHA-256 of the wheel that pip takes for each pin on such a machine."""
    platforms = [f"manylinux_2_{minor}_{processor}" for minor in range(glibc, 4, -1)]
    with tempfile.TemporaryDirectory() as nowhere:
        report = subprocess.run(  # noqa: S603 - pip, with what stands in our own files
            [
                *(sys.executable, "-m", "pip", "install", "--dry-run", "--report", "-"),
                *("--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-installed"),
                *("--only-binary", ":all:", "--no-binary", SOURCES, "--use-pep517"),
                *("--ignore-requires-python", "--target", nowhere, "--python-version", python),
                *(f"--platform={each}" for each in (*platforms, f"manylinux2014_{processor}")),
                *chosen,
            ],
            check=True,
            stdout=subprocess.PIPE,
        ).stdout
    return {
        canonicalize_name(each["metadata"]["name"]): _sha256(each["download_info"]["archive_info"])
        for each in json.loads(report)["install"]
    }


def _sha256(archive: dict[str, Any]) -> str:
    """Read a hash as every pip writes it: before 23.1, all had one field."""
    if "hashes" in archive:
        return str(archive["hashes"]["sha256"])
    return str(archive["hash"]).removeprefix("sha256=")


def main(source: str, python: str = PYTHON, *only: str) -> None:
    """Print the file."""
    processors = only or PROCESSORS
    chosen = pins(Path(source).read_text(encoding="utf-8"), python)
    found = [wheels(chosen, python, *machine) for machine in product(processors, GLIBCS)]
    sys.stdout.write(header(python, processors))
    for pin in sorted(chosen, key=str.lower):
        name = canonicalize_name(Requirement(pin).name)
        hashes = dict.fromkeys(each[name] for each in found)  # all the same, where it is pure
        sys.stdout.write(" \\\n    ".join([pin, *(f"--hash=sha256:{each}" for each in hashes)]))
        sys.stdout.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
