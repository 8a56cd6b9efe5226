"""The files of `examples/deploy/`, read as their tools read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML

from actions.ps7 import PS7Settings
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = ROOT / "examples" / "deploy"
COMPOSE_FILE = DEPLOY / "compose.yaml"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))

PS7_VARIABLES = {f"PS7_{name.upper()}" for name in PS7Settings.model_fields} | {"PS7_SECRETS_DIR"}
RASA_VARIABLES = {
    "RASA_TELEMETRY_ENABLED",
    "RASA_SECRETS_DIR",
    *re.findall(r"\$\{(\w+)\}", (DEPLOY / "rasa" / "endpoints.yml").read_text(encoding="utf-8")),
}
"""What Rasa's `endpoints.yml` is filled from, its telemetry, and what `with-secrets` reads."""

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


class Workload(NamedTuple):
    """What a Deployment or a StatefulSet runs."""

    name: str
    spec: Any
    pod: Any
    container: Any
    """The one of its pods."""
    ports: dict[str, int]
    """The ports that it listens on, by name."""
    volumes: dict[str, dict[str, Any]]
    """Its volumes by name, without those that a StatefulSet claims."""

    @classmethod
    def read(cls, manifest: dict[str, Any]) -> Workload:
        """Read one from its manifest."""
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
        name = manifest["metadata"]["name"]
        return cls(name, manifest["spec"], pod, container, ports, volumes)

    @property
    def variables(self) -> dict[str, str]:
        """Its environment, with what its ConfigMaps bring."""
        own = {each["name"]: each["value"] for each in self.container.get("env", [])}
        for source in self.container.get("envFrom", []):
            own |= named("ConfigMap", source["configMapRef"]["name"])["data"]
        return own


WORKLOADS = {
    each["metadata"]["name"]: Workload.read(each) for each in of_kind("Deployment", "StatefulSet")
}


def matching(selector: dict[str, str]) -> Iterator[Workload]:
    """Yield the workloads whose pods have these labels."""
    for workload in WORKLOADS.values():
        if selector.items() <= workload.spec["template"]["metadata"]["labels"].items():
            yield workload
