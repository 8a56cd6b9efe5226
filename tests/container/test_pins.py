"""`requirements/container.txt`: what it holds, and the script that makes it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from importlib.metadata import distribution
from typing import TYPE_CHECKING
from zipfile import ZipFile

from scripts import hash_pins
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "requirements" / "container.txt").read_text(encoding="utf-8")
_ENTRY = re.compile(r"(\S+==\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def test_it_holds_pins_and_hashes_and_nothing_else() -> None:
    """No address, no option: where the wheels come from is for the one who builds to configure."""
    assert TEXT.startswith(hash_pins.HEADER)
    assert _ENTRY.sub("", TEXT.removeprefix(hash_pins.HEADER)) == ""


def test_it_pins_what_the_action_server_is_tested_with() -> None:
    """The same versions as `requirements/runtime.txt`, each of them once."""
    runtime = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    assert [pin for pin, _ in _ENTRY.findall(TEXT)] == sorted(
        hash_pins.pins(runtime), key=str.lower
    )
    assert "async-timeout" in runtime, "a pin for other Pythons than the image's is left out"


def test_there_is_a_hash_for_each_processor() -> None:
    """One where nothing is compiled; else two, or four where newer systems have others."""
    for pin, hashes in _ENTRY.findall(TEXT):
        about = distribution(pin.partition("==")[0]).read_text("WHEEL") or ""
        found = re.findall(r"sha256:(\w+)", hashes)
        assert len(found) in ({1} if "-none-any" in about else {2, 4}), pin
        assert len(set(found)) == len(found), pin


def wheel(folder: Path, name: str, tag: str) -> str:
    """Make a wheel of which pip can see what it is; give its SHA-256."""
    file = folder / f"{name}-1.0-{tag}.whl"
    info = f"{name}-1.0.dist-info"
    with ZipFile(file, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_script_hashes_what_pip_would_take(tmp_path: Path) -> None:
    """For the image's Python on both processors, wherever it runs; markers are applied."""
    for_each = ("28_x86_64", "36_x86_64", "17_aarch64")
    older, newer, arm = (
        wheel(tmp_path, "compiled", f"cp313-cp313-manylinux_2_{each}") for each in for_each
    )
    pure = wheel(tmp_path, "pure", "py3-none-any")
    for other in ("cp312-cp312-manylinux_2_28_x86_64", "cp313-cp313-musllinux_1_2_x86_64"):
        wheel(tmp_path, "compiled", other)
    source = tmp_path / "source.txt"
    source.write_text(
        "# some pins\npure==1.0 ; sys_platform != 'win32'\n\n"
        "old==1.0 ; python_version < '3.11'\ncompiled==1.0\n"
    )

    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "hash_pins.py", source],
        env={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout == hash_pins.HEADER + (
        f"compiled==1.0 \\\n    --hash=sha256:{older} \\\n    --hash=sha256:{newer} \\\n"
        f"    --hash=sha256:{arm}\n"
        f"pure==1.0 \\\n    --hash=sha256:{pure}\n"
    )
