"""The compose file keeps privileges, secrets and networks small. `make compose` runs it."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.deployment import COMPOSE, DEPLOY, load, mounted
from tests.support.processes import ROOT

SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PLUGIN = ("PS7_USERNAME", "PS7_PASSWORD", "PS7_SEAL_KEYS", "PS7_ARRIVAL_KEYS")
OWN = {
    "proxy": (),
    "balancer": (),
    "prometheus": (),
    "rasa": ("DB_PASSWORD", "REDIS_PASSWORD"),
    "actions": PLUGIN,
    "doctor": PLUGIN,
    "postgres": ("POSTGRES_PASSWORD", "DB_PASSWORD"),
    "redis": ("REDIS_PASSWORD",),
}
"""What each service has to know, beside a certificate."""
CONFIGS = SERVICES["prometheus"]["configs"]


def test_compose_takes_its_files() -> None:
    """By the schema of the Compose specification, which comes with the validator."""
    schema = ("--builtin-schema", "vendor.compose-spec")
    files = (DEPLOY / "compose.yaml", DEPLOY / "compose.ps7-tls.yaml")
    subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, *files], check=True)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_a_service_runs_without_privileges(service: dict[str, Any]) -> None:
    """Not as root, nothing to write to but memory and volumes, no capability, and limits.

    Its log is limited too, and a slow disk has time to start.
    """
    assert int(service["user"].partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "start_period" in service.get("healthcheck", {"start_period": None})
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_example_bots_own_slots_go_with_the_customer() -> None:
    """As its own tests start it."""
    told = runpy.run_path(str(ROOT / "examples" / "oss-bot" / "servers.py"))["OF_THE_BOT"]
    assert told.items() <= SERVICES["actions"]["environment"].items()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_its_own_secrets_and_none_of_anothers(name: str) -> None:
    """The doctor has those of the action server, whose part it plays; Prometheus has none."""
    files = mounted(SERVICES[name])
    assert files.pop("/run/tls/ca.crt", "ca.crt") == "ca.crt"
    server = "actions" if name == "doctor" else name
    kinds = () if name == "prometheus" else ("crt", "key")
    certificates = {f"/run/tls/{server}.{kind}": f"{server}.{kind}" for kind in kinds}
    assert files == certificates | {f"/run/secrets/{each}": each for each in OWN[name]}


def test_only_rasa_reaches_the_action_server_and_the_stores() -> None:
    """Services that share a network can talk; networks between our own servers have no way out."""
    members = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]}
        for network in COMPOSE["networks"]
    }
    assert members == {
        "public": {"proxy"},
        "front": {"proxy", "rasa"},
        "calls": {"rasa", "balancer"},
        "actions": {"balancer", "actions", "doctor"},
        "metrics": {"prometheus", "actions", "doctor"},
        "stores": {"rasa", "postgres", "redis"},
        "ps7": {"actions", "doctor"},
        "watch": {"prometheus"},
    }
    open_ones = {
        name for name, network in COMPOSE["networks"].items() if not network.get("internal")
    }
    assert open_ones == {"public", "ps7", "watch"}
    assert {name for name, each in SERVICES.items() if "ports" in each} == {"proxy", "prometheus"}


def test_there_are_two_of_each_server() -> None:
    """So that one can be replaced."""
    assert [SERVICES[name]["deploy"]["replicas"] for name in ("rasa", "actions")] == [2, 2]


def test_prometheus_measures_each_action_server() -> None:
    """By the name of the service, on the port of its one worker, with our alerts."""
    settings, environment = load(DEPLOY / "prometheus.yml"), SERVICES["actions"]["environment"]
    (job,) = settings["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert (job["job_name"], found["names"], found["type"]) == ("ps7", ["actions"], "A")
    assert str(found["port"]) == environment["OTEL_EXPORTER_PROMETHEUS_PORT"]
    assert environment["OTEL_EXPORTER_PROMETHEUS_HOST"] == "0.0.0.0"  # noqa: S104 - of a container
    (rules,) = settings["rule_files"]
    shipped = {each["target"]: COMPOSE["configs"][each["source"]]["file"] for each in CONFIGS}
    assert shipped[f"/etc/prometheus/{rules}"] == "../monitoring/rules.yml"


def test_rasa_looks_for_the_authority_behind_every_hop() -> None:
    """And for the name, but for Redis: the README says so. `make compose` takes each hop."""
    hops, authority = load(DEPLOY / "rasa" / "endpoints.yml"), "${TLS_CA_FILE}"
    assert hops["action_endpoint"]["cafile"] == authority
    assert hops["tracker_store"]["query"] == {"sslmode": "verify-full", "sslrootcert": authority}
    assert hops["lock_store"].items() >= {"use_ssl": True, "ssl_ca_certs": authority}.items()


@pytest.mark.parametrize(("file", "behind"), [("nginx.conf", "rasa"), ("balancer.conf", "actions")])
def test_a_proxy_looks_at_the_certificate_of_what_is_behind_it(file: str, behind: str) -> None:
    """At authority and name: nginx by itself looks at neither."""
    lines = [line.strip() for line in (DEPLOY / file).read_text(encoding="utf-8").splitlines()]
    assert sum(line.startswith("proxy_pass https://") for line in lines) == 1
    assert [line for line in lines if line.startswith("proxy_ssl_")] == [
        "proxy_ssl_verify on;",
        "proxy_ssl_trusted_certificate /run/tls/ca.crt;",
        f"proxy_ssl_name {behind};",
    ]


@pytest.mark.parametrize(("file", "again"), [("nginx.conf", False), ("balancer.conf", True)])
def test_only_what_can_be_repeated_is_sent_to_another_server(file: str, again: bool) -> None:
    """A message reaches one Rasa: the tracker has it once. The plugin's actions can run again."""
    text = (DEPLOY / file).read_text(encoding="utf-8")
    (cases,) = re.findall(r"(?m)^ *proxy_next_upstream (.+);", text)
    assert ("non_idempotent" in cases.split()) == again


DOCKER = """#!/bin/sh
case "$*" in
  *" ps --all "*) cat servers ;;
  *" up "*) echo new-$(wc -l <told) >>servers ;;
  "inspect "*) echo "$HEALTH"; exit ;;
  "rm "*) for last; do :; done; grep -vxF "$last" servers >left; mv left servers ;;
esac
echo "$*" >>told
"""


@pytest.mark.parametrize(
    ("command", "health", "expected"),
    [
        ("renew", "healthy", (0, {"new"}, 0)),
        ("renew", "starting", (1, {"old"}, 0)),
        ("restart", "healthy", (0, {"old"}, 2)),
        ("restart", "unhealthy", (1, {"old"}, 1)),
    ],
)
def test_no_server_is_taken_before_the_one_before_is_healthy(
    tmp_path: Path, command: str, health: str, expected: tuple[int, set[str], int]
) -> None:
    """What does not come up leaves those that are there; a new one of another version goes."""
    for name, script in (("docker", DOCKER), ("sleep", "#!/bin/sh\n")):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "servers").write_text("old-1\nold-2\n")
    (tmp_path / "told").touch()
    told = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HEALTH": health}
    script = f". {DEPLOY / 'on-call.sh'} && compose && {command} actions"
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=told, check=False)
    left = (tmp_path / "servers").read_text().splitlines()
    restarts = (tmp_path / "told").read_text().count("restart old-")
    there = {each.partition("-")[0] for each in left}
    assert (ran.returncode, there, restarts) == expected
    assert len(left) == 2
