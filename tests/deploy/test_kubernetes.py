"""The manifests are what Kubernetes takes, and fit together.

Names, labels and ports that refer to each other agree: a schema cannot see that. Each test takes
what one file says and looks for its counterpart.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from kubernetes_validate.utils import validate

from tests.deploy.deployment import (
    MANIFESTS,
    OBJECTS,
    PS7_VARIABLES,
    RASA_VARIABLES,
    WORKLOADS,
    Workload,
    matching,
    named,
    of_kind,
)

pytestmark = pytest.mark.release

EVERY = pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)


@pytest.mark.parametrize("version", ["1.29", "1.37"], ids=["oldest", "newest"])
@pytest.mark.parametrize(
    "manifest", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}"
)
def test_kubernetes_takes_each_manifest(manifest: dict[str, Any], version: str) -> None:
    """Every field is known to its schema, and has the type that it must have."""
    assert validate(manifest, version, strict=True) == version


def test_everything_lives_in_one_namespace() -> None:
    """… that refuses pods with privileges."""
    (namespace,) = of_kind("Namespace")
    others = [each for each in OBJECTS if each is not namespace]

    assert {each["metadata"]["namespace"] for each in others} == {namespace["metadata"]["name"]}
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    folder = MANIFESTS[0].parent
    assert sorted(folder.iterdir()) == MANIFESTS, "`kubectl apply -f` takes the whole folder"


@EVERY
def test_a_workload_selects_its_own_pods(workload: Workload) -> None:
    """… and no others."""
    selector = workload.spec["selector"]["matchLabels"]

    assert list(matching(selector)) == [workload]
    for spread in workload.pod.get("topologySpreadConstraints", []):
        assert spread["labelSelector"]["matchLabels"] == selector


@pytest.mark.parametrize("service", of_kind("Service"), ids=lambda each: each["metadata"]["name"])
def test_a_service_leads_to_a_port_that_is_listened_on(service: dict[str, Any]) -> None:
    """It is named after the workload that it leads to, which is how the others find it."""
    (target,) = matching(service["spec"]["selector"])
    assert service["metadata"]["name"] == target.name
    for port in service["spec"]["ports"]:
        assert target.ports[port["targetPort"]] == port["port"]


@EVERY
def test_a_workload_runs_without_privileges(workload: Workload) -> None:
    """Not as root, nothing to write to but what is mounted, no capability, no token, and limits."""
    pod, container = workload.pod, workload.container
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"].keys() == {"requests", "limits"}
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}


@EVERY
def test_a_workload_is_probed_on_a_port_of_its_own(workload: Workload) -> None:
    """`/health` is the SDK's; Rasa answers at `/` where its API is not enabled."""
    paths = {"actions": "/health", "rasa": "/"}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = workload.container[kind]
        request = probe.get("httpGet") or probe.get("tcpSocket") or {}
        assert request.get("port") in {None, *workload.ports}
        assert request.get("path") == paths.get(workload.name)


def test_the_servers_are_more_than_one_and_stay_so() -> None:
    """Two of each at least; an update adds one before it takes one, and a drain leaves one."""
    for name in ("actions", "rasa"):
        spec = WORKLOADS[name].spec
        assert spec["replicas"] >= 2
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        budget = named("PodDisruptionBudget", name)["spec"]
        assert budget["selector"] == spec["selector"]
        assert 1 <= budget["minAvailable"] < spec["replicas"]


@EVERY
def test_a_workload_mounts_what_it_declares(
    workload: Workload, secrets: dict[str, set[str]]
) -> None:
    """Every volume, and no other; a secret is one that `make_secrets.py` makes, and read-only."""
    claimed = [each["metadata"]["name"] for each in workload.spec.get("volumeClaimTemplates", [])]
    mounts = {mount["name"]: mount for mount in workload.container["volumeMounts"]}
    assert sorted(mounts) == sorted([*workload.volumes, *claimed])
    for name, volume in workload.volumes.items():
        if secret := volume.get("secret"):
            picked = {item["key"] for item in secret.get("items", [])}
            assert picked <= secrets[secret["secretName"]]
            assert mounts[name]["readOnly"] is True
            assert secret["defaultMode"] == 0o440


