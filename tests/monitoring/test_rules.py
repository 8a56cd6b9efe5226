"""examples/monitoring as files: rules against the code and the pages, and tests of their own."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.ps7 import Reason
from actions.ps7.api import telemetry
from actions.ps7.dialogue import counters
from examples.demo import free_ports
from tests.docs.documents import code_words, document
from tests.docs.test_documents import SETTINGS
from tests.docs.test_tables import OPERATIONS, OUTCOMES
from tests.support.pins import pinned
from tests.support.processes import ROOT

HERE = ROOT / "examples" / "monitoring"
load = YAML(typ="safe").load
PROMTOOL_TESTS = sorted(HERE.glob("*_test.yml"))
(GROUP,) = load(HERE / "rules.yml")["groups"]
RECORDED = [rule["record"] for rule in GROUP["rules"] if "record" in rule]
ALERTS = [rule for rule in GROUP["rules"] if "alert" in rule]
NAMES = {rule["alert"] for rule in ALERTS}
COUNTERS = {
    "ps7_turns_total": counters._turns,
    "ps7_question_total": telemetry._questions,
    "ps7_arrivals_refused_total": counters.arrivals_refused,
    "ps7_slots_restored_total": counters.slots_restored,
    "ps7_seals_refused_total": counters.seals_refused,
}
"""What is there at 0 from a worker's start, under its name in Prometheus."""
OTHERS = {
    *("ps7_lookup_duration_seconds_count", "ps7_lookup_duration_seconds_bucket"),
    "ps7_certificate_expiry_seconds",
}
RUNBOOKS = {
    "docs/runbook.md": ("*For customers*: ", "*Look at* ", "\n1. ", "\n*Over when* "),
    "docs/runbook.pt-BR.md": ("*Para os clientes*: ", "*Veja* ", "\n1. ", "\n*Acaba quando* "),
}
PRINTED = {"PS7 takes the credentials"}
"""By `rasa-ps7`."""
OF_OTHERS = {*PRINTED, "metadata: none", "metadata: brought", "OOMKilled", "explain", "docker ps"}
"""What else is in code type in a section of the runbook."""


def test_what_alerts_read_is_there_at_0() -> None:
    """Each set of labels of a counter: those that are selected, and all that there can be."""
    for rule in GROUP["rules"]:
        for name, labels in re.findall(r"\b(ps7_\w+)(?:\{(.*?)\})?", rule["expr"]):
            if name not in COUNTERS:
                assert name in OTHERS
                continue
            known = [dict(key) for key in COUNTERS[name].known]
            for label, values in re.findall(r'(\w+)!?=~?"(.+?)"', labels):
                assert {*values.split("|")} <= {each.get(label) for each in known}, labels


def test_every_alert_is_in_the_table_and_every_row_is_an_alert() -> None:
    """With its cause, whom it wakes, and who looks first."""
    rows = OPERATIONS.table("alert", "cause", "fires when", "severity", "team").rows
    said = sorted((name, cause, *who) for name, cause, _, *who in rows)
    assert said == sorted(
        (f"`{rule['alert']}`", f"`{cause}`" if cause else "", who["severity"], who["team"])
        for rule in ALERTS
        for who in (rule["labels"],)
        for cause in (who.get("cause", ""),)
    )


def test_every_alert_leads_to_its_section_of_the_runbook() -> None:
    """Which has all parts, in both languages."""
    for rule in ALERTS:
        link = f"https://git.example.com/rasa-ps7/blob/main/docs/runbook.md#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"], rule
        assert rule["annotations"]["runbook_url"] == link
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
    for page, parts in RUNBOOKS.items():
        assert {*sections(page)} == NAMES, page
        for heading, text in sections(page).items():
            assert [part for part in parts if part not in text] == [], heading


def test_the_runbook_names_only_what_there_is() -> None:
    """Panels, reasons, outcomes, settings, log lines and commands.

    The Portuguese page has the same ones: see tests/docs.
    """
    board = json.loads((HERE / "dashboard.json").read_text(encoding="utf-8"))
    panels = {panel["title"] for panel in board["panels"]}
    known = {*OUTCOMES, *(reason.value for reason in Reason), *SETTINGS, *OF_OTHERS}
    known |= {*re.findall(r"OTEL_\w+", (HERE / "metrics.py").read_text(encoding="utf-8"))}
    known |= {cause for rule in ALERTS if (cause := rule["labels"].get("cause"))}
    known |= {"ps7", "client"}  # certificates
    commands = ("rasa-ps7 ", "kubectl -n assistant ")
    lines = (*OPERATIONS.named("the line begins with", "means"), *commands)
    for heading, text in sections("docs/runbook.md").items():
        assert {*bold(text)} <= panels, heading
        said = {word for word in code_words(text) if not word.startswith(lines)}
        assert said - known == set(), heading
    sources = [path.read_text("utf-8") for path in (ROOT / "actions/ps7/cli").rglob("*.py")]
    assert [words for words in PRINTED if not any(words in text for text in sources)] == []


