"""What the manifests make is what Kubernetes takes, and fits together.

Names, labels and ports that refer to each other agree: a schema cannot see that. Each test takes
what one object says and looks for its counterpart.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable
from functools import cache
from ipaddress import ip_network
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from kubernetes_validate import utils
from ruamel.yaml import YAML

from examples.deploy import make_secrets
from tests.deploy.deployment import (
    COMPONENTS,
    COMPOSE,
    DEPLOY,
    PS7_TLS,
    Cluster,
    build_cluster,
    load,
    mounted,
)
from tests.docs.documents import document
from tests.support.needs import lacking
from tests.support.processes import ROOT

Build = Callable[..., Cluster]

PORTS = {"actions": 5055, "rasa": 5005, "postgres": 5432, "redis": 6379}
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
ACCEPTED = {
    "CKV_K8S_43": "images have tags until `make digests` has run, which pins all of them",
    "CKV_K8S_15": "an image is not pulled at each start: its tag is a version, or pinned",
    "CKV_K8S_40": "the images of PostgreSQL and Redis have the user 999; OpenShift chooses its own",
    "CKV_DOCKER_7": "the base image is an argument, whose default has a tag",
    "CKV_DOCKER_2": "Rasa's health is asked with an authority, which its image has not",
}
"""What checkov finds, and why it may."""

DIFFERENT = {
    "PS7_BASE_URL": "https://cec.example.com",
    "ACTION_ENDPOINT_URL": f"https://actions:{PORTS['actions']}/webhook",
}
"""What is not the same in Compose, in which a proxy plays the part of the Service."""
EVERY = pytest.mark.parametrize("name", PORTS)
CHOICES = [some for count in range(5) for some in combinations(COMPONENTS, count)]
NAMED = tuple("+".join(some) or "none" for some in CHOICES)


@pytest.mark.parametrize(
    "components",
    [*(pytest.param(each, marks=pytest.mark.release) for each in CHOICES[:-1]), CHOICES[-1]],
    ids=NAMED,
)
def test_kubernetes_takes_each_object(
    components: tuple[str, ...], build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every field is known to its oldest and newest schema, whichever components are chosen.

    All of it lives in one namespace, which refuses pods with privileges.
    """
    monkeypatch.setattr(utils, "schema_contents", cache(utils.schema_contents))
    cluster = build(*components)
    known = [each for each in cluster.objects if each["apiVersion"] != "monitoring.coreos.com/v1"]
    for each, version in product(known, ("1.29", "1.37")):
        assert utils.validate(each, version, strict=True) == version
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
    over = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"] * (name in {"actions", "rasa"})
    spread = {"maxSkew": 1, "labelSelector": {"matchLabels": selector}}
    spread["whenUnsatisfiable"] = "ScheduleAnyway"  # one node is enough
    expected = [{**spread, "topologyKey": each} for each in over]
    assert workload.pod.get("topologySpreadConstraints", []) == expected
    (port,) = service["ports"]
    assert workload.ports[port["targetPort"]] == port["port"] == PORTS[name]
    assert workload.spec.get("serviceName", name) == name


@pytest.mark.release
@pytest.mark.parametrize("components", [("stores",), COMPONENTS], ids="+".join)
def test_a_scanner_finds_what_is_accepted_and_no_more(
    components: tuple[str, ...], build: Build, tmp_path: Path
) -> None:
    """Checkov looks for privileges, limits, probes and images, in the Dockerfiles too."""
    if not CHECKOV.exists():
        lacking("checkov", "make release-check")
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


