"""Each command of the runbook fits the deployment: what `kubectl` and `docker` are told exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from actions.ps7.cli import command
from tests.deploy import runbook
from tests.deploy.deployment import COMPOSE, Cluster, mounted
from tests.deploy.runbook import COMMANDS, PLATFORMS, SHOWN, prepared
from tests.docs.test_tables import source
from tests.support.processes import ROOT

WORD = "\037"
STAND_IN = """#!/bin/sh
# Write each word down, and the standard input; answer as much as the runbook reads.
case "${0##*/} $*" in "sleep "*) exit ;; *" config current-context") exec echo bank ;; esac
{
  printf '%s\\037' "${0##*/}" "$@"
  case " $* " in *" exec -i "* | *" -f - "* | *" exec -T "*) cat ;; esac
} >"$CALLS/$$"
case " $* " in
  *" get pods "*" -o name "*) echo pod/actions-1 ;;
  *" --dry-run=client "* | *" --local "*) echo 'kind: Job' ;;
  *" ps --all --format "*) echo ps7-assistant-actions-1 ;;
  *" inspect "*) echo healthy ;;
esac
"""


def at_hand(folder: Path) -> dict[str, str]:
    """Put stand-ins for `kubectl` and `docker` into a folder; return the environment of a shell."""
    for name in ("kubectl", "docker", "sleep"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    (folder / "tracker.json").touch()
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "calls").mkdir()
    return {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(folder / "calls")}


class Place(NamedTuple):
    """A container: what a command finds in it."""

    variables: dict[str, str]
    files: set[str]
    ports: set[int]

    def takes(self, words: list[str], code: str) -> None:
        """Check a command that runs here; `code` is its standard input."""
        if words[:3] == ["python", "-m", "rasa_ps7"]:
            command.parser().parse_args(words[3:])
            return
        if words in ([], ["date", "-u"]):
            return
        assert words[0] == "python", words
        code = words[2] if words[1] == "-c" else code
        compile(code, "runbook", "exec")
        assert {*re.findall(r'"(/run/[^"]+)"', code)} <= self.files
        assert {*re.findall(r'env(?:iron)?\["(\w+)"\]', code)} <= self.variables.keys()
        assert {int(each) for each in re.findall(r"//localhost:(\d+)/", code)} <= self.ports
        if "/DB_PASSWORD" in code:
            assert f"{self.variables['RASA_SECRETS_DIR']}/DB_PASSWORD" in self.files


class Kubernetes:
    """What `kubectl` is told, against the manifests that are built."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.namespace = cluster.of_kind("Namespace")[0]["metadata"]["name"]
        self.jobs: set[str] = set()

    def place(self, target: str) -> Place:
        """Return the container of `deploy/…`, of one of the pods, or of a job of the doctor."""
        kind, _, name = target.partition("/")
        assert kind in {"deploy", "pod"} or name in self.jobs, target
        name = name if kind == "deploy" else "actions"
        workload = self.cluster.workloads[name]
        files = {*self.cluster.files(name)}
        return Place(self.cluster.variables(name), files, {*workload.ports.values()})

    def takes(self, words: list[str], given: str) -> None:
        """Check one call."""
        job = self.cluster.named("CronJob", "doctor")["spec"]["jobTemplate"]
        if words[0] == "apply":
            assert (ROOT / words[2] / "kustomization.yaml").exists()
            return
        if words[:2] == ["patch", "--local"]:
            (change,) = json.loads(words[words.index("-p") + 1])
            found: Any = job
            for part in change["path"].split("/")[1:-1]:
                found = found[int(part) if part.isdigit() else part]
            assert change["op"] == "add"
            assert change["path"].endswith("/containers/0/command")
            assert found["image"].endswith("ps7-doctor:0.1.0")
            return
        assert words[:2] == ["-n", self.namespace]
        verb, *rest = words[2:]
        named = [each for each in rest if re.match("(deploy|pod|job)/", each)]
        for selector in (rest[at + 1] for at, each in enumerate(rest) if each == "-l"):
            key, _, value = selector.partition("=")
            if key == "job-name":
                assert value in self.jobs
            else:
                assert [each.name for each in self.cluster.matching({key: value})] == [value]
        if verb == "create":
            assert rest[2] == "--from=cronjob/doctor"
            self.jobs.add(rest[1])
        elif verb == "exec":
            assert rest[-1] != "-" or "-i" in rest, "it reads what is typed"
            self.place(named[0]).takes(rest[rest.index("--") + 1 :], given)
        elif verb == "logs" and named:
            assert named[0].removeprefix("job/") in self.jobs
        elif verb == "rollout":
            assert self.cluster.named("Deployment", named[0].removeprefix("deploy/"))
        else:
            assert verb in {"logs", "get", "delete", "wait", "apply"}


