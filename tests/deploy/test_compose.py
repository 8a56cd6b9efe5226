"""The compose file fits together: networks, secrets, variables and images that name each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.container.images import Image
from tests.deploy.deployment import (
    COMPOSE,
    COMPOSE_FILE,
    DEPLOY,
    PS7_VARIABLES,
    RASA_VARIABLES,
    mounted,
)
from tests.support.processes import ROOT

pytestmark = pytest.mark.release

SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EVERY = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
SECRETS_MOUNT = "/run/secrets"
"""Where Compose puts them."""


def test_compose_takes_its_file() -> None:
    """By the schema of the Compose specification, which comes with the validator."""
    schema = ("--builtin-schema", "vendor.compose-spec")
    files = (COMPOSE_FILE, DEPLOY / "compose.ps7-tls.yaml")
    subprocess.run([sys.executable, "-m", "check_jsonschema", *schema, *files], check=True)


@EVERY
def test_a_service_runs_without_privileges(service: dict[str, Any]) -> None:
    """Not as root, nothing to write to but memory and volumes, no capability, and limits."""
    assert int(service["user"].partition(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@EVERY
def test_a_service_names_what_is_there(service: dict[str, Any]) -> None:
    """Networks, secrets, configs and the services it waits for, which have a health check."""
    assert set(service["networks"]) <= COMPOSE["networks"].keys()
    assert set(mounted(service).values()) <= COMPOSE["secrets"].keys()
    assert {each["source"] for each in service.get("configs", [])} <= COMPOSE["configs"].keys()
    for other in service.get("depends_on", {}):
        assert "healthcheck" in SERVICES[other]


def test_the_secret_files_are_those_that_are_made(secrets_folder: Path) -> None:
    """Each one under its own name, and none too many."""
    files = {name: source["file"] for name, source in COMPOSE["secrets"].items()}
    made = {
        file.name: f"secrets/{file.parent.name}/{file.name}"
        for folder in ("ps7", "stores", "tls")
        for file in (secrets_folder / folder).iterdir()
    }
    used = {name for service in SERVICES.values() for name in mounted(service).values()}
    assert files == made
    assert used == made.keys()


def test_a_server_is_told_its_settings_and_nothing_else() -> None:
    """The plugin's, and what `endpoints.yml` is filled from; what is secret comes as a file."""
    actions, rasa = SERVICES["actions"], SERVICES["rasa"]

    assert actions["environment"].keys() <= PS7_VARIABLES
    assert actions["environment"]["PS7_SECRETS_DIR"] == SECRETS_MOUNT
    secret = {name for path, name in mounted(rasa).items() if path.startswith(SECRETS_MOUNT)}
    assert rasa["environment"].keys() | secret == RASA_VARIABLES
    assert rasa["environment"]["RASA_SECRETS_DIR"] == SECRETS_MOUNT
    image = Image(ROOT / rasa["build"]["dockerfile"])
    files = {rasa["environment"]["TLS_CA_FILE"], *image.last("CMD").command[-3::2]}
    assert files <= mounted(rasa).keys()


OWN = {
    "proxy": (),
    "rasa": ("DB_PASSWORD", "REDIS_PASSWORD"),
    "actions": ("PS7_USERNAME", "PS7_PASSWORD", "PS7_SEAL_KEYS", "PS7_ARRIVAL_KEYS"),
    "postgres": ("POSTGRES_PASSWORD", "DB_PASSWORD"),
    "redis": ("REDIS_PASSWORD",),
}


@pytest.mark.parametrize("name", OWN)
def test_a_service_has_its_own_secrets_and_none_of_anothers(name: str) -> None:
    """Its certificate and key, and what it has to know."""
    files = mounted(SERVICES[name])
    assert files.pop("/run/tls/ca.crt", "ca.crt") == "ca.crt"
    certificates = {f"/run/tls/{name}.{kind}": f"{name}.{kind}" for kind in ("crt", "key")}
    assert files == certificates | {f"{SECRETS_MOUNT}/{each}": each for each in OWN[name]}


def test_the_doctor_sees_what_the_action_server_sees() -> None:
    """And starts only where it is asked for."""
    doctor, actions = SERVICES["doctor"], SERVICES["actions"]
    for same in ("environment", "networks", "secrets", "user", "tmpfs"):
        assert doctor[same] == actions[same]
    assert doctor["build"] == {**actions["build"], "target": "doctor"}
    assert doctor["profiles"] == ["doctor"]


def test_only_rasa_reaches_the_action_server_and_the_stores() -> None:
    """Services that share a network can talk; networks between our own servers have no way out."""
    members = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]}
        for network in COMPOSE["networks"]
    }
    assert members == {
        "public": {"proxy"},
        "front": {"proxy", "rasa"},
        "actions": {"rasa", "actions", "doctor"},
        "stores": {"rasa", "postgres", "redis"},
        "ps7": {"actions", "doctor"},
    }
    open_ones = {
        name for name, network in COMPOSE["networks"].items() if not network.get("internal")
    }
    assert open_ones == {"public", "ps7"}
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


@pytest.mark.parametrize("name", ["rasa", "actions"])
def test_an_image_is_built_from_files_that_are_there(name: str) -> None:
    """All that its Dockerfile copies is let through, and is no link: Docker keeps links."""
    build = SERVICES[name]["build"]
    context = (DEPLOY / build["context"]).resolve()
    image = Image(context / build["dockerfile"], build.get("args"))
    sent = {source: image.sent(source) for source, _ in image.copied}

    assert SERVICES[name]["deploy"]["replicas"] == 2
    assert context == ROOT
    assert sent
    assert [source for source, files in sent.items() if not files] == []
    assert [file for file in image.context if (ROOT / file).is_symlink()] == []
    assert image.last("USER").value == SERVICES[name]["user"] == "10001:10001"
