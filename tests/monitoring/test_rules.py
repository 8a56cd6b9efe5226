"""examples/monitoring as files: rules against the code and the pages, and tests of their own."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.ps7 import telemetry
from actions.ps7.telemetry import CounterFromZero
from examples.demo import free_ports
from examples.monitoring.watched import FIRST_PORT
from tests.docs.documents import code_words, document
from tests.docs.test_tables import METRICS, OPERATIONS
from tests.support.needs import lacking
from tests.support.pins import pinned
from tests.support.processes import ROOT

HERE = ROOT / "examples" / "monitoring"
load = YAML(typ="safe").load
CASES: list[tuple[str, dict[str, Any]]] = [
    (path.name, case) for path in sorted(HERE.glob("*_test.yml")) for case in load(path)["tests"]
]
"""The tests of promtool, each with its file."""
(GROUP,) = load(HERE / "rules.yml")["groups"]
RECORDED = [rule["record"] for rule in GROUP["rules"] if "record" in rule]
ALERTS = [rule for rule in GROUP["rules"] if "alert" in rule]
LABELS = {
    rule["labels"][key] for rule in ALERTS for key in ("cause", "team") if key in rule["labels"]
}
LABELS -= {"operations"}
"""What tells alerts of one name apart, and who looks first."""
COUNTERS = {
    f"{each.name.replace('.', '_')}_total": each
    for module in (telemetry,)
    for each in vars(module).values()
    if isinstance(each, CounterFromZero)
}
"""What is there at 0 from a worker's start, under its name in Prometheus."""


def test_what_alerts_read_is_there_at_0() -> None:
    """Each set of labels of a counter: those that are selected, and all that there can be."""
    metrics = [each.replace(".", "_") for each in METRICS]
    for rule in GROUP["rules"]:
        for name, labels in re.findall(r"\b(ps7_\w+)(?:\{(.*?)\})?", rule["expr"]):
            if name not in COUNTERS:
                assert name.startswith(tuple(metrics))
                continue
            known = [{"job": "ps7", **dict(key)} for key in COUNTERS[name].known]
            for label, values in re.findall(r'(\w+)!?=~?"(.+?)"', labels):
                assert {*values.split("|")} <= {each.get(label) for each in known}, labels


def test_every_alert_is_in_the_table_and_every_row_is_an_alert() -> None:
    """With its causes, whom it wakes, and who looks first unless it is operations."""
    rows = OPERATIONS.table("alert", "page", "ticket").rows
    assert len(rows) == len({name for name, *_ in rows})
    said = {
        (name.strip("`"), severity): {*code_words(cell)} & LABELS
        for name, *cells in rows
        for severity, cell in zip(("page", "ticket"), cells, strict=True)
        if cell
    }
    fires: dict[tuple[str, str], set[str]] = {}
    for rule in ALERTS:
        who = rule["labels"]
        labels = {who.get("cause", ""), who["team"]} & LABELS
        fires.setdefault((rule["alert"], who["severity"]), set()).update(labels)
    assert said == fires


def test_every_alert_leads_to_its_section_of_the_runbook() -> None:
    """Which is in Portuguese, as they are. No on-call learns over twelve names."""
    names = {rule["alert"] for rule in ALERTS}
    assert len(names) <= 12
    folder = "https://git.example.com/rasa-ps7/blob/main/docs"
    for rule in ALERTS:
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, rule
        link = f"{folder}/runbook.pt-BR.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == link
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
    headings = document("docs/runbook.pt-BR.md").headings
    assert {each for each in headings if each.startswith("PS7")} == names


def test_every_alert_fires_in_a_test_of_promtool() -> None:
    """With each cause and severity that it has, and no other is named there."""
    tested = {
        tuple(re.findall(r'="(\w+)"', sample["labels"]))
        for _, case in CASES
        for each in case["promql_expr_test"]
        for sample in each["exp_samples"]
    }
    named = (({"alert": rule["alert"], **rule["labels"]}) for rule in ALERTS)
    order = ("alert", "cause", "severity")
    assert tested == {tuple(each[key] for key in order if key in each) for each in named}


def promtool(*command: str) -> str:
    """Return what promtool says if nothing is wrong."""
    program = shutil.which("promtool")
    if program is None:
        lacking("Prometheus", "apt-get install prometheus")
    ran = subprocess.run([program, *command], cwd=HERE, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize(
    ("file", "case"),
    [
        pytest.param(
            file, case, id=case["name"], marks=[pytest.mark.release] if "weeks" in file else []
        )
        for file, case in CASES
    ],
)
def test_an_alert_fires_and_ends(file: str, case: dict[str, Any]) -> None:
    """As the case writes it, at the durations that are shipped."""
    promtool("test", "rules", "--run", f"^{re.escape(case['name'])}$", file)


def test_prometheus_takes_its_settings() -> None:
    """And with them each rule. They name the one worker that a container has."""
    (job,) = load(HERE / "prometheus.yml")["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"localhost:{FIRST_PORT}"]}]
    assert f"{len(GROUP['rules'])} rules found" in promtool("check", "config", "prometheus.yml")


OWN = "import opentelemetry.metrics as a, opentelemetry.sdk.metrics as s; "
OWN += "a.set_meter_provider(s.MeterProvider())"
NOT_SERVED = "WARNING:metrics:Metrics of this worker are not served: "


@pytest.mark.parametrize(
    ("workers", "before", "said"),
    [
        ("2", "", "INFO:metrics:Metrics of this worker: http://localhost:{}/metrics"),
        ("2", "import metrics, importlib; importlib.reload(metrics)", "INFO:metrics:Metrics of"),
        ("1", "", f"{NOT_SERVED}no port of localhost is free"),
        ("2", OWN, f"{NOT_SERVED}the process has a provider already"),
    ],
    ids=["the next port", "reloaded", "no port is left", "a provider of the bot's own"],
)
def test_a_worker_serves_its_metrics_or_does_without(workers: str, before: str, said: str) -> None:
    """Another worker has the first port. Without metrics an action server still works."""
    log = "import logging; logging.basicConfig(level='INFO')"
    code = f"{log}; {before}\nimport metrics as m; m.serve()"
    first = free_ports(2)
    told = {"OTEL_EXPORTER_PROMETHEUS_PORT": f"{first}", "ACTION_SERVER_SANIC_WORKERS": workers}
    with socket.create_server(("localhost", first)):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            cwd=HERE,
            env={**told, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert said.format(first + 1) in ran.stderr


@pytest.mark.parametrize(
    ("title", "recorded"),
    [
        ("Clientes identificados, três dias", "ps7:turns_unknown:share3d"),
        ("Consultas em até um segundo, três dias", "ps7:lookups_slow:share3d"),
    ],
    ids=["known", "quick"],
)
def test_a_figure_of_the_dashboard_shows_how_many_were_served(
    tmp_path: Path, title: str, recorded: str
) -> None:
    """And not how many were not, which is what the rules record."""
    board = json.loads((HERE / "dashboard.json").read_text(encoding="utf-8"))
    (panel,) = (each for each in board["panels"] if each["title"] == title)
    (target,) = panel["targets"]
    asked = {
        "expr": target["expr"].replace("$job", "ps7"),
        "eval_time": "1m",
        "exp_samples": [{"labels": '{job="ps7"}', "value": 0.999}],
    }
    series = {"series": f'{recorded}{{job="ps7"}}', "values": "0.001 0.001"}
    case = {"interval": "1m", "input_series": [series], "promql_expr_test": [asked]}
    file = tmp_path / "figure_test.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": [case]}), encoding="utf-8")
    promtool("test", "rules", str(file))


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
