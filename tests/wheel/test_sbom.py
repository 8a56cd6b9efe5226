"""The bill of materials beside the wheel: what it names, and that it can be made again."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

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


def test_it_names_what_the_image_pins(tmp_path: Path) -> None:
    """Every package with its version and hashes, the plugin as their root, and no time."""
    made = make(tmp_path / "first")
    bill = json.loads(made.read_text(encoding="utf-8"))
    root, version = bill["metadata"]["component"], release.own_version(ROOT)
    pins = {
        canonicalize_name(name): (number, {*re.findall(r"sha256:(\w+)", hashes)})
        for pin, hashes in ENTRY.findall(read("container"))
        for name, _, number in (pin.partition("=="),)
    }
    assert made.name == f"rasa_ps7-{version}.cdx.json"
    assert (root["name"], root["version"]) == ("rasa-ps7", version)
    assert pins == {
        canonicalize_name(each["name"]): (each["version"], {one["content"] for one in of["hashes"]})
        for each in bill["components"]
        for of in each["externalReferences"]
    }
    assert not {"serialNumber", "timestamp"} & {*bill, *bill["metadata"]}
    assert "/simple" not in made.read_text(encoding="utf-8"), "no address of an index"
    assert make(tmp_path / "again").read_bytes() == made.read_bytes()
