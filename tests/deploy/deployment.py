"""The files of `examples/deploy/`, read as their tools read them."""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from ruamel.yaml import YAML

from tests.support.processes import ROOT

DEPLOY = ROOT / "examples" / "deploy"
PS7_TLS = dict(
    zip(
        ("PS7_CA_FILE", "PS7_CLIENT_CERT", "PS7_CLIENT_KEY"),
        ("ca.crt", "client.crt", "client.key"),
        strict=True,
    )
)
"""Which file is which setting's: not as pairs, of which a scanner takes one for a secret."""
COMPONENTS = ("stores", "telemetry", "ps7-tls", "openshift")
load = YAML(typ="safe", pure=True).load
COMPOSE: dict[str, Any] = load(DEPLOY / "compose.yaml")


def mounted(service: dict[str, Any]) -> dict[str, str]:
    """Return the secrets of a service of Compose: the path of each, and its name."""
    secrets = service.get("secrets", ())
    plain = {f"/run/secrets/{each}": each for each in secrets if isinstance(each, str)}
    return plain | {each["target"]: each["source"] for each in secrets if isinstance(each, dict)}


class Workload(NamedTuple):
    """What a Deployment, StatefulSet or CronJob runs: one container, ports and volumes by name."""

    name: str
    spec: Any
    pod: Any
    container: Any
    ports: dict[str, int]
    volumes: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, manifest: dict[str, Any]) -> Workload:
        """Read one from its manifest."""
        spec = manifest["spec"].get("jobTemplate", manifest)["spec"]
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
        claimed = [each["metadata"] for each in spec.get("volumeClaimTemplates", [])]
        volumes = {volume["name"]: volume for volume in [*pod["volumes"], *claimed]}
        return cls(manifest["metadata"]["name"], spec, pod, container, ports, volumes)


class Cluster:
    """What `kubectl apply -k` would send to a cluster."""

    def __init__(self, objects: list[dict[str, Any]]) -> None:
        self.objects = objects
        self.workloads = {
            each["metadata"]["name"]: Workload.read(each)
            for each in self.of_kind("Deployment", "StatefulSet", "CronJob")
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


def build_cluster(folder: Path, *components: str) -> Cluster:
    """Choose components in a copy of `examples/deploy/` that has secrets, and build it."""
    chosen = folder / "kubernetes" / "kustomization.yaml"
    settings = load(DEPLOY / "kubernetes" / chosen.name)
    settings["components"] = [f"components/{name}" for name in components]
    chosen.write_text(json.dumps(settings))
    secrets = (DEPLOY / "secrets" / chosen.name).read_text(encoding="utf-8")
    if "ps7-tls" in components:
        secrets = re.sub(r"(?m)^  # (- name: ps7-tls|  files: \[ps7-tls)", r"  \1", secrets)
    (folder / "secrets" / chosen.name).write_text(secrets)
    built = subprocess.check_output(["kustomize", "build", chosen.parent])
    return Cluster([*yaml.load_all(built, yaml.CSafeLoader)])
