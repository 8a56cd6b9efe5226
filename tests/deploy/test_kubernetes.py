"""What kustomize builds is what Kubernetes takes, and fits together.

Names, labels and ports that refer to each other agree: a schema cannot see that. Each test takes
what one object says and looks for its counterpart.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from kubernetes_validate.utils import validate
from ruamel.yaml import YAML

from tests.deploy.deployment import COMPONENTS, COMPOSE, Cluster, mounted
from tests.support.processes import ROOT

Build = Callable[..., Cluster]

pytestmark = pytest.mark.release

CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
ACCEPTED = {
    "CKV_K8S_43": "images have tags until `make digests` has run, which pins all of them",
    "CKV_K8S_15": "an image is not pulled at each start: its tag is a version, or pinned",
    "CKV_K8S_40": "the images of PostgreSQL and Redis have the user 999; OpenShift chooses its own",
    "CKV_DOCKER_7": "the base image is an argument, whose default has a tag",
    "CKV_DOCKER_2": "Rasa's health is asked with an authority, which its image has not",
}
"""What checkov finds, and why it may."""

PORTS = {"actions": 5055, "rasa": 5005, "postgres": 5432, "redis": 6379}
EVERY = pytest.mark.parametrize("name", PORTS)
EACH_CHOICE = pytest.mark.parametrize(
    "components",
    [some for count in range(5) for some in combinations(COMPONENTS, count)],
    ids=lambda some: "+".join(some) or "none",
)


@EACH_CHOICE
def test_kubernetes_takes_each_object(components: tuple[str, ...], build: Build) -> None:
    """Every field is known to its oldest and newest schema, whichever components are chosen.

    All of it lives in one namespace, which refuses pods with privileges.
    """
    cluster = build(*components)
    known = [each for each in cluster.objects if each["apiVersion"] != "monitoring.coreos.com/v1"]
    for each, version in product(known, ("1.29", "1.37")):
        assert validate(each, version, strict=True) == version
    (namespace,) = cluster.of_kind("Namespace")
    others = [each for each in cluster.objects if each is not namespace]
    assert {each["metadata"]["namespace"] for each in others} == {namespace["metadata"]["name"]}
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@EVERY
def test_a_workload_selects_its_own_pods(name: str, cluster: Cluster) -> None:
    """… and no others. Its service has its name, which is how the others find it."""
    workload = cluster.workloads[name]
    selector = workload.spec["selector"]["matchLabels"]
    service = cluster.named("Service", name)["spec"]

    assert list(cluster.matching(selector)) == [workload]
    assert service["selector"] == selector
    for spread in workload.pod.get("topologySpreadConstraints", []):
        assert spread["labelSelector"]["matchLabels"] == selector
    (port,) = service["ports"]
    assert workload.ports[port["targetPort"]] == port["port"] == PORTS[name]


@pytest.mark.parametrize("components", [("stores",), COMPONENTS], ids="+".join)
def test_a_scanner_finds_what_is_accepted_and_no_more(
    components: tuple[str, ...], build: Build, tmp_path: Path
) -> None:
    """Checkov looks for privileges, limits, probes and images, in the Dockerfiles too."""
    if not CHECKOV.exists():
        pytest.skip(f"needs requirements/checkov.txt: {CHECKOV} does not exist")
    with (tmp_path / "all.yaml").open("w") as file:
        YAML().dump_all(build(*components).objects, file)
    for dockerfile in ("Dockerfile", "examples/deploy/rasa.Dockerfile"):
        shutil.copy(ROOT / dockerfile, tmp_path)
    command = (CHECKOV, "--directory", tmp_path, "--skip-download", "--soft-fail", "-o", "json")
    only = ("--framework", "kubernetes", "dockerfile")
    printed = subprocess.run([*command, *only], check=True, stdout=subprocess.PIPE).stdout
    kubernetes, docker = (each["results"] for each in json.loads(printed))
    assert not kubernetes["parsing_errors"] + docker["parsing_errors"]
    found = {each["check_id"] for each in kubernetes["failed_checks"] + docker["failed_checks"]}
    assert found == ACCEPTED.keys()


@pytest.mark.parametrize("components", [("stores",), ("stores", "openshift")], ids="+".join)
def test_a_workload_runs_as_a_user_who_may_read_its_secrets(
    components: tuple[str, ...], build: Build
) -> None:
    """By a group, and nobody else may. On OpenShift its user and groups are the cluster's."""
    workloads = build(*components).workloads.values()
    assert len(workloads) == 4
    for _, _, pod, container, _, volumes in workloads:
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        users = {pod["securityContext"].get(f"runAs{who}") for who in ("User", "Group")}
        users.add(pod["securityContext"].get("fsGroup"))
        assert users <= ({None} if "openshift" in components else {999, 10001})
        for name, volume in volumes.items():
            if source := volume.get("secret") or volume.get("projected"):
                assert source["defaultMode"] == 0o440
                assert {"readOnly": True}.items() <= mounts[name].items()


