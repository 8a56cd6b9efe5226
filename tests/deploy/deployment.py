"""The files of `examples/deploy/`, read as their tools read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from actions.ps7 import PS7Settings
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = ROOT / "examples" / "deploy"
COMPOSE_FILE = DEPLOY / "compose.yaml"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
ENDPOINTS = DEPLOY / "rasa" / "endpoints.yml"

PS7_VARIABLES = {f"PS7_{name.upper()}" for name in PS7Settings.model_fields} | {"PS7_SECRETS_DIR"}
RASA_VARIABLES = set(re.findall(r"\$\{(\w+)\}", ENDPOINTS.read_text(encoding="utf-8")))
"""What Rasa's `endpoints.yml` is filled from."""
RASAS_OWN = {"RASA_TELEMETRY_ENABLED", "RASA_SECRETS_DIR"}
"""Rasa's telemetry, and the folder that `with-secrets` reads."""

_YAML = YAML(typ="safe", pure=True)
COMPOSE: dict[str, Any] = _YAML.load(COMPOSE_FILE)
OBJECTS: list[dict[str, Any]] = [each for path in MANIFESTS for each in _YAML.load_all(path)]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    """Return the objects of some kinds."""
    return [each for each in OBJECTS if each["kind"] in kinds]


def named(kind: str, name: str) -> dict[str, Any]:
    """Return one object."""
    (found,) = (each for each in of_kind(kind) if each["metadata"]["name"] == name)
    return found


@dataclass(frozen=True)
class Workload:
    """What a Deployment or a StatefulSet runs."""

    name: str
    manifest: dict[str, Any]

    @property
    def spec(self) -> Any:  # noqa: ANN401 - YAML
        """The whole of it."""
        return self.manifest["spec"]

    @property
    def labels(self) -> Any:  # noqa: ANN401 - YAML
        """What its pods are labelled."""
        return self.spec["template"]["metadata"]["labels"]

    @property
    def pod(self) -> Any:  # noqa: ANN401 - YAML
        """The pod."""
        return self.spec["template"]["spec"]

    @property
    def container(self) -> Any:  # noqa: ANN401 - YAML
        """Its one container."""
        (container,) = self.pod["containers"]
        return container

    @property
    def ports(self) -> dict[str, int]:
        """The ports that it listens on, by name."""
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}

    @property
    def volumes(self) -> dict[str, dict[str, Any]]:
        """Its volumes by name, without those that a StatefulSet claims."""
        return {volume["name"]: volume for volume in self.pod.get("volumes", [])}

    @property
    def variables(self) -> dict[str, str]:
        """Its environment, with what its ConfigMaps bring."""
        own = {each["name"]: each["value"] for each in self.container.get("env", [])}
        for source in self.container.get("envFrom", []):
            own |= named("ConfigMap", source["configMapRef"]["name"])["data"]
        return own


WORKLOADS = {
    each["metadata"]["name"]: Workload(each["metadata"]["name"], each)
    for each in of_kind("Deployment", "StatefulSet")
}


def matching(selector: dict[str, str]) -> Iterator[Workload]:
    """Yield the workloads whose pods have these labels."""
    for workload in WORKLOADS.values():
        if selector.items() <= workload.labels.items():
            yield workload
