"""What the Dockerfile of the action server says. `make images` builds and runs it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import tomli
from rasa_sdk.constants import DEFAULT_SERVER_PORT

from scripts import hash_pins
from tests.container.images import DOCKERFILE, Image
from tests.deploy.deployment import COMPOSE
from tests.support.processes import ROOT

pytestmark = pytest.mark.release

IMAGE = Image(DOCKERFILE)
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
    """Rasa needs three packages that have none. `make images` and `make compose` build both."""
    rasa = Image(ROOT / "examples" / "deploy" / "rasa.Dockerfile")
    sources = f"--no-binary {hash_pins.SOURCES} --use-pep517 "
    for image, count, but in ((IMAGE, 2, ""), (rasa, 1, sources)):
        commands = " && ".join(" ".join(shlex.split(step.value)) for step in image.of("RUN"))
        installs = [each for each in commands.split(" && ") if " install " in each]
        assert len(installs) == count
        for install in installs:
            assert f"--only-binary :all: {but}--require-hashes --requirement /build/" in install


def test_docker_is_sent_what_the_image_is_built_from_and_nothing_else() -> None:
    """Not the example's link to the plugin either: Docker would keep it a link."""
    folder = "examples/oss-bot/actions"
    example = {f"{folder}/{path.name}" for path in (ROOT / folder).glob("*.py")}
    pins = {f"requirements/{name}.txt" for name in ("container", "telemetry")}
    assert IMAGE.context == PLUGIN | example | pins | {"examples/monitoring/metrics.py"}
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