def amount(text: str | int) -> float:
    """Return how much a quantity is."""
    number, unit = re.fullmatch(r"([\d.]+)(m|[KMG]i?|)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * {"m": 0.001, "": 1, "M": 2**20, "G": 2**30}[unit.removesuffix("i")]


@pytest.mark.parametrize("on", ["cluster", "everything"])
def test_a_workload_runs_as_a_user_who_may_read_its_secrets(
    on: str, request: pytest.FixtureRequest
) -> None:
    """By a group, and nobody else may. On OpenShift its user and groups are the cluster's.

    In the cluster its account has no rights.
    """
    cluster: Cluster = request.getfixturevalue(on)
    account = cluster.named("ServiceAccount", "assistant")
    assert account["automountServiceAccountToken"] is False
    assert account["imagePullSecrets"] == [{"name": "registry"}], "as the README has it"
    workloads = cluster.workloads.values()
    assert len(workloads) == 5
    for name, _, pod, container, _, volumes in workloads:
        assert pod["serviceAccountName"] == "assistant"
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "their variables are called as ours"
        user, _, group = COMPOSE["services"][name]["user"].partition(":")
        ours = {"runAsUser": int(user), "runAsGroup": int(group), "fsGroup": int(group)}
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            **(ours if on == "cluster" else {}),
        }
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        limits, asked = (container["resources"][each] for each in ("limits", "requests"))
        assert asked.keys() == limits.keys() == {"cpu", "memory", "ephemeral-storage"}
        assert all(amount(asked[each]) <= amount(limits[each]) for each in asked)
        empty = [each["emptyDir"] for each in volumes.values() if "emptyDir" in each]
        assert sum(amount(each["sizeLimit"]) for each in empty) <= amount(limits["memory"])
        for each in empty:
            if "medium" not in each:  # on a disk
                least, most = (of["ephemeral-storage"] for of in (asked, limits))
                assert amount(each["sizeLimit"]) == amount(least) < amount(most)
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() == volumes.keys()
        assert mounts["tmp"]["mountPath"] == "/tmp"  # noqa: S108 - of a container
        assert ("medium" in volumes["tmp"]["emptyDir"]) is (name != "rasa"), "its model is large"
        for each, volume in volumes.items():
            if source := volume.get("secret") or volume.get("projected"):
                assert source["defaultMode"] == 0o440
                assert {"readOnly": True}.items() <= mounts[each].items()


@EVERY
def test_kubernetes_runs_what_compose_runs(
    name: str, cluster: Cluster, deploy_folder: Path
) -> None:
    """The same command and environment, and files of the same names, each with its own secret."""
    container, compose = cluster.workloads[name].container, COMPOSE["services"][name]
    files, told = cluster.files(name), cluster.variables(name)
    made = {file.name: file.read_text() for file in deploy_folder.glob("secrets/*/*")}
    configs = {each["target"] for each in compose.get("configs", ())}
    assert [files.pop(each) for each in configs] == [
        (DEPLOY / COMPOSE["configs"][each["source"]]["file"]).read_text("utf-8")
        for each in compose.get("configs", ())
    ]
    templates = cluster.workloads[name].spec.get("volumeClaimTemplates", ())
    claims = {each["metadata"]["name"] for each in templates}
    kept = {each["mountPath"] for each in container["volumeMounts"] if each["name"] in claims}
    assert kept == {each.partition(":")[2] for each in compose.get("volumes", ())}

    def here(text: str) -> str:
        return re.sub(r"/secrets/(ps7|stores)\b", "/secrets", text)

    paths = {*map(here, files)} | ({"/run/tls/ca.crt"} if name == "redis" else set())
    data = told.pop("PGDATA", "/none/x").rpartition("/")[0]
    assert data in {"/none", *(each["mountPath"] for each in container["volumeMounts"])}
    assert files == {path: made[path.rpartition("/")[2]] for path in files}
    there = {each: each.rpartition("/")[2] for each in paths}
    assert mounted(compose) == there, "for its health check, Redis has the authority there"
    theirs = compose.get("environment", {})
    expected = {key: DIFFERENT.get(key, value) for key, value in theirs.items()}
    assert {key: here(value) for key, value in told.items()} == expected
    command = [here(part) for key in ("command", "args") for part in container.get(key, [])]
    assert command == [part.replace("$$", "$") for part in compose.get("command", [])]
    ours = "registry.example.com/" * compose["image"].startswith("ps7-")
    assert container["image"] == f"{ours}{compose['image']}"
    limits, theirs = container["resources"]["limits"], compose["deploy"]["resources"]["limits"]
    assert {each: amount(limits[each]) for each in ("cpu", "memory")} == {
        "cpu": amount(theirs["cpus"]),
        "memory": amount(theirs["memory"]),
    }
    start = container["startupProbe"]
    looks = start.get("exec", {"command": []})["command"]
    # While it fills an empty volume, PostgreSQL answers at its socket alone.
    by_address = ["pg_isready", "--host", "127.0.0.1"]
    assert looks == compose["healthcheck"]["test"][1:4] * (name == "postgres")
    assert looks == by_address * (name == "postgres")
    seconds = int(compose["healthcheck"]["start_period"].removesuffix("s"))
    assert seconds <= start["periodSeconds"] * start["failureThreshold"]