@EVERY
def test_a_workload_is_probed_on_a_port_of_its_own(name: str, cluster: Cluster) -> None:
    """Over TLS. `/health` is the SDK's; Rasa answers at `/` where its API is not enabled."""
    workload = cluster.workloads[name]
    wanted = {"actions": ("HTTPS", "/health"), "rasa": ("HTTPS", "/")}.get(name, (None, None))
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = workload.container[kind]
        request = probe.get("httpGet") or probe.get("tcpSocket") or {}
        assert request.get("port") in {None, *workload.ports}
        assert (request.get("scheme"), request.get("path")) == wanted


@pytest.mark.parametrize("name", ["actions", "rasa"])
def test_the_servers_are_more_than_one_and_stay_so(name: str, cluster: Cluster) -> None:
    """Two of each at least; an update adds one before it takes one, and a drain leaves one.

    How many it are is for the autoscaler to say, by the processor that a pod asks for.
    """
    workload = cluster.workloads[name]
    scaler = cluster.named("HorizontalPodAutoscaler", name)["spec"]
    budget = cluster.named("PodDisruptionBudget", name)["spec"]
    assert "replicas" not in workload.spec
    assert scaler["scaleTargetRef"]["name"] == name
    assert 1 <= budget["minAvailable"] < 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    assert [each["resource"]["name"] for each in scaler["metrics"]] == ["cpu"]
    assert "cpu" in workload.container["resources"]["requests"]
    assert budget["selector"] == workload.spec["selector"]
    assert workload.spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@EVERY
def test_kubernetes_runs_what_compose_runs(
    name: str, cluster: Cluster, deploy_folder: Path
) -> None:
    """The same command and environment, and files of the same names, each with its own secret."""
    container, compose = cluster.workloads[name].container, COMPOSE["services"][name]
    files, told = cluster.files(name), cluster.variables(name)
    made = {file.name: file.read_text() for file in deploy_folder.glob("secrets/*/*")}
    files.pop("/docker-entrypoint-initdb.d/make-database.sh", None)

    def here(text: str) -> str:
        return re.sub(r"/secrets/(ps7|stores)\b", "/secrets", text)

    paths = set(map(here, files)) | ({"/run/tls/ca.crt"} if name == "redis" else set())
    told.pop("PGDATA", None)
    assert files == {path: made[path.rpartition("/")[2]] for path in files}
    assert paths == mounted(compose).keys(), "for its health check, Redis has the authority there"
    assert {key: here(value) for key, value in told.items()} == {
        **compose.get("environment", {}),
        **({"PS7_BASE_URL": told["PS7_BASE_URL"]} if name == "actions" else {}),
    }
    command = [here(part) for key in ("command", "args") for part in container.get(key, [])]
    assert command == [part.replace("$$", "$") for part in compose.get("command", [])]
    assert container["image"].removeprefix("registry.example.com/") == compose["image"]


def test_a_changed_secret_rolls_the_pods_that_mount_it(cluster: Cluster) -> None:
    """Its name, which their template has, ends in a hash of what is in it."""
    names = [each["metadata"]["name"] for each in cluster.of_kind("Secret", "ConfigMap")]
    hashed = {name for name in names if re.search(r"-[0-9a-z]{10}$", name)}
    assert {*names} - hashed == {"ingress-ca"}, "no pod mounts it"


def test_one_path_of_one_channel_is_exposed(cluster: Cluster, build: Build) -> None:
    """With TLS, a limit of requests, and Rasa's certificate looked at, on OpenShift too."""
    ours = cluster.named("Ingress", "rasa")
    openshift = build("openshift").named("Ingress", "rasa")
    for ingress in (ours, openshift):
        (rule,), (tls,) = ingress["spec"]["rules"], ingress["spec"]["tls"]
        (path,) = rule["http"]["paths"]
        assert path["path"] == "/webhooks/rest/webhook"
        assert path["backend"]["service"] == {"name": "rasa", "port": {"name": "https"}}
        assert tls["hosts"] == [rule["host"]]
        assert cluster.named("Secret", tls["secretName"])["type"] == "kubernetes.io/tls"
    said = ours["metadata"]["annotations"]
    namespace, _, authority = said["nginx.ingress.kubernetes.io/proxy-ssl-secret"].partition("/")
    assert namespace == ours["metadata"]["namespace"]
    assert said["nginx.ingress.kubernetes.io/limit-rps"] == "5"
    theirs = openshift["metadata"]["annotations"]
    assert theirs["route.openshift.io/destination-ca-certificate-secret"] == authority
    assert cluster.named("Secret", authority)["data"].keys() == {"ca.crt", "tls.crt"}


