"""The files of `examples/deploy/`, read as their tools read them."""

from __future__ import annotations

import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from actions.ps7 import PS7Settings
from tests.support.processes import ROOT

DEPLOY = ROOT / "examples" / "deploy"
COMPOSE_FILE = DEPLOY / "compose.yaml"
COMPONENTS = ("stores", "telemetry", "ps7-tls", "openshift")

PS7_VARIABLES = {
    *(f"PS7_{name.upper()}" for name in PS7Settings.model_fields),
    *("PS7_SECRETS_DIR", "OTEL_SERVICE_NAME"),
}
RASA_VARIABLES = {
    *("RASA_TELEMETRY_ENABLED", "RASA_SECRETS_DIR", "OTEL_SERVICE_NAME", "TLS_CA_FILE"),
    *re.findall(r"\$\{(\w+)\}", (DEPLOY / "rasa" / "endpoints.yml").read_text(encoding="utf-8")),
}
"""What Rasa's `endpoints.yml` is filled from, and what telemetry and `with-secrets` read."""

_YAML = YAML(typ="safe", pure=True)
COMPOSE: dict[str, Any] = _YAML.load(COMPOSE_FILE)


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """Return the secrets of a service of Compose: the path of each, and its name."""
    plain = {f"/run/secrets/{each}": each for each in service["secrets"] if isinstance(each, str)}
    return plain | {
        each["target"]: each["source"] for each in service["secrets"] if isinstance(each, dict)
    }


class Workload(NamedTuple):
    """What a Deployment or a StatefulSet runs: one container, with ports and volumes by name."""

    name: str
    spec: Any
    pod: Any
    container: Any
    ports: dict[str, int]
    volumes: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, manifest: dict[str, Any]) -> Workload:
        """Read one from its manifest."""
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        claimed = [each["metadata"] for each in manifest["spec"].get("volumeClaimTemplates", [])]
        volumes = {volume["name"]: volume for volume in [*pod["volumes"], *claimed]}
        name = manifest["metadata"]["name"]
        return cls(name, manifest["spec"], pod, container, ports, volumes)


class Cluster:
    """What `kubectl apply -k` would send to a cluster."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.objects = objects
        self.workloads = {
            each["metadata"]["name"]: Workload.read(each)
            for each in self.of_kind("Deployment", "StatefulSet")
        }

    def of_kind(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the objects of some kinds."""
        return [each for each in self.objects if each["kind"] in kinds]

    def named(self, kind: str, name: str) -> dict[str, Any]:
        """Return one object."""
        (found,) = (each for each in self.of_kind(kind) if each["metadata"]["name"] == name)
        return found

    def matching(self, selector: dict[str, str]) -> Iterator[Workload]:
        """Yield the workloads whose pods have these labels."""
        for workload in self.workloads.values():
            if selector.items() <= workload.spec["template"]["metadata"]["labels"].items():
                yield workload

    def variables(self, workload: str) -> dict[str, str]:
        """Return the environment of a workload, with what its ConfigMaps bring."""
        container = self.workloads[workload].container
        own = {each["name"]: each["value"] for each in container.get("env", [])}
        for source in container.get("envFrom", []):
            own |= self.named("ConfigMap", source["configMapRef"]["name"])["data"]
        return own

    def files(self, workload: str) -> dict[str, str]:
        """Return what a workload mounts of Secrets and ConfigMaps: each path, and what it holds."""
        found = {}
        _, _, _, container, _, volumes = self.workloads[workload]
        for mount in container["volumeMounts"]:
            volume = volumes[mount["name"]]
            for source in [volume, *volume.get("projected", {}).get("sources", [])]:
                for kind in {"secret", "configMap"} & source.keys():
                    what = source[kind]
                    named = what.get("secretName") or what["name"]
                    data = self.named(kind[0].upper() + kind[1:], named)["data"]
                    for item in what.get("items") or ({"key": key, "path": key} for key in data):
                        text = data[item["key"]]
                        text = b64decode(text).decode() if kind == "secret" else text
                        found[f"{mount['mountPath']}/{item['path']}"] = text
        return found


def build_cluster(kustomize: str, folder: Path, *components: str) -> Cluster:
    """Choose components in a copy of `examples/deploy/` that has secrets, and build it."""
    file = folder / "kubernetes" / "kustomization.yaml"
    text = (DEPLOY / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8")
    for name in COMPONENTS:
        line = rf"^  (?:# )?- components/{name}\b"
        chosen = f"  {'' if name in components else '# '}- components/{name}"
        text = re.sub(line, chosen, text, flags=re.MULTILINE)
    file.write_text(text if components else text.replace("components:", "components: []"))
    secrets = (DEPLOY / "secrets" / "kustomization.yaml").read_text(encoding="utf-8")
    if "ps7-tls" in components:
        secrets = re.sub(
            r"^  # (- name: ps7-tls.*|  files: \[ps7-tls.*)", r"  \1", secrets, flags=re.MULTILINE
        )
    (folder / "secrets" / "kustomization.yaml").write_text(secrets)
    built = subprocess.run([kustomize, "build", file.parent], check=True, stdout=subprocess.PIPE)
    return Cluster(list(_YAML.load_all(built.stdout)))