def sections(page: str) -> dict[str, str]:
    """Read the sections of alerts, by name."""
    found = re.findall(r"^## (PS7\w+)\n((?:(?!## ).*\n?)*)", document(page).text, re.MULTILINE)
    return dict(found)


def bold(text: str) -> list[str]:
    """Read what is set in bold."""
    return re.findall(r"\*\*(.+?)\*\*", " ".join(text.split()))


def test_every_alert_fires_in_a_test_of_promtool() -> None:
    """With each severity that it has, and no other is named there."""
    tested = {
        tuple(re.findall(r'="(\w+)"', sample["labels"]))
        for path in PROMTOOL_TESTS
        for group in load(path)["tests"]
        for each in group["promql_expr_test"]
        for sample in each["exp_samples"]
    }
    assert tested == {(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS}


@pytest.mark.parametrize(
    "command",
    [["check", "config", "prometheus.yml"], *(["test", "rules", p.name] for p in PROMTOOL_TESTS)],
    ids=lambda command: command[-1],
)
def test_promtool_is_content(command: list[str]) -> None:
    """Alerts fire and end, at the durations that are shipped."""
    promtool = shutil.which("promtool")
    if promtool is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Debian's prometheus")
    ran = subprocess.run(
        [promtool, *command], cwd=HERE, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def served(code: str, **variables: str) -> tuple[str, str]:
    """Run a few lines beside metrics.py; return what they print and what they log."""
    variables = {"OTEL_EXPORTER_PROMETHEUS_PORT": f"{free_ports(2)}"} | variables
    code = f"import logging; logging.basicConfig(level='INFO'); {code}"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=HERE,
        env={**variables, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout, ran.stderr


def test_a_worker_that_has_done_nothing_shows_what_alerts_read() -> None:
    """Every counter with all of its series at 0, under the names that the rules have."""
    shown, _ = served(
        "import metrics, prometheus_client; from actions.ps7.api import telemetry; metrics.serve();"
        "telemetry.certificate_ends['ps7'] = 2e9;"
        "print(prometheus_client.generate_latest().decode())"
    )
    series = dict(re.findall(r"^(\w+\{.*?\}) ([\d.e+]+)$", shown, re.MULTILINE))
    names = [name.partition("{")[0] for name in series]
    for name, counter in COUNTERS.items():
        assert names.count(name) == len(counter.known)
    assert {value for name, value in series.items() if name.startswith(tuple(COUNTERS))} == {"0.0"}
    (ends,) = (name for name in series if 'certificate="ps7"' in name)
    assert ends.startswith("ps7_certificate_expiry_seconds{")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_takes_the_next_port_and_does_without_where_none_is_left(workers: int) -> None:
    """Another worker has the first one; an action server without metrics still serves customers."""
    first = free_ports(2)
    with socket.create_server(("localhost", first)):
        _, logged = served(
            "import metrics; metrics.serve()",
            OTEL_EXPORTER_PROMETHEUS_PORT=f"{first}",
            ACTION_SERVER_SANIC_WORKERS=f"{workers}",
        )
    said = {1: "WARNING:metrics:Metrics of this worker are not served", 2: f":{first + 1}/metrics"}
    assert said[workers] in logged


OWN = "import opentelemetry.metrics as a, opentelemetry.sdk.metrics as s; "
OWN += "a.set_meter_provider(s.MeterProvider())"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("import metrics, importlib; importlib.reload(metrics)", "INFO:metrics:Metrics of this"),
        (OWN, "WARNING:metrics:Metrics of this worker are not served: the process has a provider"),
    ],
)
def test_a_module_that_is_reloaded_and_a_provider_of_the_bots_own(before: str, said: str) -> None:
    """The first is no second plugin; of the second, Prometheus would see nothing."""
    _, logged = served(f"{before}; import metrics as m; m.serve()")
    assert said in logged


def test_the_dashboard_is_what_its_script_makes() -> None:
    """Running the script makes it anew."""
    pytest.importorskip("grafana_foundation_sdk", reason="it needs Python 3.11")
    script: dict[str, Any] = runpy.run_path(str(HERE / "dashboard.py"))
    assert script["FILE"].read_text(encoding="utf-8") == script["made"]()


def test_what_the_example_pins_is_what_is_tested_here() -> None:
    """The exporter is a beta, made for one version of OpenTelemetry."""
    own, tested = pinned("examples/monitoring/requirements.txt"), pinned("requirements/dev.txt")
    assert own.items() <= tested.items()
    assert f"`opentelemetry-exporter-prometheus=={own['opentelemetry-exporter-prometheus']}`" in (
        document("examples/monitoring/README.md").text
    )
