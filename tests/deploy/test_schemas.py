"""The manifests are what Kubernetes takes, and the compose file is what Compose takes.

The schemas come with the validators: `kubernetes-validate` brings those of every Kubernetes, and
`check-jsonschema` that of the Compose specification.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from kubernetes_validate.utils import validate

from tests.deploy.deployment import COMPOSE_FILE, MANIFESTS, OBJECTS

pytestmark = pytest.mark.release


@pytest.mark.parametrize("version", ["1.29", "1.37"], ids=["oldest", "newest"])
@pytest.mark.parametrize(
    "manifest", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}"
)
def test_kubernetes_takes_each_manifest(manifest: dict[str, Any], version: str) -> None:
    """Every field is known, and has the type that it must have."""
    assert validate(manifest, version, strict=True) == version


def test_the_folder_holds_manifests_alone() -> None:
    """`kubectl apply -f` takes the whole folder."""
    assert sorted(MANIFESTS[0].parent.iterdir()) == MANIFESTS


def test_compose_takes_its_file() -> None:
    """Every field is known, and has the type that it must have."""
    schema = ("--builtin-schema", "vendor.compose-spec")
    subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, COMPOSE_FILE], check=True)
