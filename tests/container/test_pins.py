"""`requirements/container.txt`: what it holds, and the script that makes it."""

from __future__ import annotations

import re
from importlib.metadata import distribution

from scripts import hash_pins
from tests.support.processes import ROOT

TEXT = (ROOT / "requirements" / "container.txt").read_text(encoding="utf-8")
ENTRY = re.compile(r"(\S+==\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def test_it_holds_pins_and_hashes_and_nothing_else() -> None:
    """No address, no option: where the wheels come from is for the one who builds to configure."""
    assert TEXT.startswith(hash_pins.HEADER)
    assert ENTRY.sub("", TEXT.removeprefix(hash_pins.HEADER)) == ""


def test_it_pins_what_the_action_server_is_tested_with() -> None:
    """The same versions as `requirements/runtime.txt`, each of them once."""
    runtime = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    assert [pin for pin, _ in ENTRY.findall(TEXT)] == sorted(hash_pins.pins(runtime), key=str.lower)
    assert "async-timeout" in runtime, "a pin for other Pythons than the image's is left out"


def test_there_is_a_hash_for_each_processor() -> None:
    """One where nothing is compiled; else two, or four where newer systems have others."""
    for pin, hashes in ENTRY.findall(TEXT):
        about = distribution(pin.partition("==")[0]).read_text("WHEEL") or ""
        found = re.findall(r"sha256:(\w+)", hashes)
        assert len(found) in ({1} if "-none-any" in about else {2, 4}), pin
        assert len(set(found)) == len(found), pin
