"""The bill of materials beside the wheel: what it names, and that it can be made again."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from scripts import release
from tests.container.test_pins import ENTRY, TEXT
from tests.support.processes import ROOT

pytestmark = pytest.mark.release

TOOLS = Path(os.environ.get("PS7_RELEASE_PYTHON") or ROOT / ".venv-release" / "bin" / "python")


def make(folder: Path) -> Path:
    """Make one as `make sbom` does."""
    tool = TOOLS.with_name("cyclonedx-py")
    if not tool.exists():
        pytest.skip(f"needs requirements/release.txt: {tool} does not exist")
    subprocess.run([ROOT / "scripts" / "make-sbom", tool, folder], cwd=ROOT, check=True)
    (made,) = folder.iterdir()
    return made


def pinned() -> Iterator[tuple[str, str, set[str]]]:
    """Yield name, version and hashes of each pin of the image."""
    for pin, hashes in ENTRY.findall(TEXT):
        name, _, version = pin.partition("==")
        yield canonicalize_name(name), version, set(re.findall(r"sha256:(\w+)", hashes))


def said(component: dict[str, Any]) -> tuple[str, str, set[str]]:
    """Return what a component says of itself."""
    (reference,) = component["externalReferences"]
    hashes = {each["content"] for each in reference["hashes"]}
    assert component["purl"] == (
        f"pkg:pypi/{canonicalize_name(component['name'])}@{component['version']}"
    )
    return canonicalize_name(component["name"]), component["version"], hashes


def test_it_names_what_the_image_pins(tmp_path: Path) -> None:
    """Every package with its version and the hashes of its wheels, and the plugin as their root."""
    made = make(tmp_path)
    bill = json.loads(made.read_text(encoding="utf-8"))
    root = bill["metadata"]["component"]
    assert bill["bomFormat"] == "CycloneDX"
    assert made.name == f"rasa_ps7-{release.own_version(ROOT)}.cdx.json"
    assert (root["name"], root["version"]) == ("rasa-ps7", release.own_version(ROOT))
    assert sorted(map(said, bill["components"])) == sorted(pinned())


def test_it_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    """No time, no serial number, and no address of an index."""
    first, second = (make(tmp_path / name).read_bytes() for name in ("first", "second"))
    assert first == second
    assert "serialNumber" not in json.loads(first)
    assert "timestamp" not in json.loads(first)["metadata"]
    assert b"/simple" not in first
