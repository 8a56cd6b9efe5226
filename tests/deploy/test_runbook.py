"""Each command of the runbook fits the deployment: what `kubectl` and `docker` are told exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import reduce
from pathlib import Path
from typing import NamedTuple

import pytest

from actions.ps7.cli import command
from tests.deploy import runbook
from tests.deploy.deployment import COMPOSE, Cluster, mounted
from tests.deploy.runbook import COMMANDS, PLATFORMS, SHOWN, prepared
from tests.docs.test_tables import source
from tests.support.processes import ROOT

STAND_IN = """#!/bin/sh
# Write each word down, and the standard input; answer as much as the runbook reads. If there is a
# $PYTHON, it runs what a container would.
case "${0##*/} $*" in "sleep "*) exit ;; *" config current-context") exec echo bank ;; esac
: "${COMPOSE_FILE:?docker would look for one here}"
case " $* " in *" exec -i "* | *" -f - "* | *" exec -T "*) given=$(cat) ;; esac
{ printf '%s\037' "${0##*/}" "$@" "$given"; printf '\036\037'; } >>calls
case " $* " in
  *" get pods "*" -o name "* | *" ps --all --format "*) cat servers ;;
  *" --dry-run=client "* | *" --local "*) echo 'kind: Job' ;;
  *" logs "*) cat lines ;;
  *" up "*) echo "new-$(wc -c <calls)" >>servers ;;
  " rm "*) for last; do :; done; grep -vxF "$last" servers >left; mv left servers ;;
  " inspect "*) echo "${HEALTH:-healthy}" ;;
  *" exec "*)
    [ "$PYTHON" ] || exit 0
    while [ "$1" != python ]; do shift; done
    shift; echo "$given" | "$PYTHON" "$@" ;;
esac
"""
FILES = {
    **dict.fromkeys(("kubectl", "docker", "sleep"), STAND_IN),
    "lines": """
pod/a INFO PS7 lookup: outcome=ok reason=ok status=200 ms=3
pod/b INFO PS7 lookup: outcome=ok reason=ok status=200 ms=4
pod/b WARNING PS7 probe: outcome=unavailable reason=read_timeout status=-
pod/b ERROR it broke
""",
    "DB_PASSWORD": "planted\n",
    "tracker.json": "",
    "psycopg2.py": """
class Cursor:
    def execute(self, sql, values): print(sql.split()[0], *values)
    def __iter__(self): return iter([("a row", 1)])
def connect(**told):
    print(*(f"{key}={told[key]}" for key in sorted(told)))
    return type("It", (), {"cursor": staticmethod(Cursor)})
""",
    "sitecustomize.py": """
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
"""What is at hand where the commands are typed, and what a program inside a container meets."""


Typed = tuple[list[str], list[list[list[str]]]]
"""What was shown, and the calls of each line, word by word."""


class Terminal:
    """Where somebody on call types, and nobody answers but stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in FILES.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "examples").symlink_to(ROOT / "examples")

    def type_in(self, platform: str, *lines: str, shell: str = "sh", **told: str) -> Typed:
        """Type lines into a new shell, as the page has it prepared."""
        calls = self.folder / "calls"
        calls.write_text("")
        (self.folder / "servers").write_text("pod/old-1\npod/old-2\n")
        marked = (f"{line}\nprintf '\\035' >>calls" for line in lines)
        ran = subprocess.run(
            [shell, "-c", "\n".join([prepared(platform), *marked])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=told | {"PATH": f"{self.folder}:{os.environ['PATH']}"},
            cwd=self.folder,
            text=True,
            check=True,
        )
        assert ran.stderr == ""
        made = [
            [call.split("\037") for call in each.split("\037\036\037")[:-1]]
            for each in calls.read_text().split("\035")[:-1]
        ]
        return ran.stdout.splitlines()[1:], made


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a terminal in a folder of its own."""
    return Terminal(tmp_path)


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

    program = "kubectl"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.doctor = cluster.named("CronJob", "doctor")["spec"]["jobTemplate"]
        self.named = {
            "deploy": {each["metadata"]["name"] for each in cluster.of_kind("Deployment")},
            "cronjob": {"doctor"},
            "pod": {"old-1", "old-2"},
            "job": set[str](),
        }

    def place(self, name: str) -> Place:
        """Return the container of a workload."""
        ports = {*self.cluster.workloads[name].ports.values()}
        return Place(self.cluster.variables(name), {*self.cluster.files(name)}, ports)

    def takes(self, words: list[str], given: str) -> None:
        """Check one call."""
        if words[0] == "apply":
            assert (ROOT / words[2] / "kustomization.yaml").exists()
            return
        if words[0] == "patch":
            (change,) = json.loads(words[words.index("-p") + 1])
            *way, index, field = change["path"].strip("/").split("/")
            containers = reduce(dict.__getitem__, way, self.doctor)
            assert (change["op"], index, field) == ("add", "0", "command")
            assert containers[0]["image"].endswith("ps7-doctor:0.1.0")
            return
        namespace = self.cluster.of_kind("Namespace")[0]["metadata"]["name"]
        assert words[:2] == ["-n", namespace]
        if words[2:4] == ["create", "job"]:
            self.named["job"].add(words[4])
        told, _, _ = " ".join(words).partition(" -- ")
        targets = re.findall(r"(?<=[ =])(deploy|cronjob|pod|job)/(\S+)", told)
        targets += [("job", name) for name in re.findall("-l job-name=(\\S+)", told)]
        for kind, name in targets:
            assert name in self.named[kind]
        for label, name in re.findall(r"-l (app\S+)=(\S+)", told):
            assert [each.name for each in self.cluster.matching({label: name})] == [name]
        if words[2] == "exec":
            assert words[-1] != "-" or "-i" in words, "it reads what is typed"
            ((kind, name),) = targets
            place = self.place(name if kind == "deploy" else "actions")
            place.takes(words[words.index("--") + 1 :], given)


