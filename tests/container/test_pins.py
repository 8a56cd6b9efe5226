"""The pins of the images: what the files hold, and the script that makes them."""

from __future__ import annotations

import re
from importlib.metadata import distribution

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
    """No address, no option: where the wheels come from is for the one who builds to configure."""
    text, header = read(name), hash_pins.header(python, processors)
    assert text.startswith(header)
    assert ENTRY.sub("", text.removeprefix(header)) == ""
    pinned = hash_pins.pins(read(source), python)
    assert [pin for pin, _ in ENTRY.findall(text)] == sorted(pinned, key=str.lower)


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