def test_a_setting_finds_its_file(everything: Cluster) -> None:
    """Of the plugin's secrets, and of PS7's certificates, for the doctor too."""
    for name in ("actions", "doctor"):
        told, files = everything.variables(name), everything.files(name)
        assert {each: files[told[each]] for each in PS7_TLS} == PS7_TLS
        assert {told["PS7_SECRETS_DIR"]} == {
            file.rpartition("/")[0] for file in files if "/PS7_" in file
        }


def test_no_version_of_a_workload_remembers_a_secret(cluster: Cluster, deploy_folder: Path) -> None:
    """A changed password changes no pod template: `rollout undo` cannot bring the old one back.

    So it needs a restart, as the README says. A changed setting rolls the pods, and is undone.
    """
    password = deploy_folder / "secrets" / "ps7" / "PS7_PASSWORD"
    text = password.read_text()
    password.write_text("planted-password")
    after = build_cluster(deploy_folder, "stores", "telemetry")
    password.write_text(text)
    for name, workload in cluster.workloads.items():
        assert workload.spec == after.workloads[name].spec
    secrets = [held(each, "ps7")["PS7_PASSWORD"].decode() for each in (cluster, after)]
    assert secrets == [text, "planted-password"]
    (source,) = cluster.workloads["actions"].container["envFrom"]
    assert re.fullmatch(r"actions-[0-9a-z]{10}", source["configMapRef"]["name"])


def made(name: str, folder: Path) -> bytes:
    """Return one of the files that `make_secrets.py` wrote."""
    return (folder / "secrets" / "tls" / name).read_bytes()


def held(cluster: Cluster, name: str) -> dict[str, bytes]:
    """Return what a Secret holds."""
    data = cluster.named("Secret", name)["data"]
    return {key: b64decode(value) for key, value in data.items()}


def test_one_path_of_one_channel_is_exposed_to_your_back_end(
    cluster: Cluster, everything: Cluster, deploy_folder: Path
) -> None:
    """With TLS, and Rasa's certificate looked at, on OpenShift too.

    The REST channel believes every post. OpenShift goes by the type of a Secret.
    """
    both = [each.named("Ingress", "rasa") for each in (cluster, everything)]
    for ingress in both:
        (rule,), (tls,) = ingress["spec"]["rules"], ingress["spec"]["tls"]
        (path,) = rule["http"]["paths"]
        assert path == {
            "path": "/webhooks/rest/webhook",
            "pathType": "Prefix",
            "backend": {"service": {"name": "rasa", "port": {"name": "https"}}},
        }
        assert tls["hosts"] == [rule["host"]] == [make_secrets.PUBLIC_HOST]
        assert cluster.named("Secret", tls["secretName"])["type"] == "kubernetes.io/tls"
        assert held(cluster, tls["secretName"]) == {
            f"tls.{kind}": made(f"proxy.{kind}", deploy_folder) for kind in ("crt", "key")
        }
    ours, theirs = (
        {key.rpartition("/")[2]: value for key, value in each["metadata"]["annotations"].items()}
        for each in both
    )
    namespace, _, authority = ours["proxy-ssl-secret"].partition("/")
    assert namespace == both[0]["metadata"]["namespace"]
    known = dict.fromkeys(("ca.crt", "tls.crt"), made("ca.crt", deploy_folder))
    assert held(cluster, authority) == known
    looks = {"backend-protocol": "HTTPS", "proxy-ssl-verify": "on", "proxy-ssl-name": "rasa"}
    assert looks.items() <= ours.items()
    proxy = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert f"client_max_body_size {ours['proxy-body-size']};" in proxy
    assert 2 * 25 <= int(ours["limit-rps"]) <= 8 * 25, "what two Rasa servers take, or the most"
    assert ours["limit-burst-multiplier"] == "2"
    assert ip_network(ours["whitelist-source-range"]).num_addresses <= 256
    assert theirs == {
        "termination": "reencrypt",
        "destination-ca-certificate-secret": authority,
        "ip_whitelist": ours["whitelist-source-range"],
        "rate-limit-connections": "true",
        "rate-limit-connections.rate-http": f"{10 * int(ours['limit-rps'])}",
    }


