"""The manifests are what Kubernetes takes, and the compose file is what Compose takes.

The schemas come with the validators: `kubernetes-validate` brings those of every Kubernetes, and
`check-jsonschema` that of the Compose specification.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from kubernetes_validate.utils import ValidationError, validate

from tests.deploy.deployment import COMPOSE_FILE, MANIFESTS, OBJECTS, named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLDEST, NEWEST = "1.29", "1.37"
"""Of Kubernetes."""


def name_of(manifest: dict[str, Any]) -> str:
    """Name an object for a report."""
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", OBJECTS, ids=name_of)
def test_kubernetes_takes_each_manifest(manifest: dict[str, Any], version: str) -> None:
    """Every field is known, and has the type that it must have."""
    assert validate(manifest, version, strict=True) == version


def misspell(manifest: dict[str, Any]) -> None:
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    container["readynessProbe"] = container.pop("readinessProbe")


def forget_the_selector(manifest: dict[str, Any]) -> None:
    del manifest["spec"]["selector"]


def give_a_word_for_a_number(manifest: dict[str, Any]) -> None:
    manifest["spec"]["replicas"] = "two"


@pytest.mark.parametrize("mistake", [misspell, forget_the_selector, give_a_word_for_a_number])
def test_a_mistake_in_a_manifest_is_found(mistake: Callable[[dict[str, Any]], None]) -> None:
    """A field that nobody knows, one that is missing, one of another type."""
    manifest = copy.deepcopy(named("Deployment", "actions"))
    mistake(manifest)

    with pytest.raises(ValidationError):
        validate(manifest, NEWEST, strict=True)


def test_the_folder_holds_manifests_alone() -> None:
    """`kubectl apply -f` takes the whole folder."""
    assert sorted(MANIFESTS[0].parent.iterdir()) == MANIFESTS


def check_compose(file: Path) -> tuple[int, str]:
    """Check a file against the Compose specification; give the exit code and what was said."""
    schema = ("--builtin-schema", "vendor.compose-spec")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *schema, file],
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout


def test_compose_takes_its_file() -> None:
    """Every field is known, and has the type that it must have."""
    code, said = check_compose(COMPOSE_FILE)

    assert code == 0, said


def test_a_mistake_in_a_compose_file_is_found(tmp_path: Path) -> None:
    """Here a field that nobody knows."""
    text = COMPOSE_FILE.read_text(encoding="utf-8")
    file = tmp_path / "compose.yaml"
    file.write_text(text.replace("healthcheck:", "heathcheck:", 1), encoding="utf-8")

    code, said = check_compose(file)

    assert code == 1
    assert "heathcheck" in said