def secrets_of(workload: Workload, secrets: dict[str, set[str]]) -> tuple[str, set[str]]:
    """Return the folder of the one secret that a workload mounts, and the files in it."""
    (volume,) = (each for each in workload.volumes.values() if "secret" in each)
    (mount,) = (
        each for each in workload.container["volumeMounts"] if each["name"] == volume["name"]
    )
    keys = secrets[volume["secret"]["secretName"]]
    return mount["mountPath"], {item["key"] for item in volume["secret"].get("items", [])} or keys


@pytest.mark.parametrize(
    ("name", "folder_in", "allowed", "needed"),
    [
        ("rasa", "RASA_SECRETS_DIR", RASA_VARIABLES, RASA_VARIABLES),
        (
            "actions",
            "PS7_SECRETS_DIR",
            PS7_VARIABLES,
            {"PS7_BASE_URL", "PS7_USERNAME", "PS7_PASSWORD", "PS7_SEAL_KEYS"},
        ),
    ],
)
def test_a_server_is_told_its_settings_and_nothing_else(
    secrets: dict[str, set[str]], name: str, folder_in: str, allowed: set[str], needed: set[str]
) -> None:
    """The plugin's, and what `endpoints.yml` is filled from; what is secret comes as a file."""
    folder, secret = secrets_of(WORKLOADS[name], secrets)
    plain = WORKLOADS[name].variables

    assert needed <= plain.keys() | secret <= allowed
    assert plain[folder_in] == folder
    assert not plain.keys() & secret


def test_rasa_is_told_of_services_that_are_there(secrets: dict[str, set[str]]) -> None:
    """By host and port. The stores have its database and owner, and each its one password."""
    told, made = WORKLOADS["rasa"].variables, WORKLOADS["postgres"].variables
    ports = {
        each["metadata"]["name"]: each["spec"]["ports"][0]["port"] for each in of_kind("Service")
    }
    assert told["ACTION_ENDPOINT_URL"] == f"http://actions:{ports['actions']}/webhook"
    assert int(told["DB_PORT"]) == ports[told["DB_HOST"]]
    assert int(told["REDIS_PORT"]) == ports[told["REDIS_HOST"]]
    assert (made["POSTGRES_DB"], made["POSTGRES_USER"]) == (told["DB_NAME"], told["DB_USER"])
    folder, secret = secrets_of(WORKLOADS["postgres"], secrets)
    assert secret == {"DB_PASSWORD"}
    assert made["POSTGRES_PASSWORD_FILE"] == f"{folder}/DB_PASSWORD"
    folder, secret = secrets_of(WORKLOADS["redis"], secrets)
    assert secret == {"REDIS_PASSWORD"}
    assert f"{folder}/REDIS_PASSWORD" in WORKLOADS["redis"].container["command"][-1]


def allowed(direction: str, peer: str) -> tuple[set[tuple[str, str, int]], list[tuple[str, int]]]:
    """Return what one direction allows: from pod to pod, and beyond our pods."""
    between, beyond = set(), []
    for policy in of_kind("NetworkPolicy"):
        for rule in policy["spec"].get(direction, []):
            ports = [port["port"] for port in rule["ports"]]
            for end in rule[peer]:
                if set(end) != {"podSelector"}:
                    beyond += [(policy["metadata"]["name"], port) for port in ports]
                    continue
                ours = matching(policy["spec"]["podSelector"]["matchLabels"])
                theirs = list(matching(end["podSelector"]["matchLabels"]))
                for one, other, port in product(ours, theirs, ports):
                    names = (one.name, other.name)
                    between.add((*(names if direction == "egress" else names[::-1]), port))
    return between, beyond


def test_only_rasa_reaches_the_action_server_and_the_stores() -> None:
    """Both ends allow the same connections, and everything else is denied.

    Out of the namespace only the action server reaches PS7, and all a name server; only the ingress
    comes into it, to Rasa.
    """
    listening = {(name, *WORKLOADS[name].ports.values()) for name in WORKLOADS}
    expected = {("rasa", name, port) for name, port in listening if name != "rasa"}
    (inward, into), (outward, out) = allowed("ingress", "from"), allowed("egress", "to")

    assert inward == outward == expected
    assert out == [("all-to-names", 53), ("all-to-names", 53), ("actions", 443)]
    assert into == [("rasa", 5005)]
    nobody = named("NetworkPolicy", "nobody-to-nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
