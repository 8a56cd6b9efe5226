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
from tests.container.test_pins import ENTRY, read
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
    for pin, hashes in ENTRY.findall(read("container")):
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
    """Every package with its version and hashes, the plugin as their root, and no time."""
    made = make(tmp_path / "first")
    bill = json.loads(made.read_text(encoding="utf-8"))
    root = bill["metadata"]["component"]
    assert bill["bomFormat"] == "CycloneDX"
    assert made.name == f"rasa_ps7-{release.own_version(ROOT)}.cdx.json"
    assert (root["name"], root["version"]) == ("rasa-ps7", release.own_version(ROOT))
    assert sorted(map(said, bill["components"])) == sorted(pinned())
    assert not {"serialNumber", "timestamp"} & {*bill, *bill["metadata"]}
    assert "/simple" not in made.read_text(encoding="utf-8"), "no address of an index"
    assert make(tmp_path / "again").read_bytes() == made.read_bytes()