def test_prometheus_sees_what_the_pods_are_told(cluster: Cluster) -> None:
    """The port of the metrics, and the address of PS7, whose certificate ends some day."""
    told = cluster.variables("actions")
    port = cluster.workloads["actions"].ports["metrics"]
    assert told["OTEL_EXPORTER_PROMETHEUS_PORT"] == str(port)
    assert "ACTION_SERVER_SANIC_WORKERS" not in told, "the image has one"
    probe = cluster.named("Probe", "ps7-certificate")["spec"]
    modules = load(DEPLOY / "kubernetes" / "components" / "telemetry" / "blackbox.yml")["modules"]
    tls = {"tls": True, "tls_config": {"insecure_skip_verify": True}}  # once it is over, too
    assert modules == {probe["module"]: {"prober": "tcp", "timeout": "5s", "tcp": tls}}
    (scrapes,) = cluster.named("NetworkPolicy", "actions-from-prometheus")["spec"]["ingress"]
    (label,) = scrapes["from"][0]["namespaceSelector"]["matchLabels"].values()
    assert probe["prober"]["url"].split(".")[1] == label, "where the exporter is"
    rules = (ROOT / "examples" / "monitoring" / "rules.yml").read_text(encoding="utf-8")
    (jobs,) = {*re.findall(r'probe_ssl_earliest_cert_expiry\{job=~"(.+?)"', rules)}
    assert re.fullmatch(jobs, probe["jobName"])
    minutes = int(probe["interval"].removesuffix("m"))
    assert minutes < 5, "what is five minutes old is not there, and its alert would end"
    host = told["PS7_BASE_URL"].removeprefix("https://")
    assert probe["targets"]["staticConfig"]["static"] == [f"{host}:443"]


def allowed(cluster: Cluster, direction: str, peer: str) -> tuple[set[Any], set[Any]]:
    """Return what one direction allows: from pod to pod, and beyond our pods."""
    between, beyond = set(), set()
    for policy in cluster.of_kind("NetworkPolicy"):
        ours = [*cluster.matching(policy["spec"]["podSelector"].get("matchLabels", {}))]
        assert ours, "a policy is for somebody"
        assert policy["spec"].keys() & {"ingress", "egress"} <= {
            each.lower() for each in policy["spec"]["policyTypes"]
        }
        for rule in policy["spec"].get(direction, []):
            ports = [(each["protocol"], each["port"]) for each in rule["ports"]]
            for end, port in product(rule[peer], ports):
                if "ipBlock" in end:
                    assert ip_network(end["ipBlock"]["cidr"]).num_addresses <= 256
                if set(end) != {"podSelector"}:
                    labels = end.get("namespaceSelector", {}).get("matchLabels", ())
                    beyond.add((policy["metadata"]["name"], *labels, *port))
                    continue
                theirs = [*cluster.matching(end["podSelector"].get("matchLabels", {}))]
                assert theirs, "a rule lets somebody through"
                sides = (ours, theirs) if direction == "egress" else (theirs, ours)
                between |= {(one.name, other.name, *port) for one, other in product(*sides)}
    return between, beyond


NAME_SERVERS, NAMESPACE = "all-to-names", "kubernetes.io/metadata.name"
"""A policy, and the label that each namespace has."""


