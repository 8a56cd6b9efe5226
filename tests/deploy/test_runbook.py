"""Each command of the runbook fits the deployment: what `kubectl` and `docker` are told exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import sys
import time
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest

from actions.ps7 import Reason
from actions.ps7.cli import command
from tests.deploy import runbook
from tests.deploy.deployment import COMPOSE, Cluster
from tests.deploy.runbook import FUNCTIONS, LINES, PLATFORMS, SHOWN, prepared
from tests.docs.test_tables import source
from tests.monitoring.test_rules import LABELS
from tests.support.processes import ROOT, run

STAND_IN = """#!/bin/sh
# Write each word down, and the standard input; answer as much as the runbook reads.
# If there is a $PYTHON, it runs what a container would.
[ "${0##*/}" = sleep ] && echo "$1" >>slept && exit
case " $*" in *" config current-context") exec echo bank ;; esac
: "${COMPOSE_FILE:?docker would look for one here}"
case " $* " in *" exec -i "* | *" -f - "* | *" exec -T "*) given=$(cat) ;; esac
{ printf '%s\037' "${0##*/}" "$@" "$given"; printf '\036\037'; } >>calls
case " $* " in
  *" get pods "*" -o name "* | *" ps --all --format "*) cat servers ;;
  *" --dry-run=client "* | *" --local "*) echo 'kind: Job' ;;
  *" job/doctor-1 "*) [ "$(grep -o -- --follow calls | wc -l)" -ge "${STARTS:-1}" ] && cat lines ;;
  *" logs "*) cat lines ;;
  *" get deploy/"*) echo "$UNDONE" ;;
  *" up "*) [ "$HEALTH" ] || exit 1; echo "new-pod/old-1$(wc -c <calls)" >>servers ;;
  " rm "*) for last; do :; done; grep -vxF "$last" servers >left; mv left servers ;;
  *config_files*) echo "${FILES:-/srv/compose.yaml}" ;;
  *" {{.RestartCount}} "*) echo "$HEALTH" ;;
  *" {{.Config.Image}} "*) echo registry.example.com:5000/ps7-actions:0.1.0 ;;
  *" {{.Image}} new-"*) echo "sha256:${BUILT:-old}" ;;
  *" {{.Image}} "*) echo sha256:old ;;
  *" config --images ") for name in ps7-actions-next ps7-actions redis; do
    echo "registry.example.com:5000/$name:0.2.0"; done ;;
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
pod/b WARNING  py.warnings  - deprecated
pod/b ERROR it broke
""",
    "DB_PASSWORD": "planted\n",
    "tracker.json": "",
    "cpf": "529.982.247-25\n",
    "REDIS_PASSWORD": "planted\n",
    "psycopg2.py": "def connect(**_): raise OSError('away\\nand more')\n",
    "redis.py": "def Redis(*_, **told): return type('It', (), {'set': lambda *_, ex: None})()\n",
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

    @property
    def waited(self) -> int:
        """How many seconds the commands have slept."""
        return sum(map(int, (self.folder / "slept").read_text().split()))

    def type_in(self, platform: str, *lines: str, shell: str = "sh", **told: str) -> Typed:
        """Type lines into a new shell, as the page has it prepared."""
        calls = self.folder / "calls"
        calls.write_text("")
        (self.folder / "slept").write_text("")
        (self.folder / "servers").write_text("pod/old-1\npod/old-2\n")
        typed = (f"{line} <cpf" if line == "customer" else line for line in lines)
        marked = (f"{line}\nprintf '\\035' >>calls" for line in typed)
        script = "\n".join([prepared(platform), *marked])
        path = {"PATH": f"{self.folder}:{os.environ['PATH']}"}
        ran = run(
            *(shell, "-c", script),
            cwd=self.folder,
            variables={"HEALTH": "0 healthy"} | told | path,
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        made = [
            [call.split("\037") for call in each.split("\037\036\037")[:-1]]
            for each in calls.read_text().split("\035")[:-1]
        ]
        return ran.stdout.splitlines()[1:], made


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a terminal in a folder of its own."""
    return Terminal(tmp_path)


