"""What the Dockerfiles say, and what Docker is sent. `make images` builds and runs the images."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

from examples.deploy import serve
from scripts import hash_pins, release
from tests.support.processes import ROOT

ACTIONS, RASA = "Dockerfile", "examples/deploy/rasa.Dockerfile"
KINDS = {".py", ".txt", ".typed"}
SOURCES = f"--no-binary {hash_pins.SOURCES} --use-pep517 "
"""Rasa needs three packages that have no wheels."""


def values(name: str, instruction: str) -> list[str]:
    """Return what each step of an instruction says, in one line."""
    parsed = DockerfileParser(fileobj=BytesIO((ROOT / name).read_bytes())).structure
    steps = (each for each in parsed if each["instruction"] == instruction)
    return [" ".join(step["value"].split()) for step in steps]


def sent(folder: Path) -> set[str]:
    """Return the files that Docker would be sent from a folder like the project's."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    paths = {name: folder / name for name in exclude_paths(folder, rules)}
    found = {name for name, path in paths.items() if path.is_file() or path.is_symlink()}
    return found - {".dockerignore", ACTIONS}


@pytest.mark.parametrize(
    ("name", "ports", "but"), [(ACTIONS, "5055 9464", ""), (RASA, "5005", SOURCES)]
)
def test_an_image_has_wheels_that_are_known_by_their_hash_and_a_user_without_rights(
    name: str, ports: str, but: str
) -> None:
    """Who writes to memory alone. A linter has nothing to say, with nothing switched off."""
    linter = Path(sys.executable).with_name("hadolint")
    subprocess.run([linter, "-"], input=(ROOT / name).read_bytes(), check=True)
    commands = " && ".join(values(name, "RUN")).split(" && ")
    (install,) = (each for each in commands if " install " in each)
    assert f"--only-binary :all: {but}--require-hashes --requirement /build/" in install
    (build,) = (each.split()[:-1] for each in values(name, "COPY") if each.endswith(" /build/"))
    pins = re.findall(r"--requirement /build/(\S+)", install)
    assert pins == [each.removeprefix("requirements/") for each in build]
    assert (values(name, "USER"), values(name, "EXPOSE")) == (["10001:10001"], [ports])
    assert {"HOME=/tmp", "MPLCONFIGDIR=/tmp/matplotlib"} <= {*" ".join(values(RASA, "ENV")).split()}


def test_an_image_is_told_what_the_pages_say_of_it() -> None:
    """One worker, no telemetry, its version, and a check that may take as long as it does."""
    assert "ACTION_SERVER_SANIC_WORKERS=1" in " ".join(values(ACTIONS, "ENV")).split()
    assert "RASA_TELEMETRY_ENABLED=false" in " ".join(values(RASA, "ENV")).split()
    (label,), (check,) = values(ACTIONS, "LABEL"), values(ACTIONS, "HEALTHCHECK")
    assert f'image.version="{release.own_version(ROOT)}"' in label
    interval, wait, start = (int(each) for each in re.findall(r"--[\w-]+=(\d+)s", check))
    assert serve.ANSWERED < wait < interval < start
    training = (ROOT / RASA).read_text("utf-8").split("\nFROM ")[2].strip()
    assert training.endswith("./\nRUN chmod -R a=rX ."), "all that was copied before"


def test_any_user_may_read_what_a_stage_takes_over() -> None:
    """Wherever the image is built: nobody but their owner may read the files of some machines."""
    copied = [each.split() for each in values(ACTIONS, "COPY")]
    taken = {each[1] for each in copied if each[0] == "--from=build"}
    (readable,) = re.findall(r" chmod -R a=rX (.+)", "\n".join(values(ACTIONS, "RUN")))
    made = {os.path.normpath(f"/app/{each}") for each in readable.split()}
    assert made == taken - {"/opt/venv"}, "pip makes its own so"


def test_a_server_in_its_first_second_ends_with_0() -> None:
    """If it is told to: by the line that each Python of the image runs as it starts."""
    (line,) = re.findall(r'&& echo "(import .+)" >', " ".join(values(ACTIONS, "RUN")))
    ends = f"{line}\nos.kill(os.getpid(), signal.SIGTERM)\nraise SystemExit(3)"
    assert subprocess.run([sys.executable, "-c", ends], check=False).returncode == 0