def test_only_rasa_reaches_the_action_server_and_the_stores(cluster: Cluster) -> None:
    """Both ends allow the same connections, and everything else is denied.

    Out of the namespace the action server reaches PS7, Rasa the bank's stores, and all a name
    server. Into it come the ingress, to Rasa, and Prometheus, to the metrics.
    """
    expected = {("rasa", name, "TCP", port) for name, port in PORTS.items() if name != "rasa"}
    inward, into = allowed(cluster, "ingress", "from")
    outward, out = allowed(cluster, "egress", "to")
    assert inward == outward == expected
    measured, entry = ("actions-from-prometheus", "TCP", 9464), ("rasa-from-ingress", "TCP", 5005)
    assert into == {(name, NAMESPACE, *port) for name, *port in (measured, entry)}
    stores = {("rasa-to-stores", "TCP", port) for port in (5432, 6379)}
    ways = product(([NAMESPACE], []), ("TCP", "UDP"))
    names = {(NAME_SERVERS, *label, protocol, 53) for label, protocol in ways}
    assert out == {("actions-to-ps7", "TCP", 443)} | stores | names
    (rule,) = cluster.named("NetworkPolicy", NAME_SERVERS)["spec"]["egress"]
    assert rule["to"] == [
        {
            "namespaceSelector": {"matchLabels": {NAMESPACE: "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        },
        {"ipBlock": {"cidr": "169.254.20.10/32"}},
    ]
    nobody = cluster.named("NetworkPolicy", "nobody-to-nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_openshift_has_name_servers_of_its_own(everything: Cluster) -> None:
    """In another namespace, on another port; and its router is found by a label of OpenShift's."""
    _, out = allowed(everything, "egress", "to")
    names = {(NAME_SERVERS, NAMESPACE, protocol, 5353) for protocol in ("TCP", "UDP")}
    assert {each for each in out if each[0] == NAME_SERVERS} == names
    (entry,) = everything.named("NetworkPolicy", "rasa-from-ingress")["spec"]["ingress"]
    label = "policy-group.network.openshift.io/ingress"
    assert entry["from"] == [{"namespaceSelector": {"matchLabels": {label: ""}}}]


@EVERY
def test_a_workload_is_probed_on_a_port_of_its_own(name: str, cluster: Cluster) -> None:
    """Over TLS. `/health` is the SDK's; Rasa answers at `/` where its API is not enabled."""
    workload = cluster.workloads[name]
    wanted = {"actions": ("HTTPS", "/health"), "rasa": ("HTTPS", "/")}.get(name, (None, None))
    patience = {}
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = workload.container[kind]
        patience[kind] = probe["periodSeconds"] * probe.get("failureThreshold", 3)
        assert probe.get("timeoutSeconds", 1) <= probe["periodSeconds"]
        request = probe.get("httpGet") or probe.get("tcpSocket") or {}
        assert request.get("port") in {None, *workload.ports}
        assert (request.get("scheme"), request.get("path")) == wanted
    assert patience["readinessProbe"] <= (6 if name == "actions" else 15)
    assert patience["livenessProbe"] >= 30
    waits = {"actions": 5, "rasa": 10, "postgres": 5, "redis": 1}[name]
    alive = workload.container["livenessProbe"]
    assert alive.get("timeoutSeconds", 1) >= waits, "if it is busy"
    assert alive.get("failureThreshold", 3) >= 3, "twice is chance"


def test_prometheus_gets_the_alerts_as_they_are(cluster: Cluster) -> None:
    """`make rules` writes them. The monitor finds the metrics, under the name that they expect."""
    rules = load(ROOT / "examples" / "monitoring" / "rules.yml")
    assert cluster.named("PrometheusRule", "ps7")["spec"] == rules
    monitor = cluster.named("PodMonitor", "actions")["spec"]
    (found,) = cluster.matching(monitor["selector"]["matchLabels"])
    (endpoint,) = monitor["podMetricsEndpoints"]
    often = load(ROOT / "examples" / "monitoring" / "prometheus.yml")["global"]["scrape_interval"]
    assert found.name == "actions"
    renamed = [{"targetLabel": "job", "replacement": "ps7"}]
    assert endpoint == {"port": "metrics", "interval": often, "relabelings": renamed}


@pytest.mark.parametrize("name", ["actions", "rasa"])
def test_the_servers_are_more_than_one_and_stay_so(name: str, cluster: Cluster) -> None:
    """Two of each at least; an update adds one before it takes one, and a drain takes one.

    How many it are is for the autoscaler to say, by the processor that a pod asks for. One that is
    replaced serves until no call is sent to it, and has time to end after that.
    """
    workload = cluster.workloads[name]
    scaler = cluster.named("HorizontalPodAutoscaler", name)["spec"]
    budget = cluster.named("PodDisruptionBudget", name)["spec"]
    assert "replicas" not in workload.spec
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert budget["maxUnavailable"] == 1 < scaler["minReplicas"] < scaler["maxReplicas"]
    assert [each["resource"]["name"] for each in scaler["metrics"]] == ["cpu"]
    assert budget["selector"] == workload.spec["selector"]
    assert workload.spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert workload.container["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
    (patience,) = re.findall(r"docker stop -t (\d+)", (DEPLOY / "on-call.sh").read_text("utf-8"))
    ends = {"rasa": int(patience), "actions": 30}
    assert workload.pod["terminationGracePeriodSeconds"] == ends[name]
    one, doubles = (
        {"policies": [{"type": kind, "value": value, "periodSeconds": 60}]}
        for kind, value in (("Pods", 1), ("Percent", 100))
    )
    slowly = {"scaleDown": {"stabilizationWindowSeconds": 300, **one}}  # not for a pause
    assert scaler["behavior"] == slowly | ({"scaleUp": doubles} if name == "rasa" else {})


@pytest.mark.parametrize(
    ("name", "cost", "said"),
    [("rasa", 14.0, "{:.0f} turns a Rasa server"), ("actions", 6.5, "{:.0f} an action server")],
)
def test_the_autoscaler_keeps_up_with_the_turns_of_the_page(
    name: str, cost: float, said: str, cluster: Cluster
) -> None:
    """At 200 turns a second, each of so many milliseconds of a processor."""
    page = document("docs/operations.md").prose
    scaler = cluster.named("HorizontalPodAutoscaler", name)["spec"]
    share = scaler["metrics"][0]["resource"]["target"]["averageUtilization"] / 100
    asked = amount(cluster.workloads[name].container["resources"]["requests"]["cpu"])
    turns = asked * share / cost * 1000
    assert said.format(turns) in page
    assert scaler["maxReplicas"] == -(-200 // round(turns))
    assert f"200 × {cost:g} ms are {0.2 * cost:.1f}" in page


def test_a_store_to_try_it_with_is_one(cluster: Cluster) -> None:
    """Two would have two truths, a moment of an update long, too; a StatefulSet waits by itself."""
    postgres, redis = (cluster.workloads[name].spec for name in ("postgres", "redis"))
    assert postgres["replicas"] == redis["replicas"] == 1
    assert redis["strategy"] == {"type": "Recreate"}
    (claim,) = postgres["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_the_doctor_sees_what_the_action_server_sees(cluster: Cluster) -> None:
    """The same settings, secrets and way out, in a Job that runs when it is asked for."""
    doctor, server = (cluster.workloads[name] for name in ("doctor", "actions"))
    assert cluster.named("CronJob", "doctor")["spec"]["suspend"] is True
    once = doctor.spec["backoffLimit"], doctor.pod["restartPolicy"]
    assert once == (0, "Never"), "each run tries the password"
    assert doctor.spec["ttlSecondsAfterFinished"] >= 3600, "what it said can be read"
    compose = COMPOSE["services"]["doctor"]
    assert doctor.container["image"] == f"registry.example.com/{compose['image']}"
    assert doctor.container["command"] == compose["command"]
    assert cluster.files("doctor").items() <= cluster.files("actions").items()
    for same in ("envFrom", "volumeMounts"):
        assert doctor.container[same] == server.container[same]
    way_out = cluster.named("NetworkPolicy", "actions-to-ps7")["spec"]["podSelector"]["matchLabels"]
    assert {each.name for each in cluster.matching(way_out)} == {"actions", "doctor"}