class Kubernetes:
    """What `kubectl` is told, against the manifests that are built."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.named = {
            "deploy": {each["metadata"]["name"] for each in cluster.of_kind("Deployment")},
            "cronjob": {"doctor"},
            "pod": {"old-1", "old-2"},
            "job": set[str](),
        }

    def runs(self, name: str, words: list[str], code: str) -> None:
        """Check a command in a workload's container; `code` is its standard input."""
        if words[:3] == ["python", "-m", "rasa_ps7"]:
            command.parser().parse_args(words[3:])
            return
        if words in ([], ["date", "-u"]):
            return
        assert words[0] == "python", words
        variables, files = self.cluster.variables(name), self.cluster.files(name)
        code = words[2] if words[1] == "-c" else code
        compile(code, "runbook", "exec")
        assert {*re.findall(r'"(/run/[^"]+)"', code)} <= files.keys()
        assert {*re.findall(r'env(?:iron)?\["(\w+)"\]', code)} <= variables.keys()
        ports = self.cluster.workloads[name].ports.values()
        assert {int(each) for each in re.findall(r"//localhost:(\d+)/", code)} <= {*ports}
        if "/DB_PASSWORD" in code:
            assert f"{variables['RASA_SECRETS_DIR']}/DB_PASSWORD" in files

    def takes(self, words: list[str], given: str) -> None:
        """Check one call."""
        if "apply" in words and "-k" in words:
            assert (ROOT / words[-1] / "kustomization.yaml").exists()
            return
        if words[0] == "patch":
            (change,) = json.loads(words[words.index("-p") + 1])
            path = "/spec/template/spec/containers/0/command"
            assert change == {"op": "add", "path": path, "value": ["sleep", str(15 * 60)]}
            return
        namespace = self.cluster.of_kind("Namespace")[0]["metadata"]["name"]
        assert words[:2] == ["-n", namespace]
        if words[2:4] == ["create", "job"]:
            self.named["job"].add(words[4])
        if words[2] == "wait":
            assert words[-1] == "--timeout=60s"
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
            inside = words[words.index("--") + 1 :]
            self.runs(name if kind == "deploy" else "actions", inside, given)


SHELLS = ("sh", *(each for each in ("bash", "zsh") if shutil.which(each)))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_each_command_does_the_same_in_each_shell(
    platform: str, terminal: Terminal, cluster: Cluster
) -> None:
    """All that is typed, line by line: each asks something of its program, and of no other.

    It fits the cluster: namespace, names, selectors, mounts, variables, ports. `make compose` runs
    Compose's own.
    """
    typed, *elsewhere = (terminal.type_in(platform, *LINES, shell=shell) for shell in SHELLS)
    assert elsewhere == [typed] * len(elsewhere)
    server = Kubernetes(cluster)
    for line, made in zip(LINES, typed[1], strict=True):
        assert made or (platform, line) == ("compose", "open_doctor"), line
        for program, *words, given in made:
            assert program == {"kubernetes": "kubectl", "compose": "docker"}[platform], line
            if platform == "kubernetes":
                server.takes(words, given)


OF_OTHERS = (
    "docker compose ",
    "git ",
    "kubectl ",
    "Couldn't connect",
    "Encountered an exception",
    "rasa-ps7 ",
    "Falling back",
    "Failed to ",
    "No space left",
)
"""What begins a command, or a line of Rasa's."""


def test_what_the_runbook_quotes_is_said() -> None:
    """By a line of the log, or by the doctor."""
    said = source() + (ROOT / "actions" / "ps7" / "cli" / "findings.txt").read_text()
    said = said.replace("PS7 %s: outcome", "PS7 probe").replace("Arrival refused: %s", "")
    own = [each for each in runbook.WORDS if " " in each and each.split()[0] not in FUNCTIONS]
    quoted = [each.removeprefix("Arrival refused: ") for each in own]
    assert [each for each in quoted if each not in said and not each.startswith(OF_OTHERS)] == []
    assert "PS7 takes the credentials" in quoted


def test_a_reason_or_cause_that_the_runbook_names_is_one() -> None:
    """Of a lookup, or of an alert."""
    words = {each for each in runbook.WORDS if re.fullmatch("[a-z]+(_[a-z]+)+", each)}
    assert len(words) > 15
    assert words - {*Reason, *LABELS, *FUNCTIONS} == set()


