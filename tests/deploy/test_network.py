"""Who may talk to whom in Kubernetes, by the manifests as they are: without kustomize."""

from __future__ import annotations

from itertools import product
from typing import Any

from tests.deploy.deployment import Cluster

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
