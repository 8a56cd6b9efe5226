"""The compose file keeps privileges, secrets and networks small. `make compose` runs it."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from actions.ps7 import PS7Settings
from tests.deploy.deployment import COMPOSE, DEPLOY, PS7_TLS, load, mounted
from tests.docs.test_documents import SETTINGS
from tests.support.needs import lacking
from tests.support.processes import ROOT, free_port

SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_compose_itself_reads_them_without_a_word() -> None:
    """What is named is defined, and no `$` of a shell's is taken for a variable of Compose's."""
    if not shutil.which("docker-compose"):
        lacking("Docker Compose", "apt-get install docker-compose")
    files = ("-f", DEPLOY / "compose.yaml", "-f", DEPLOY / "compose.ps7-tls.yaml")
    told = {"PATH": os.environ["PATH"], "PS7_BASE_URL": "https://cec.example.com"}
    command = ("docker-compose", "--profile", "*", *files, "config", "--quiet")
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert not re.search(r"(?<!\$)\$[^${]", str(COMPOSE)), "some versions take it for their own"


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
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    if looks := service.get("healthcheck"):
        seconds = {key: int(text.rstrip("s")) for key, text in looks.items() if key != "test"}
        starts_python = 5 * ("python" in looks["test"])
        assert 2 + starts_python < seconds["timeout"] < seconds["interval"]
        (*waits,) = map(int, re.findall(r"timeout=(\d+)", str(looks["test"])))
        assert all(wait + starts_python < seconds["timeout"] for wait in waits)
        assert seconds["start_period"] >= 30
    runs_once = "profiles" in service
    assert service["restart"] == ("no" if runs_once else "unless-stopped")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_example_bots_own_slots_go_with_the_customer() -> None:
    """As its own tests start it."""
    told = runpy.run_path(str(ROOT / "examples" / "oss-bot" / "servers.py"))["OF_THE_BOT"]
    assert told.items() <= SERVICES["actions"]["environment"].items()


def test_who_is_in_front_has_a_certificate_and_no_secret() -> None:
    """The doctor has those of the action server. All others are compared with Kubernetes."""
    for name in ("proxy", "balancer"):
        files = ("ca.crt", f"{name}.crt", f"{name}.key")
        assert mounted(SERVICES[name]) == {f"/run/tls/{each}": each for each in files}
    assert mounted(SERVICES["doctor"]) == mounted(SERVICES["actions"])
    assert mounted(SERVICES["prometheus"]) == {}


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


def test_what_a_service_calls_is_started_before() -> None:
    """`make compose` looks at what answers there."""
    healthy, started = ({"condition": f"service_{state}"} for state in ("healthy", "started"))
    waits = {name: each["depends_on"] for name, each in SERVICES.items() if "depends_on" in each}
    assert waits == {
        "proxy": {"rasa": healthy},
        "rasa": {"balancer": started, "postgres": healthy, "redis": healthy},
        "balancer": {"actions": healthy},
    }


@pytest.mark.parametrize("name", ["compose.yaml", "compose.ps7-tls.yaml"])
def test_a_secret_is_a_file_of_its_name(name: str, deploy_folder: Path) -> None:
    """That `make_secrets.py` makes, or that is yours to bring; and no setting is misspelt."""
    said = load(DEPLOY / name)
    for secret, where in said["secrets"].items():
        file = deploy_folder / where["file"]
        assert file.exists()
        assert file.name == secret.removeprefix("ps7-")
    for each in ("actions", "doctor"):
        told, files = said["services"][each]["environment"], mounted(said["services"][each])
        paths = {key: path for key, path in told.items() if path.startswith("/run/tls/ps7-")}
        assert paths == {key: f"/run/tls/ps7-{PS7_TLS[key]}" for key in paths}
        assert {*paths.values()} <= files.keys()
        settings = {key for key in told if key.startswith("PS7_")} - {"PS7_SECRETS_DIR"}
        assert settings <= SETTINGS


def test_what_compose_builds_is_there_to_be_built() -> None:
    """Each image from a file that has its stage and its arguments; of each server two run."""
    assert [SERVICES[name]["deploy"]["replicas"] for name in ("rasa", "actions")] == [2, 2]
    for service in SERVICES.values():
        if "build" in service:
            build = service["build"]
            text = (DEPLOY / build["context"] / build["dockerfile"]).read_text(encoding="utf-8")
            assert (DEPLOY / build["context"]).resolve() == ROOT
            assert not {*build.get("args", ())} - {*re.findall(r"(?m)^ARG (\w+)", text)}
            assert "target" not in build or f" AS {build['target']}\n" in text
    builds = {name: SERVICES[name]["build"] for name in ("actions", "doctor")}
    assert builds["doctor"] == builds["actions"] | {"target": "doctor"}


def test_who_is_in_front_waits_longer() -> None:
    """The balancer for a look-up until its deadline; the proxy for two of those.

    And no longer than a Rasa server that is replaced has to end.
    """
    files = ("nginx.conf", "balancer.conf")
    texts = [(DEPLOY / file).read_text(encoding="utf-8") for file in files]
    found = (re.findall(r"proxy_read_timeout (\d+)s;", text) for text in texts)
    (proxy,), (balancer,) = (map(int, each) for each in found)
    (ends,) = re.findall(r"docker stop -t (\d+)", (DEPLOY / "on-call.sh").read_text("utf-8"))
    assert PS7Settings.model_fields["deadline"].default + 1 < balancer < proxy / 2
    assert proxy <= int(ends)
    sizes = (re.findall(r"client_max_body_size (\d+)(\w);", each) for each in texts)
    ((message, kilo),), ((call, mega),) = sizes
    assert (kilo, mega) == ("k", "m"), "a call has the conversation: 250 of the longest messages"
    assert 250 * int(message) <= 1024 * int(call)


def test_prometheus_has_our_alerts_and_keeps_what_they_look_back_at() -> None:
    """It measures as often as they expect; `make compose` sees it measure each action server."""
    monitoring = ROOT / "examples" / "monitoring"
    settings, ours = (load(folder / "prometheus.yml") for folder in (DEPLOY, monitoring))
    assert settings["global"] == ours["global"]
    (job,) = settings["scrape_configs"]
    port = int(SERVICES["actions"]["environment"]["OTEL_EXPORTER_PROMETHEUS_PORT"])
    often = settings["global"]["scrape_interval"]
    found = {"names": ["actions"], "type": "A", "port": port, "refresh_interval": often}
    assert job == {"job_name": "ps7", "dns_sd_configs": [found]}
    (rules,) = settings["rule_files"]
    shipped = {each["target"]: each["source"] for each in SERVICES["prometheus"]["configs"]}
    file = COMPOSE["configs"][shipped[f"/etc/prometheus/{rules}"]]["file"]
    assert file == "../monitoring/rules.yml"
    told = dict(each.split("=") for each in SERVICES["prometheus"]["command"])
    assert SERVICES["prometheus"]["volumes"] == [f"metrics:{told['--storage.tsdb.path']}"]
    (kept,) = re.findall(r"^(\d+)d$", told["--storage.tsdb.retention.time"])
    back = re.findall(r"offset (\d+)d", (DEPLOY / file).read_text("utf-8"))
    assert int(kept) > max(map(int, back))


def test_rasa_looks_for_the_authority_behind_every_hop() -> None:
    """And for the name, but for Redis: the README says so. `make compose` takes each hop."""
    hops, authority = load(DEPLOY / "rasa" / "endpoints.yml"), "${TLS_CA_FILE}"
    assert hops["action_endpoint"]["cafile"] == authority
    assert hops["tracker_store"]["query"] == {"sslmode": "verify-full", "sslrootcert": authority}
    assert hops["lock_store"].items() >= {"use_ssl": True, "ssl_ca_certs": authority}.items()


@pytest.mark.parametrize(
    ("file", "behind", "again", "open_to"),
    [
        ("nginx.conf", "rasa", False, "= /webhooks/rest/webhook"),
        ("balancer.conf", "actions", True, "~ ^/(webhook|health)$"),
    ],
)
def test_a_proxy_knows_who_is_behind_it_and_writes_nothing_down(
    file: str, behind: str, again: bool, open_to: str
) -> None:
    """It looks at authority and name, and asks Docker for names before a server is taken away.

    A message reaches one Rasa: the tracker has it once. The plugin's actions can run again.
    """
    text = (DEPLOY / file).read_text(encoding="utf-8")
    told = dict(re.findall(r"(?m)^ *(\w+) (.+?);", text))
    assert re.findall(r"location (.+) \{", text) == [open_to, "/"]
    assert re.findall(r"proxy_pass (\w+:)", text) == ["https:"]
    assert re.findall(r"(?m)^ *(proxy_ssl_\w+ .+;)", text) == [
        "proxy_ssl_verify on;",
        "proxy_ssl_trusted_certificate /run/tls/ca.crt;",
        f"proxy_ssl_name {behind};",
    ]
    assert re.findall(r"(?m)^ *(\w+_log) (.+?);", text) == [
        ("error_log", "/dev/stderr warn"),
        ("access_log", "off"),
    ]
    assert ("non_idempotent" in told["proxy_next_upstream"].split()) == again
    (seconds,) = re.findall(r"127\.0\.0\.11 valid=(\d+)s", told["resolver"])
    (pause,) = re.findall(r"\n      sleep (\d+)\n", (DEPLOY / "on-call.sh").read_text("utf-8"))
    assert int(seconds) < int(pause)


def test_redis_is_healthy_once_it_asks_for_its_password(
    tmp_path: Path, deploy_folder: Path
) -> None:
    """Over TLS and in no other way, by the very command and health check of Compose."""
    if not shutil.which("redis-server"):
        lacking("Redis", "apt-get install redis-server")
    port, secrets = str(free_port()), deploy_folder / "secrets"
    there = {"/run/tls": f"{secrets}/tls", "/run/secrets": f"{secrets}/stores", "$$": "$"}
    there |= {"/tmp": str(tmp_path), "6379": port, "'port 0'": "'port 0' 'bind 127.0.0.1'"}  # noqa: S108
    pattern = "|".join(map(re.escape, there))
    redis = SERVICES["redis"]
    script, check = (
        re.sub(pattern, lambda found: there[found[0]], text)
        for text in (redis["command"][2], redis["healthcheck"]["test"][1])
    )
    server = subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 30
        while subprocess.run(["sh", "-c", check], check=False, capture_output=True).returncode:
            assert server.poll() is None
            assert time.monotonic() < deadline, "it is never healthy"
            time.sleep(0.02)
        (ask, _, _) = check.partition(" ping ")
        logged_in = f"{ask} -a $(cat {secrets}/stores/REDIS_PASSWORD) config get save"
        said = subprocess.check_output(["sh", "-c", logged_in], stderr=subprocess.DEVNULL)
        assert said == b"save\n\n", "nothing of it is kept"
        assert (tmp_path / "redis.conf").stat().st_mode & 0o077 == 0
    finally:
        server.kill()
        server.wait()


def test_the_database_takes_no_password_that_is_not_encrypted() -> None:
    """From elsewhere, with TLS alone; and it logs no row. The same command runs on Kubernetes."""
    (*_, command) = SERVICES["postgres"]["command"]
    (rules,) = re.findall(r"&& (printf .+) > /tmp/pg_hba.conf ", command)
    said = subprocess.check_output(["sh", "-c", rules], text=True).splitlines()
    assert said == ["local all all scram-sha-256", "hostssl all all all scram-sha-256"]
    told = dict(each.split("=") for each in re.findall(r" -c (\S+)", command))
    assert told == {
        "ssl": "on",
        "ssl_cert_file": "/run/tls/postgres.crt",
        "ssl_key_file": "/tmp/postgres.key",  # noqa: S108 - of a container
        "hba_file": "/tmp/pg_hba.conf",  # noqa: S108
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
    }


def test_the_first_mistake_in_making_the_database_ends_it(tmp_path: Path) -> None:
    """Else Rasa would start without it, or without its user; `make compose` makes it for real."""
    script = DEPLOY / COMPOSE["configs"]["make-database"]["file"]
    (tmp_path / "psql").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\nexec cat\n")
    (tmp_path / "psql").chmod(0o755)
    (tmp_path / "DB_PASSWORD").write_text("two words\n")
    told = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "POSTGRES_USER": "super user",
        "POSTGRES_PASSWORD_FILE": f"{tmp_path}/POSTGRES_PASSWORD",
    }
    said = subprocess.check_output(["sh", script], env=told, text=True).splitlines()
    words = ["--username", "super user", "--set", "ON_ERROR_STOP=1", "--set", "password=two words"]
    sql = ["CREATE USER rasa PASSWORD :'password';", "CREATE DATABASE rasa OWNER rasa;"]
    assert said == words + sql