@pytest.mark.parametrize("typed", [line for line in LINES if "| grep " in line])
def test_what_is_looked_for_in_the_log_is_written_there(typed: str, terminal: Terminal) -> None:
    """By the plugin: lookups that PS7 rejects, and slots that are restored."""
    (lookup,) = re.findall(r'"(PS7 %s: outcome=.+)",', source())
    rejected = [("rejected", "business_failure", "500"), ("rejected", "failure_code", "200")]
    others = [("rejected", "too_many_context_ids", "-"), ("ok", "ok", "200")]
    lines = [lookup % ("lookup", *each, 1, 3, "c", "d") for each in (*rejected, *others)]
    (restored,) = re.findall(r'"(Slots restored .+: %s)"', source())
    (terminal.folder / "lines").write_text("\n".join([*lines, restored % "cpf", ""]))
    shown, _ = terminal.type_in("compose", typed)
    assert shown == (["1"] if " -c " in typed else lines[:2])


def test_each_section_says_when_it_is_over() -> None:
    """Of every alert: whoever is awake knows when to go back to bed."""
    _, *sections = re.split("(?m)^## (?=PS7)", runbook.TEXT)
    assert [each.partition("\n")[0] for each in sections if "\n*Acabou quando* " not in each] == []


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("Runbook", "Reiniciar não conserta o PS7, nem mudar configurações."),
        ("PS7NotServing", "não gere uma chave nova nem volte a versão"),
        ("PS7Unavailable", "Não reinicie nada."),
        ("PS7Denied", "Não reinicie, não teste senhas e não rode o doctor antes de corrigir."),
    ],
)
def test_what_makes_it_worse_is_forbidden_in_bold(section: str, said: str) -> None:
    """Nothing else in bold is about restarts: without its "não" a line orders what it forbids."""
    text = " ".join(runbook.TEXT.split())
    parts = {each.partition(" ")[0]: each for each in re.split(r"(?:^| )##? ", text)}
    orders = re.findall(r"\*\*(.+?)\*\*", parts[section])
    assert said in orders
    assert [each for each in orders if "einici" in each and each != said] == []


def test_a_cause_that_is_found_leads_to_what_mends_it() -> None:
    """A bot's action that raises fires no alert: who is told by telephone needs its step too."""
    begin, *_ = runbook.TEXT.partition("\n## ")
    assert "Sem alerta" in begin
    assert "(#ps7notserving)" in begin.partition("Sem alerta")[2]
    lines = runbook.TEXT.splitlines()
    (raises,) = (line for line in lines if "uma action falhou" in line)
    assert "`rollback actions`" in raises
    (stays,) = (line for line in lines if "`restart rasa`" in line and "Fall" in line)
    assert "`errors rasa 1m`" in stays, "a quarter of an hour shows what is over as well"
    (over,) = re.findall(r"(?s)\*Acabou quando\* ([^.]*`Falling back`[^.]*)\.", runbook.TEXT)
    assert "`Encountered an exception`" in over, "`hello` and `stores` are well all the time"


def test_each_alert_is_seen_in_two_commands() -> None:
    """And every section has some."""
    assert {len(block.splitlines()) for blocks in SHOWN.values() for block in blocks} == {2}
    assert all(SHOWN.values())


