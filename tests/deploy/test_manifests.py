"""What the manifests say as they are, without kustomize: who talks to whom, and what runs."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import product
from typing import Any

import pytest

from tests.deploy.deployment import DEPLOY, Cluster, load
from tests.support.processes import ROOT

PORTS = {"actions": 5055, "rasa": 5005, "postgres": 5432, "redis": 6379}
CLUSTER = Cluster.as_written()


def allowed(direction: str, peer: str) -> tuple[set[Any], list[Any]]:
    """Return what one direction allows: from pod to pod, and beyond our pods."""
    between, beyond = set(), []
    for policy in CLUSTER.of_kind("NetworkPolicy"):
        ours = [*CLUSTER.matching(policy["spec"]["podSelector"].get("matchLabels", {}))]
        for rule in policy["spec"].get(direction, []):
            for end, port in product(rule[peer], (each["port"] for each in rule["ports"])):
                if set(end) != {"podSelector"}:
                    beyond.append((policy["metadata"]["name"], port))
                    continue
                theirs = [*CLUSTER.matching(end["podSelector"].get("matchLabels", {}))]
                sides = (ours, theirs) if direction == "egress" else (theirs, ours)
                between |= {(one.name, other.name, port) for one, other in product(*sides)}
    return between, sorted(beyond)


def test_only_rasa_reaches_the_action_server_and_the_stores() -> None:
    """Both ends allow the same connections, and everything else is denied.

    Out of the namespace the action server reaches PS7, Rasa the bank's stores, and all a name
    server. Into it come the ingress, to Rasa, and Prometheus, to the metrics.
    """
    expected = {("rasa", name, port) for name, port in PORTS.items() if name != "rasa"}
    inward, into = allowed("ingress", "from")
    outward, out = allowed("egress", "to")
    assert inward == outward == expected
    assert into == [("actions-from-prometheus", 9464), ("rasa-from-ingress", 5005)]
    stores = [("rasa-to-stores", 5432), ("rasa-to-stores", 6379)]
    assert out == [("actions-to-ps7", 443), *[("all-to-names", 53)] * 4, *stores]
    nobody = CLUSTER.named("NetworkPolicy", "nobody-to-nobody")["spec"]
    assert nobody == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_only_your_back_end_reaches_rasa() -> None:
    """Whose REST channel believes every post. OpenShift's Route lets the same addresses in."""
    said = CLUSTER.named("Ingress", "rasa")["metadata"]["annotations"]
    component = load(DEPLOY / "kubernetes" / "components" / "openshift" / "kustomization.yaml")
    (patch,) = (each for each in component["patches"] if each["target"]["kind"] == "Ingress")
    (theirs,) = (each["value"] for each in load(patch["patch"]) if "annotation" in each["path"])
    back_end = theirs["haproxy.router.openshift.io/ip_whitelist"]
    assert said["nginx.ingress.kubernetes.io/whitelist-source-range"] == back_end
    assert ip_network(back_end).num_addresses <= 256


@pytest.mark.parametrize("name", PORTS)
def test_a_workload_is_probed_on_a_port_of_its_own(name: str) -> None:
    """Over TLS. `/health` is the SDK's; Rasa answers at `/` where its API is not enabled."""
    workload = CLUSTER.workloads[name]
    wanted = {"actions": ("HTTPS", "/health"), "rasa": ("HTTPS", "/")}.get(name, (None, None))
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = workload.container[kind]
        request = probe.get("httpGet") or probe.get("tcpSocket") or {}
        assert request.get("port") in {None, *workload.ports}
        assert (request.get("scheme"), request.get("path")) == wanted


def test_prometheus_gets_the_alerts_as_they_are() -> None:
    """`make rules` writes them. The monitor finds the metrics, under the name that they expect."""
    rules = load(ROOT / "examples" / "monitoring" / "rules.yml")
    assert CLUSTER.named("PrometheusRule", "ps7")["spec"] == rules
    monitor = CLUSTER.named("PodMonitor", "actions")["spec"]
    (found,) = CLUSTER.matching(monitor["selector"]["matchLabels"])
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert (found.name, endpoint["port"]) == ("actions", "metrics")
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "ps7"}]


@pytest.mark.parametrize("name", ["actions", "rasa"])
def test_the_servers_are_more_than_one_and_stay_so(name: str) -> None:
    """Two of each at least; an update adds one before it takes one, and a drain takes one.

    How many it are is for the autoscaler to say, by the processor that a pod asks for.
    """
    workload = CLUSTER.workloads[name]
    scaler = CLUSTER.named("HorizontalPodAutoscaler", name)["spec"]
    budget = CLUSTER.named("PodDisruptionBudget", name)["spec"]
    assert "replicas" not in workload.spec
    assert scaler["scaleTargetRef"]["name"] == name
    assert budget["maxUnavailable"] == 1 < scaler["minReplicas"] < scaler["maxReplicas"]
    assert [each["resource"]["name"] for each in scaler["metrics"]] == ["cpu"]
    assert "cpu" in workload.container["resources"]["requests"]
    assert budget["selector"] == workload.spec["selector"]
    assert workload.volumes.keys() == {each["name"] for each in workload.container["volumeMounts"]}
    assert workload.spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("name", ["actions", "rasa"])
def test_a_server_that_is_replaced_serves_until_no_call_is_sent_to_it(name: str) -> None:
    """Else whoever writes during an update meets a closed door. It has time to end after that."""
    workload = CLUSTER.workloads[name]
    _, seconds = workload.container["lifecycle"]["preStop"]["exec"]["command"]
    assert 5 <= int(seconds) < workload.pod["terminationGracePeriodSeconds"]


def test_the_doctor_sees_what_the_action_server_sees() -> None:
    """The same settings, secrets and way out, in a Job that runs when it is asked for."""
    doctor = CLUSTER.named("CronJob", "doctor")["spec"]
    pod = doctor["jobTemplate"]["spec"]["template"]
    (container,), server = pod["spec"]["containers"], CLUSTER.workloads["actions"]
    assert doctor["suspend"] is True
    for same in ("envFrom", "volumeMounts", "securityContext"):
        assert container[same] == server.container[same]
    assert pod["spec"]["volumes"][0] == server.volumes["ps7"]
    assert pod["spec"]["securityContext"] == server.pod["securityContext"]
    way_out = CLUSTER.named("NetworkPolicy", "actions-to-ps7")["spec"]["podSelector"]["matchLabels"]
    assert way_out.items() <= pod["metadata"]["labels"].items()
    assert way_out.items() <= server.spec["template"]["metadata"]["labels"].items()
