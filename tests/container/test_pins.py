"""The pins of the images: what the files hold, and the script that makes them."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

from scripts import hash_pins
from tests.support.processes import ROOT

ENTRY = re.compile(r"(\S+==\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def read(name: str) -> str:
    """Return a file of pins."""
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "source", "python", "processors"),
    [
        ("container", "runtime", hash_pins.PYTHON, hash_pins.PROCESSORS),
        ("rasa-container", "rasa", "3.10", ("x86_64",)),
    ],
)
def test_an_image_has_the_pins_of_the_tests_with_hashes_and_nothing_else(
    name: str, source: str, python: str, processors: tuple[str, ...]
) -> None:
    """No address, no option: where the wheels come from is for the one who builds to configure.

    `make pins` makes them for the same machines anew.
    """
    text, header = read(name), hash_pins.header(python, processors)
    assert text.startswith(header)
    assert ENTRY.sub("", text.removeprefix(header)) == ""
    pinned = hash_pins.pins(read(source), python)
    assert [pin for pin, _ in ENTRY.findall(text)] == sorted(pinned, key=str.lower)
    machines = [] if python == hash_pins.PYTHON else [python, *processors]
    made = " ".join(["hash_pins.py", f"requirements/{source}.txt", *machines])
    assert f"{made})" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_a_pin_for_other_pythons_is_left_out() -> None:
    """Its marker says so."""
    assert "async-timeout" in read("runtime")
    assert "async-timeout" not in read("container")


def test_there_is_a_hash_for_each_processor() -> None:
    """One where nothing is compiled; else two, or four where newer systems have others."""
    for pin, hashes in ENTRY.findall(read("container")):
        about = distribution(pin.partition("==")[0]).read_text("WHEEL") or ""
        found = re.findall(r"sha256:(\w+)", hashes)
        assert len(found) in ({1} if "-none-any" in about else {2, 4}), pin
        assert len(set(found)) == len(found), pin


PIP = """
import json, os, sys
(platform, *_, oldest, _) = (each for each in sys.argv if each.startswith("--platform="))
assert [each for each in sys.argv if "==" in each] == ["compiled==2", "Pure==1"]
assert oldest.startswith("--platform=manylinux_2_5_")
asked = " ".join(each for each in sys.argv[1:] if not each.startswith("--platform="))
start, _, end = asked.partition(" --target ")
assert start == os.environ["START"]
assert end.split(" ", 1)[1] == f"--python-version {os.environ['FOR']} compiled==2 Pure==1"
hashes = {"Pure": {"hash": "sha256=of pure"}, "compiled": {"hashes": {"sha256": platform}}}
found = [{"metadata": {"name": each}, "archive_info": hashes[each]} for each in hashes]
made = [each | {"download_info": {"archive_info": each.pop("archive_info")}} for each in found]
print(json.dumps({"install": made}))
"""
"""Answers as pip does, a new one and one before 23.1."""
START = (
    "install --dry-run --report - --quiet --disable-pip-version-check --no-deps --ignore-installed "
    "--only-binary :all: --no-binary docopt,mattermostwrapper,randomname --use-pep517 "
    "--ignore-requires-python"
)


@pytest.mark.parametrize("machine", [(), ("3.10", "aarch64")], ids=["any", "one"])
def test_a_pin_gets_the_hash_of_each_wheel_that_pip_would_take(
    machine: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once, where all machines take the same. It installs nothing, and builds what has no wheel."""
    python, *processors = machine or (hash_pins.PYTHON, *hash_pins.PROCESSORS)
    (tmp_path / "pip.py").write_text(PIP)
    (tmp_path / "source.txt").write_text(
        f"# pins\ncompiled==2\nPure==1; python_version == '{python}'\nno==3; python_version < '3'\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("START", START)
    monkeypatch.setenv("FOR", python)
    hash_pins.main(str(tmp_path / "source.txt"), *machine)
    machines = [f"{glibc}_{each}" for each in processors for glibc in hash_pins.GLIBCS]
    compiled = [f"--hash=sha256:--platform=manylinux_2_{each}" for each in machines]
    pinned = " \\\n    ".join(["compiled==2", *compiled])
    assert capsys.readouterr().out == (
        f"{hash_pins.header(python, processors)}{pinned}\nPure==1 \\\n    --hash=sha256:of pure\n"
    )