def test_the_plugin_is_in_the_image_once_and_without_its_command(tmp_path: Path) -> None:
    """By its wheel's name; the bot's actions load it, and the metrics."""
    app, sources = tmp_path / "app", shutil.ignore_patterns("__pycache__")
    for to in ("actions/ps7", "rasa_ps7"):
        shutil.copytree(ROOT / "actions" / "ps7", app / to, ignore=sources)
    shutil.copy(ROOT / "examples" / "monitoring" / "metrics.py", app / "actions")
    (app / "actions" / "__init__.py").write_text('"""Its own."""\n')
    (script,) = (each for each in values(ACTIONS, "RUN") if "compileall" in each)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", script], cwd=app, env={"PATH": path}, check=True)
    there = {each.name for each in app.glob("*")} | {each.name for each in app.glob("actions/*")}
    assert there - {"__pycache__"} == {
        *("actions", "rasa_ps7", "endpoints.yml"),
        *("__init__.py", "metrics.py"),
    }
    assert (app / "endpoints.yml").read_text() == "{}\n"
    told = (app / "actions" / "__init__.py").read_text().splitlines()
    assert told == ['"""Its own."""', "import rasa_ps7; from . import metrics"]
    apart = {each.name for each in (tmp_path / "doctor").iterdir() if each.is_dir()}
    assert apart - {"__pycache__"} == {"cli", "testing"}
    assert apart.isdisjoint(each.name for each in (app / "rasa_ps7").iterdir())
    written, compiled = ([*tmp_path.rglob(f"*.{kind}")] for kind in ("py", "pyc"))
    assert len(written) == len(compiled)


def test_a_bots_own_metrics_take_the_place_of_ours() -> None:
    """What is copied last is there."""
    copied = [each.rstrip("/").split() for each in values(ACTIONS, "COPY")]
    into_actions = [each[0] for each in copied if each[-1] == "actions"]
    assert into_actions == ["examples/monitoring/metrics.py", "${ACTIONS}"]


def test_docker_is_sent_what_the_image_is_built_from_and_nothing_else() -> None:
    """Not the example's link to the plugin either: Docker would keep it a link."""
    plugin = {file for file in (ROOT / "actions").rglob("*") if file.suffix in KINDS}
    example = {*(ROOT / "examples" / "oss-bot" / "actions").rglob("*.py")}
    pins = {f"requirements/{name}.txt" for name in ("container", "telemetry")}
    ours = {file.relative_to(ROOT).as_posix() for file in plugin | example}
    others = {"examples/deploy/serve.py", "examples/monitoring/metrics.py"}
    assert sent(ROOT) == ours | pins | others


def test_rasas_image_has_what_its_command_names() -> None:
    """Of files that Docker is sent: both domains, a model by that name, and its settings."""
    rules = (ROOT / f"{RASA}.dockerignore").read_text(encoding="utf-8")
    let_in = tuple(f"{each}/" for each in re.findall(r"(?m)^!(.+)$", rules))
    copied = [each.split() for each in values(RASA, "COPY") if not each.startswith("--from")]
    sources = {source: into for *some, into in copied for source in some}
    for source in sources:
        assert (ROOT / source).exists()
        assert f"{source}/".startswith(let_in), source
    assert sources["domain.yml"] != sources["examples/oss-bot/domain/bot.yml"]
    (train,) = (each for each in values(RASA, "RUN") if " rasa train " in each)
    (model,) = re.findall(r"--domain domain --fixed-model-name (\S+) --out /app/models$", train)
    (entry,), (command,) = values(RASA, "ENTRYPOINT"), values(RASA, "CMD")
    words = [*json.loads(entry), *json.loads(command)]
    told = dict(pairwise(words))
    there = {Path(source).name for source in sources}
    options = ("sh", "--endpoints", "--credentials", "--logging-config-file")
    assert {*map(told.get, options), "masking.py"} <= there
    assert told["--model"] == f"models/{model}.tar.gz"
    assert (told["--endpoints"], told["--credentials"]) == ("endpoints.yml", "credentials.yml")
    tls = (told["--ssl-certificate"], told["--ssl-keyfile"])
    assert tls == ("/run/tls/rasa.crt", "/run/tls/rasa.key")


LIE_ABOUT = (
    *(".env", "actions/.env", "actions/ps7/.env", "examples/oss-bot/actions/.env", "notes.txt"),
    *("examples/deploy/secrets/ps7/PS7_PASSWORD", ".git/config", "tests/test_it.py"),
    *("actions/__pycache__/it.pyc", "actions/ps7/lookup/__pycache__/it.pyc"),
)


def test_docker_is_not_sent_what_lies_about(tmp_path: Path) -> None:
    """Settings, secrets, history, tests, and what Python compiled for another machine."""
    for file in (*LIE_ABOUT, "actions/__init__.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert sent(tmp_path) == {"actions/__init__.py"}


def test_a_bot_of_another_project_goes_on_top() -> None:
    """As the README of the deployment writes it: from this image, to where its command looks."""
    text = (ROOT / "examples" / "deploy" / "README.md").read_text(encoding="utf-8")
    (command,) = values(ACTIONS, "CMD")
    image, folder = f"ps7-actions:{release.own_version(ROOT)}", json.loads(command)[-1]
    assert f"\nFROM {image}\nCOPY actions/ {folder}/\n" in text
