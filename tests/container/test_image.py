"""What the Dockerfile of the action server says. Docker itself does not run here."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
import tomli
from rasa_sdk.constants import DEFAULT_SERVER_PORT

from scripts import hash_pins
from tests.container.images import DOCKERFILE, Image
from tests.deploy.deployment import COMPOSE
from tests.support.processes import ROOT

pytestmark = pytest.mark.release

IMAGE = Image(DOCKERFILE)
SERVER = 2
"""The stage from which the others start, but for the first."""
PLUGIN = {
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "actions").rglob("*")
    if path.suffix in {".py", ".typed"}
}


@pytest.mark.parametrize("name", ["Dockerfile", "examples/deploy/rasa.Dockerfile"])
def test_a_linter_has_nothing_to_say(name: str) -> None:
    """Of any severity, with nothing switched off (hadolint)."""
    linter = Path(sys.executable).with_name("hadolint")
    subprocess.run([linter, "-"], input=(ROOT / name).read_bytes(), check=True)


def test_every_stage_starts_from_the_python_that_the_pins_are_for() -> None:
    """A slim one, by its tag; a build can name another, such as a mirror's, by digest."""
    (base,) = bases(IMAGE)
    assert base.partition("@")[0] == f"python:{hash_pins.PYTHON}-slim-trixie"

    mirror = "mirror.example.com/python@sha256:0"
    assert bases(Image(DOCKERFILE, {"PYTHON_IMAGE": mirror})) == {mirror}


def bases(image: Image) -> set[str]:
    """Return what its stages start from, but for each other."""
    return {step.value.split()[0] for step in image.of("FROM")} - {"server"}


def test_nothing_is_installed_but_wheels_that_are_known_by_their_hash() -> None:
    """All that runs while it is built: an environment, pip once, and what is done to our files."""
    installs, ours = (" ".join(shlex.split(step.value)) for step in IMAGE.of("RUN"))
    assert installs == (
        "python -m venv --without-pip /opt/venv && python -m pip --python /opt/venv install "
        "--no-cache-dir --disable-pip-version-check --only-binary :all: "
        "--require-hashes --requirement /build/container.txt"
    )
    assert " install" not in ours, "tests/container/test_runs.py runs it"
    assert IMAGE.copied[0] == ("requirements/container.txt", PurePosixPath("/build/container.txt"))


def test_the_server_runs_nothing_as_root_and_holds_no_secret() -> None:
    """Two folders from the first stage, a user by number, no shell around the server."""
    assert [step.value for step in IMAGE.of("COPY", SERVER)] == [
        "--from=build /opt/venv /opt/venv",
        "--from=build /app /app",
    ]
    assert IMAGE.of("RUN", SERVER) + IMAGE.of("ADD") == []
    assert IMAGE.last("USER").value == "10001:10001"
    assert IMAGE.last("CMD").command == ["python", "-m", "rasa_sdk", "--actions", "actions"]
    assert IMAGE.last("CMD").workdir.as_posix() == "/app"
    arguments = {step.value.partition("=")[0] for step in IMAGE.of("ARG")}
    assert arguments == {"PYTHON_IMAGE", "ACTIONS"}
    assert [step for step in IMAGE.steps if "PS7_" in step.value or "SECRET" in step.value] == []


def test_docker_is_sent_what_the_image_is_built_from_and_nothing_else() -> None:
    """Not the example's link to the plugin either: Docker would keep it a link."""
    folder = "examples/oss-bot/actions"
    example = {f"{folder}/{path.name}" for path in (ROOT / folder).glob("*.py")}
    assert IMAGE.context == PLUGIN | example | {"requirements/container.txt"}
    assert [file for file in IMAGE.context if (ROOT / file).is_symlink()] == []


@pytest.mark.parametrize(
    "name",
    [
        *(".env", "actions/.env", "actions/ps7/.env", "examples/oss-bot/actions/.env"),
        *("examples/deploy/secrets/ps7/PS7_PASSWORD", ".git/config", "tests/test_it.py"),
        *("actions/__pycache__/it.pyc", "actions/ps7/api/__pycache__/it.pyc", "notes.txt"),
    ],
)
def test_docker_is_not_sent_what_lies_about(name: str, tmp_path: Path) -> None:
    """Settings, secrets, history, tests, and what Python compiled for another machine."""
    for file in (name, "actions/__init__.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert IMAGE.sent_from(tmp_path) == {"actions/__init__.py"}


def test_its_health_is_asked_on_the_port_that_it_listens_on() -> None:
    """By Python, which is there. Compose and Kubernetes ask over TLS: tests/deploy."""
    asked = IMAGE.last("HEALTHCHECK")
    assert IMAGE.last("EXPOSE").value == str(DEFAULT_SERVER_PORT)
    assert asked.command[:2] == ["python", "-c"]
    assert f"'127.0.0.1', {DEFAULT_SERVER_PORT}, " in asked.command[2]
    assert asked.value.startswith("--interval=10s --timeout=3s --start-period=30s ")


def test_its_version_is_that_of_the_package() -> None:
    """In its label; tests/house looks at the tags that Compose and Kubernetes run."""
    labels = dict(each.split("=", 1) for each in shlex.split(IMAGE.last("LABEL").value))
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert labels["org.opencontainers.image.version"] == project["version"]


def test_a_bot_of_another_project_goes_on_top() -> None:
    """As the README of the deployment writes it: from this image, to where its command looks."""
    text = (ROOT / "examples" / "deploy" / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```dockerfile\n(.+?)```", text, flags=re.DOTALL)
    tag = COMPOSE["services"]["actions"]["image"]
    assert snippet == f"FROM {tag}\nCOPY actions/ {IMAGE.last('CMD').command[-1]}/\n"
    assert IMAGE.last("WORKDIR").value == "/app", "it is kept by an image on top"