def allowed(cluster: Cluster, direction: str, peer: str) -> tuple[set[Any], list[Any]]:
    """Return what one direction allows: from pod to pod, and beyond our pods."""
    between, beyond = set(), []
    for policy in cluster.of_kind("NetworkPolicy"):
        ours = [*cluster.matching(policy["spec"]["podSelector"].get("matchLabels", {}))]
        for rule in policy["spec"].get(direction, []):
            for end, port in product(rule[peer], (each["port"] for each in rule["ports"])):
                if set(end) != {"podSelector"}:
                    beyond.append((policy["metadata"]["name"], port))
                    continue
                theirs = [*cluster.matching(end["podSelector"]["matchLabels"])]
                sides = (ours, theirs) if direction == "egress" else (theirs, ours)
                between |= {(one.name, other.name, port) for one, other in product(*sides)}
    return between, beyond


@EACH_CHOICE
def test_only_rasa_reaches_the_action_server_and_the_stores(
    components: tuple[str, ...], build: Build
) -> None:
    """Both ends allow the same connections, and everything else is denied.

    Out of the namespace the action server reaches PS7, Rasa the bank's stores, and all a name
    server; only the ingress comes into it, to Rasa. With telemetry the action server reaches a
    collector, and Prometheus the action server.
    """
    cluster = build(*components)
    servers = cluster.workloads.keys() - {"rasa"}
    expected = {("rasa", name, PORTS[name]) for name in servers}
    inward, into = allowed(cluster, "ingress", "from")
    outward, out = allowed(cluster, "egress", "to")
    telemetry = "telemetry" in components
    openshift = "openshift" in components
    expected_out = [("all-to-names", 5353)] * 2 if openshift else [("all-to-names", 53)] * 4
    expected_out += [("actions-to-collector", 4317)] * telemetry
    expected_out += [("actions-to-ps7", 443), ("rasa-to-stores", 5432), ("rasa-to-stores", 6379)]

    assert inward == outward == expected
    assert sorted(out) == sorted(expected_out)
    prometheus = [("actions-from-prometheus", 9464)] * telemetry
    assert sorted(into) == [*prometheus, ("rasa-from-ingress", 5005)]
    nobody = cluster.named("NetworkPolicy", "nobody-to-nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_doctor_sees_what_the_action_server_sees(cluster: Cluster) -> None:
    """The same settings, secrets and way out, in a Job that runs when it is asked for."""
    doctor = cluster.named("CronJob", "doctor")["spec"]
    pod = doctor["jobTemplate"]["spec"]["template"]
    (container,), server = pod["spec"]["containers"], cluster.workloads["actions"]
    assert doctor["suspend"] is True
    for same in ("envFrom", "volumeMounts", "securityContext"):
        assert container[same] == server.container[same]
    assert pod["spec"]["volumes"][0] == server.volumes["ps7"]
    assert pod["spec"]["securityContext"] == server.pod["securityContext"]
    way_out = cluster.named("NetworkPolicy", "actions-to-ps7")["spec"]["podSelector"]["matchLabels"]
    assert way_out.items() <= pod["metadata"]["labels"].items()
    assert way_out.items() <= server.spec["template"]["metadata"]["labels"].items()


def test_prometheus_gets_the_alerts_as_they_are(build: Build) -> None:
    """`make rules` writes them, and the monitor finds the port that the pods have."""
    cluster = build("telemetry")
    rules = YAML(typ="safe", pure=True).load(ROOT / "examples" / "monitoring" / "rules.yml")
    assert cluster.named("PrometheusRule", "ps7")["spec"] == rules
    monitor = cluster.named("PodMonitor", "actions")["spec"]
    assert list(cluster.matching(monitor["selector"]["matchLabels"])) == [
        cluster.workloads["actions"]
    ]
    assert monitor["podMetricsEndpoints"][0]["port"] in cluster.workloads["actions"].ports