class Compose:
    """What `docker` is told, against compose.yaml."""

    def place(self, name: str) -> Place:
        """Return the container of a service."""
        service = COMPOSE["services"][name]
        return Place(service["environment"], {*mounted(service)}, {5005, 9464})

    def takes(self, words: list[str], given: str) -> None:
        """Check one call."""
        if words[0] != "compose":
            assert words[0] in {"exec", "inspect", "restart", "stop", "rm"}
            if words[0] == "exec":
                self.place("actions").takes(words[2:], given)
            return
        verb, *rest = words[1:]
        plain = [each for each in rest if not each.startswith("-")]
        if verb in {"exec", "run"}:
            self.place(plain[0]).takes(rest[rest.index(plain[0]) + 1 :], given)
        elif verb in {"logs", "ps", "up", "build"}:
            (service,) = plain[-1:] or ["actions"]
            assert service in COMPOSE["services"]
            assert verb != "up" or f"{service}=2" in plain, "one more than there is"
        else:
            raise AssertionError(words)


def run_in(
    shell: str, script: str, told: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """Run what is typed into a shell, where nobody answers."""
    return subprocess.run(
        [shell, "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=told,
        cwd=folder,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("section", COMMANDS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_command_fits_the_deployment(
    platform: str, section: str, build: Callable[..., Cluster], tmp_path: Path
) -> None:
    """Namespace, names, selectors, mounts, variables, ports: as it is written there, in `sh`."""
    told, calls = at_hand(tmp_path), tmp_path / "calls"
    server = Compose() if platform == "compose" else Kubernetes(build("stores", "telemetry"))
    for line in (["open_doctor"] if section != "PS7" else []) + COMMANDS[section]:
        ran = run_in("sh", f"{prepared(platform)}\n{line}\n", told, tmp_path)
        assert ran.stderr == "", line
        found = sorted(calls.iterdir(), key=lambda call: (call.stat().st_mtime_ns, int(call.name)))
        assert found or (platform, line) == ("compose", "open_doctor"), line
        for call in found:
            program, *words, given = call.read_text().split(WORD)
            call.unlink()
            assert program == {"compose": "docker", "kubernetes": "kubectl"}[platform]
            server.takes(words, given)


@pytest.mark.parametrize("shell", [each for each in ("bash", "zsh") if shutil.which(each)])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_other_shells_do_the_same(platform: str, shell: str, tmp_path: Path) -> None:
    """All commands of the page, as `sh` runs them."""
    told, calls = at_hand(tmp_path), tmp_path / "calls"
    lines = [line for section in COMMANDS.values() for line in section]
    script = "\n".join([prepared(platform), *dict.fromkeys(lines)])
    made = []
    for each in ("sh", shell):
        ran = run_in(each, script, told, tmp_path)
        made.append((ran.stderr, ran.stdout, sorted(call.read_text() for call in calls.iterdir())))
        for call in calls.iterdir():
            call.unlink()
    assert made[0] == made[1]
    assert len(made[0][2]) > 50


OF_OTHERS = (
    "git ",
    "kubectl ",
    "Couldn't connect",
    "Encountered an exception",
    "rasa-ps7 ",
    "Falling back to use",
    "Failed to ",
)
"""What begins a command, or a line of Rasa's."""


def test_what_the_runbook_quotes_is_said() -> None:
    """By a line of the log, or by the doctor."""
    said = source() + (ROOT / "actions" / "ps7" / "cli" / "findings.txt").read_text()
    said = said.replace("PS7 %s: outcome", "PS7 probe").replace("Arrival refused: %s", "")
    quoted = [each.removeprefix("Arrival refused: ") for each in runbook.quoted()]
    assert [each for each in quoted if each not in said and not each.startswith(OF_OTHERS)] == []
    assert "PS7 takes the credentials" in quoted


def test_each_alert_is_seen_in_two_commands() -> None:
    """And every section has some."""
    assert {len(block.splitlines()) for blocks in SHOWN.values() for block in blocks} == {2}
    assert all(SHOWN.values())


def test_what_compose_is_told_for_real_is_most_of_it() -> None:
    """Each text that is expected belongs to a command of the page; `make compose` runs them."""
    steps = {line: prints for line, _, prints in runbook.in_compose("1")}
    assert {line for line, prints in steps.items() if prints} == runbook._PRINTS.keys()
    assert len(steps) > 20


LINES = """
pod/a INFO PS7 lookup: outcome=ok reason=ok status=200 ms=3
pod/b INFO PS7 lookup: outcome=ok reason=ok status=200 ms=4
pod/b WARNING PS7 probe: outcome=unavailable reason=read_timeout status=-
pod/b ERROR it broke
"""
FAKES = {
    "psycopg2": """
class Cursor:
    def execute(self, sql, values): print(sql.split()[0], *values)
    def __iter__(self): return iter([("a row", 1)])
def connect(**told):
    print(*(f"{key}={told[key]}" for key in sorted(told)))
    return type("It", (), {"cursor": staticmethod(Cursor)})
""",
    "sitecustomize": """
import io, json, socket, ssl, urllib.request as web
ssl.create_default_context = lambda cafile: cafile
socket.create_connection = lambda where, seconds: print("reaches", *where)
def urlopen(asked, timeout, context=None):
    if isinstance(asked, str):
        return io.BytesIO(b"ps7_turns_total 7\\nanother 1\\n")
    told = json.loads(asked.data)
    return io.BytesIO(f"{asked.full_url} {context} {sorted(told)}".encode())
web.urlopen = urlopen
""",
}
"""What the programs inside a container meet."""
INSIDE = """#!/bin/sh
echo "${0##*/} $*" >>"$TOLD"
: "${COMPOSE_FILE:?docker would look for one here}"
case "$*" in
  *current-context*) ;;
  *"logs "*) cat "$LINES" ;;
  "inspect "*) echo healthy ;;
  *"get pods -l app.kubernetes.io/name=actions -o name") echo pod/actions-1 ;;
  *"ps --all --format {{.Name}} actions") echo actions-1 ;;
  *"exec "*)
    case "$*" in *"exec -i "* | *"exec -T "*) ;; *) exec </dev/null ;; esac
    while [ "$1" != python ]; do shift; done; shift; exec "$PYTHON" "$@" ;;
esac
"""


SAID = {
    "reasons": "1 {PS7 probe}-\n2 PS7 lookup: outcome=ok reason=ok status=200",
    "errors actions": "1 ERROR it broke\n1 WARNING {PS7 probe}-",
    "measure ps7_turns": "{pod}actions-1\nps7_turns_total 7",
    "hello": "Rasa: {rasa}/webhooks/rest/webhook /run/tls/ca.crt ['message', 'sender']",
    "stores": "{to} postgres 5432\nDB postgres 5432 ok\n{to} redis 6379\nREDIS redis 6379 ok",
    "conversations denied": "{login}\nSELECT denied\na row 1",
}


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("typed", SAID)
def test_a_command_shows_what_is_there(platform: str, typed: str, tmp_path: Path) -> None:
    """In the log, the metrics, Rasa and its stores: its program runs here, where they answer."""
    shown = run_inside(platform, typed, tmp_path)
    expected = SAID[typed].format(
        **{"PS7 probe": "PS7 probe: outcome=unavailable reason=read_timeout status="},
        pod="pod/" * (platform == "kubernetes"),
        rasa="https://localhost:5005",
        to="reaches",
        login="dbname=rasa host=postgres password=planted port=5432 sslmode=verify-full "
        "sslrootcert=/run/tls/ca.crt user=rasa",
    )
    assert [" ".join(line.split()) for line in shown] == expected.splitlines()


def run_inside(platform: str, typed: str, folder: Path) -> list[str]:
    """Run one command; return what it prints."""
    for name in ("kubectl", "docker", "sleep"):
        (folder / name).write_text(INSIDE)
        (folder / name).chmod(0o755)
    for name, text in {
        **{f"{name}.py": code for name, code in FAKES.items()},
        "lines": LINES,
    }.items():
        (folder / name).write_text(text)
    (folder / "DB_PASSWORD").write_text("planted\n")
    rasa = COMPOSE["services"]["rasa"]["environment"] | {"RASA_SECRETS_DIR": str(folder)}
    told = {"PATH": f"{folder}:{os.environ['PATH']}", "TOLD": f"{folder}/told"}
    told |= {"LINES": f"{folder}/lines", "PYTHON": sys.executable, "PYTHONPATH": str(folder)}
    script = f". {ROOT}/examples/deploy/on-call.sh && {platform} >/dev/null && {typed}"
    ran = run_in("sh", script, rasa | told, folder)
    assert ran.stderr == ""
    return ran.stdout.splitlines()


@pytest.mark.parametrize(
    ("platform", "typed", "told"),
    [
        (
            "kubernetes",
            "logs rasa 5m",
            ["logs -l app.kubernetes.io/name=rasa --since=5m --tail=-1"],
        ),
        ("kubernetes", "before rasa", ["logs -l app.kubernetes.io/name=rasa --previous --tail=30"]),
        (
            "kubernetes",
            "restart rasa",
            ["rollout restart deploy/rasa", "rollout status deploy/rasa"],
        ),
        (
            "kubernetes",
            "rollback rasa 3",
            ["undo deploy/rasa --to-revision=3", "status deploy/rasa"],
        ),
        ("kubernetes", "rollback rasa", ["undo deploy/rasa --to-revision=0", "status deploy/rasa"]),
        ("kubernetes", "renew rasa", ["apply -k examples/deploy/kubernetes", "restart", "status"]),
        ("kubernetes", "doctor", ["delete job doctor-1", "create job doctor-1", "logs --follow"]),
        ("compose", "logs rasa 5m", ["compose logs --since 5m rasa"]),
        ("compose", "rollback rasa", ["compose build rasa", "compose ps --all"]),
        ("compose", "doctor", ["compose run --rm doctor"]),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_command_says_all_that_its_program_has_to_know(
    platform: str, typed: str, told: list[str], tmp_path: Path
) -> None:
    """In this order: from when on, which revision, and that one waits for the end."""
    run_inside(platform, f"{typed} >/dev/null", tmp_path)
    calls = [each for each in (tmp_path / "told").read_text().splitlines() if "context" not in each]
    assert len(calls) >= len(told)
    assert all(part in call for part, call in zip(told, calls, strict=False)), calls


def test_what_a_customer_asked_stays_out_of_the_lines_before_an_end(tmp_path: Path) -> None:
    """In Compose they are the last of all lines, of which most are of look-ups."""
    assert run_inside("compose", "before actions", tmp_path) == ["", "pod/b ERROR it broke"]