PROBE = "PS7 probe: outcome=unavailable reason=read_timeout status=-"
COUNTED = {
    "reasons": [f"1 {PROBE}", "2 PS7 lookup: outcome=ok reason=ok status=200"],
    "errors actions": ["1 ERROR it broke", f"1 WARNING {PROBE}"],
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_lines_of_the_log_are_counted(platform: str, terminal: Terminal) -> None:
    """Whatever stands before them; the most frequent come last."""
    shown, _ = terminal.type_in(platform, *COUNTED)
    assert [" ".join(line.split()) for line in shown] == [*chain(*COUNTED.values())]


LABEL = "logs -l app.kubernetes.io/name=rasa"
MANIFESTS = "examples/deploy/kubernetes"
UNDONE = "annotate --overwrite deploy/rasa rolled-back=yes"
ASKED = "get deploy/rasa -o jsonpath={.metadata.annotations.rolled-back}"
STATUS = "rollout status deploy/rasa"
OLD, NEXT = (f"registry.example.com:5000/ps7-actions:{tag}" for tag in ("previous", "0.2.0"))


SAYS = {
    "kubernetes": {
        "logs rasa 5m": [f"{LABEL} --since=5m --tail=-1"],
        "logs rasa": [f"{LABEL} --since=15m --tail=-1 --prefix --max-log-requests=20"],
        "reasons": ["--since=15m"],
        "reasons 6h": ["--since=6h"],
        "errors rasa": [f"{LABEL} --since=15m"],
        "open_doctor": ["delete job doctor-pod"],
        "before rasa": [f"{LABEL} --previous --tail=30 --prefix --ignore-errors"],
        "restart_one one": ["delete pod one"],
        "restart rasa": ["rollout restart deploy/rasa", STATUS],
        "rollback rasa 3": ["undo deploy/rasa --to-revision=3", UNDONE, STATUS],
        "rollback rasa": ["undo deploy/rasa --to-revision=0", UNDONE, STATUS],
        "renew rasa": [ASKED, f"apply -k {MANIFESTS} ", "restart", STATUS],
        "export UNDONE=yes; renew rasa": [
            *(ASKED, f"-n assistant apply -k {MANIFESTS}/../secrets ", "restart", STATUS)
        ],
        "doctor": ["delete job doctor-1", "create job doctor-1", "logs --follow"],
    },
    "compose": {
        "restart_one one": ["docker restart one"],
        "logs rasa 5m": ["compose logs --since 5m rasa"],
        "logs rasa": ["compose logs --since 15m rasa"],
        "pods": ["compose ps --all"],
        "errors rasa": ["compose logs --since 15m rasa"],
        "before rasa": ["compose logs --tail 30 rasa"],
        "rollback actions": ["compose ps", "inspect", "config", f"tag {OLD} {NEXT}"],
        "restart balancer": ["compose ps --all", "restart", "inspect", "restart", "inspect"],
        "doctor": ["compose run --rm doctor"],
    },
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_command_says_all_that_its_program_has_to_know(platform: str, terminal: Terminal) -> None:
    """In this order: from when on, which revision, and that one waits for the end."""
    _, made = terminal.type_in(platform, *SAYS[platform])
    for (typed, told), calls in zip(SAYS[platform].items(), made, strict=True):
        assert len(calls) >= len(told), typed
        for part, call in zip(told, calls, strict=False):
            assert part in " ".join(call), typed


def test_a_customer_is_looked_for_by_eleven_digits(terminal: Terminal) -> None:
    """Neither ten nor twelve, which would find nobody."""
    takes = ["529.982.247-25", "52998224725", "529 982 247 25"]
    refuses = ["5299822472", "529982247250", "", "CPF"]
    typed = (f"echo '{each}' | customer || echo refused" for each in takes + refuses)
    shown, made = terminal.type_in("compose", *typed)
    assert shown == ["Um CPF tem 11 algarismos", "refused"] * len(refuses)
    assert [*map(len, made)] == [1] * len(takes) + [0] * len(refuses)


def test_what_a_customer_asked_stays_out_of_the_lines_before_an_end(terminal: Terminal) -> None:
    """In Compose they are the last of all lines, of which most are of look-ups."""
    shown, _ = terminal.type_in("compose", "before actions")
    assert shown == ["", "pod/b WARNING  py.warnings  - deprecated", "pod/b ERROR it broke"]


START = int(COMPOSE["services"]["rasa"]["healthcheck"]["start_period"].rstrip("s"))
UP = "compose up --detach --no-deps --no-recreate --scale actions=3 actions"


@pytest.mark.parametrize(
    ("command", "health", "left", "came"),
    [
        ("renew", "0 healthy", "new", ("0", [UP] * 2, 2, 0, 10)),
        ("renew", "0 running", "new", ("0", [UP] * 2, 2, 0, 10)),
        ("renew", "0 starting", "old", ("1", [UP], 90, 0, START)),
        ("renew", "1 starting", "old", ("1", [UP], 1, 0, 0)),
        ("renew", "1 healthy", "old", ("1", [UP], 1, 0, 0)),
        ("restart", "0 healthy", "old", ("0", [], 2, 2, 0)),
        ("restart", "0 unhealthy", "old", ("1", [], 90, 1, START)),
    ],
)
def test_no_server_is_taken_before_the_one_before_is_healthy(
    command: str, health: str, left: str, came: tuple[object, ...], terminal: Terminal
) -> None:
    """What does not come up leaves those that are there, and its log; a new one goes."""
    shown, (made,) = terminal.type_in("compose", f"{command} actions; echo $?", HEALTH=health)
    servers = (terminal.folder / "servers").read_text().splitlines()
    assert [each.removeprefix("pod/").partition("-")[0] for each in servers] == [left] * 2
    said = [" ".join(call[1:-1]) for call in made]
    ups = [each for each in said if each.startswith("compose up")]
    looks = sum(each.startswith("inspect --format {{.RestartCount}}") for each in said)
    restarts = sum(each.startswith("restart ") for each in said)
    assert (shown[-1], ups, looks, restarts, terminal.waited) == came
    stays = (command, left) == ("renew", "old")
    assert any(each.startswith("logs --tail 30 new-") for each in said) is stays
    assert ("pod/b ERROR it broke" in shown) is stays
    stops = [each for each in said if each.startswith("stop")]
    assert all(each.startswith("stop -t 60 ") for each in stops), "each turn is answered"


def test_a_server_that_cannot_be_made_takes_none_away(terminal: Terminal) -> None:
    """Such as one whose image is not there."""
    shown, (made,) = terminal.type_in("compose", "renew actions; echo $?", HEALTH="")
    assert (shown, made[-1][2]) == (["1"], "up")


@pytest.mark.parametrize(
    ("files", "typed", "renews"),
    [
        ("/v1/compose.yaml", "/v2/compose.yaml", True),
        ("/v1/compose.yaml,/v1/compose.ps7-tls.yaml", "compose.ps7-tls.yaml:a/compose.yaml", True),
        ("/v1/compose.yaml,/v1/compose.ps7-tls.yaml", "a/compose.yaml", False),
        ("/v1/compose.yaml", "a/compose.yaml:compose.ps7-tls.yaml", False),
        ("/v1/compose.yaml", "another.yaml", False),
    ],
)
def test_no_server_is_renewed_with_other_files(
    files: str, typed: str, renews: bool, terminal: Terminal
) -> None:
    """A terminal without the file of PS7's certificates would cut PS7 off."""
    shown, (made,) = terminal.type_in(
        "compose", "renew actions; echo $?", FILES=files, COMPOSE_FILE=typed
    )
    assert shown[-1] == str(int(not renews))
    assert any("up" in call for call in made) is renews
    assert renews or "compose.yaml" in shown[0]


@pytest.mark.parametrize(("built", "kept"), [("old", 0), ("new", 2)])
def test_the_image_that_is_replaced_is_kept(built: str, kept: int, terminal: Terminal) -> None:
    """Under a tag of its own, unless it is the same: `rollback` needs no registry."""
    shown, (made, _) = terminal.type_in("compose", "renew actions", "rollback actions", BUILT=built)
    assert "Outro rollback o desfaz" in shown[-1], "whoever does not trust `pods` types it again"
    assert [call[1:4] for call in made if call[1] == "tag"] == [["tag", "sha256:old", OLD]] * kept
    before = ["tag", "stop", "rm"][not kept :]
    assert [call[1] for call in made if call[1] in before] == before * 2, "who has it is asked"


@pytest.mark.parametrize(("starts", "ends"), [(1, "0"), (3, "0"), (60, "0"), (61, "1")])
def test_the_doctor_is_heard_once_its_container_runs(
    starts: int, ends: str, terminal: Terminal
) -> None:
    """`kubectl logs` fails until then; after a minute one sees what holds it up."""
    shown, (made,) = terminal.type_in("kubernetes", "doctor; echo $?", STARTS=str(starts))
    assert (shown[-1], "pod/b ERROR it broke" in shown) == (ends, ends == "0")
    assert ("describe" in made[-1]) is (ends == "1")
    assert terminal.waited == starts - 1


def test_a_store_that_is_away_says_so(terminal: Terminal) -> None:
    """In one line, and the others are still tried: here PostgreSQL is away, and Redis is there."""
    rasa = COMPOSE["services"]["rasa"]["environment"]
    here = {"PYTHONPATH": str(terminal.folder), "RASA_SECRETS_DIR": str(terminal.folder)}
    shown, _ = terminal.type_in("compose", "stores", PYTHON=sys.executable, **rasa | here)
    assert shown[:2] == ["DB postgres away", "REDIS redis ok"]
    assert shown[2].startswith("ACTIONS https://balancer:5055/webhook ")
    assert len(shown) == 3


def test_warnings_that_differ_in_an_id_are_one(terminal: Terminal) -> None:
    """Else those of many conversations hide all others."""
    lines = (f"WARNING Hand-over {n}a4f5e6{n} of 5f0c{n}-11-22-ab" for n in range(5))
    ids = (f"WARNING of 52315{n}" for n in range(2))
    apart = ["ERROR code 404", "ERROR code 405", "ERROR port 50551", "ERROR port 50552"]
    more = [*ids, *apart, "CRITICAL it is down"]
    (terminal.folder / "lines").write_text("\n".join([*lines, *more]))
    shown, _ = terminal.type_in("compose", "errors actions")
    assert sorted(" ".join(each.split()) for each in shown) == [
        *("1 CRITICAL it is down", *(f"1 {each}" for each in apart)),
        *("2 WARNING of …", "5 WARNING Hand-over … of …"),
    ]


EVENTS = [
    # sender, minutes ago, action, data
    ("59", 59, "ps7_status", {"value": "tampered"}),
    ("30", 30, "ps7_status", {"value": "tampered"}),
    ("61", 61, "ps7_status", {"value": "tampered"}),
    ("another", 5, "ps7_status", {"value": "ok"}),
    ("elsewhere", 5, "ps7_context", {"value": "tampered"}),
    ("ana", 900, "cpf", {"value": "52998224725"}),
    ("ana", 100, "cpf", {"value": "52998224725"}),
    ("typed", 5, "slot", {"value": "52998224725"}),
    ("bruno", 5, "cpf", {"value": "11144477735"}),
    ("nobody", 5, "cpf", {"value": None}),
]


@pytest.mark.parametrize(
    ("typed", "found"), [("conversations tampered", ["30", "59"]), ("customer", ["ana"])]
)
def test_a_conversation_is_found(typed: str, found: list[str], terminal: Terminal) -> None:
    """Of the last hour, the newest first; or one customer's: in SQLite's words."""
    _, ([*_, call],) = terminal.type_in("compose", typed)
    sql, value = call[-1], [typed.partition(" ")[2]] * ("%s" in call[-1])
    for postgres, sqlite in (("%%", "%"), ("%s", "?"), ("::json", "")):
        sql = sql.replace(postgres, sqlite)
    now = time.time()
    sql = sql.replace("extract(EPOCH FROM now())", repr(now))
    rows = [(sender, now - 60 * ago, name, json.dumps(data)) for sender, ago, name, data in EVENTS]
    with closing(sqlite3.connect(":memory:")) as store:
        store.create_function("to_timestamp", 1, lambda seconds: seconds)
        store.execute("CREATE TABLE events (sender_id, timestamp, action_name, data)")
        store.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
        assert [row[0] for row in store.execute(sql, value)] == found


def test_a_conversation_is_saved_in_its_order(terminal: Terminal) -> None:
    """Into a file, with the slots that it had: `explain` reads it."""
    shown, ([*_, call],) = terminal.type_in("compose", "save SENDER_ID")
    assert "'events', json_agg(data::json ORDER BY id))" in call[-1]
    assert "FILTER (WHERE type_name = 'slot')" in call[-1]
    assert (shown, (terminal.folder / "tracker.json").exists()) == ([], True)


def test_a_program_in_a_container_waits_and_writes_as_much_as_it_takes() -> None:
    """Rasa's answer half a minute, all else five seconds; a full store takes no row of this size.

    It looks at the certificate and the name of both stores.
    """
    waits = re.findall(r"\w*timeout\W{1,3}(\d+)(?=[,)}])", runbook.ON_CALL)
    assert sorted(waits) == ["30", *["5"] * 5]
    for told in ('sslmode="verify-full"', '"ssl": True', "ex=1)", ".rollback()", ': "on-call", '):
        assert told in runbook.ON_CALL
    assert f"generate_series(1, {256 * 1024 // 32})" in runbook.ON_CALL
    assert f'"x" * {64 * 1024}' in runbook.ON_CALL