class Compose:
    """What `docker` is told, against compose.yaml."""

    program = "docker"

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
            assert verb != "up" or f"{service}=3" in plain, "one more than there are"
        else:
            raise AssertionError(words)


SHELLS = ("sh", *(each for each in ("bash", "zsh") if shutil.which(each)))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_command_fits_the_deployment(
    platform: str, cluster: Cluster, terminal: Terminal
) -> None:
    """Namespace, names, selectors, mounts, variables, ports: in each shell, all that is typed."""
    server: Compose | Kubernetes = Compose() if platform == "compose" else Kubernetes(cluster)
    lines = dict.fromkeys(line for section in COMMANDS.values() for line in section)
    typed, *elsewhere = (terminal.type_in(platform, *lines, shell=shell) for shell in SHELLS)
    assert elsewhere == [typed] * len(elsewhere)
    for line, made in zip(lines, typed[1], strict=True):
        assert made or (platform, line) == ("compose", "open_doctor"), line
        for program, *words, given in made:
            assert program == server.program
            server.takes(words, given)


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


PROBE = "PS7 probe: outcome=unavailable reason=read_timeout status=-"
LOGIN = "dbname=rasa host=postgres password=planted port=5432 sslmode=verify-full "
LOGIN += "sslrootcert=/run/tls/ca.crt user=rasa"
SHOWN_INSIDE = {
    "reasons": [f"1 {PROBE}", "2 PS7 lookup: outcome=ok reason=ok status=200"],
    "errors actions": ["1 ERROR it broke", f"1 WARNING {PROBE}"],
    "measure ps7_turns": ["pod/old-1", "ps7_turns_total 7", "pod/old-2", "ps7_turns_total 7"],
    "hello": [
        "Rasa: https://localhost:5005/webhooks/rest/webhook /run/tls/ca.crt ['message', 'sender']"
    ],
    "stores": [
        *("reaches postgres 5432", "DB postgres 5432 ok"),
        *("reaches redis 6379", "REDIS redis 6379 ok"),
    ],
    "conversations denied": [LOGIN, "SELECT denied", "a row 1"],
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_command_shows_what_is_there(platform: str, terminal: Terminal) -> None:
    """In the log, the metrics, Rasa and its stores: its program runs here, where they answer."""
    folder = str(terminal.folder)
    rasa = COMPOSE["services"]["rasa"]["environment"] | {"RASA_SECRETS_DIR": folder}
    told = {"PYTHON": sys.executable, "PYTHONPATH": folder}
    shown, _ = terminal.type_in(platform, *SHOWN_INSIDE, **rasa, **told)
    expected = [line for lines in SHOWN_INSIDE.values() for line in lines]
    assert [" ".join(line.split()) for line in shown] == expected


LABEL = "logs -l app.kubernetes.io/name=rasa"


@pytest.mark.parametrize(
    ("platform", "typed", "told"),
    [
        ("kubernetes", "logs rasa 5m", [f"{LABEL} --since=5m --tail=-1"]),
        ("kubernetes", "before rasa", [f"{LABEL} --previous --tail=30"]),
        ("kubernetes", "restart rasa", ["rollout restart deploy/rasa", "status deploy/rasa"]),
        ("kubernetes", "rollback rasa 3", ["undo deploy/rasa --to-revision=3", "status"]),
        ("kubernetes", "rollback rasa", ["undo deploy/rasa --to-revision=0", "status"]),
        ("kubernetes", "renew rasa", ["apply -k examples/deploy/kubernetes", "restart", "status"]),
        ("kubernetes", "doctor", ["delete job doctor-1", "create job doctor-1", "logs --follow"]),
        ("compose", "logs rasa 5m", ["compose logs --since 5m rasa"]),
        ("compose", "rollback rasa", ["compose build rasa", "compose ps --all"]),
        ("compose", "doctor", ["compose run --rm doctor"]),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_a_command_says_all_that_its_program_has_to_know(
    platform: str, typed: str, told: list[str], terminal: Terminal
) -> None:
    """In this order: from when on, which revision, and that one waits for the end."""
    _, (made,) = terminal.type_in(platform, typed)
    assert len(made) >= len(told)
    assert all(part in " ".join(call) for part, call in zip(told, made, strict=False)), made


def test_what_a_customer_asked_stays_out_of_the_lines_before_an_end(terminal: Terminal) -> None:
    """In Compose they are the last of all lines, of which most are of look-ups."""
    shown, _ = terminal.type_in("compose", "before actions")
    assert shown == ["", "pod/b ERROR it broke"]


@pytest.mark.parametrize(
    ("command", "health", "expected"),
    [
        ("renew", "healthy", ("0", {"new"}, 0)),
        ("renew", "starting", ("1", {"old"}, 0)),
        ("restart", "healthy", ("0", {"old"}, 2)),
        ("restart", "unhealthy", ("1", {"old"}, 1)),
    ],
)
def test_no_server_is_taken_before_the_one_before_is_healthy(
    command: str, health: str, expected: tuple[str, set[str], int], terminal: Terminal
) -> None:
    """What does not come up leaves those that are there; a new one of another version goes."""
    shown, (made,) = terminal.type_in("compose", f"{command} actions; echo $?", HEALTH=health)
    left = (terminal.folder / "servers").read_text().splitlines()
    there = {each.removeprefix("pod/").partition("-")[0] for each in left}
    restarts = sum(call[1] == "restart" for call in made)
    assert (shown[-1], there, restarts) == expected
    assert len(left) == 2
