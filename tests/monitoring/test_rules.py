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
    quick = os.environ | {"GOGC": "400"}  # a quarter less time, with some more memory
    ran = subprocess.run(
        [program, *command], cwd=HERE, env=quick, capture_output=True, text=True, check=False
    )
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


WORKER_STARTS = """
import types
from rasa_sdk.plugin import plugin_manager
def register_listener(act, when):
    if when == "before_server_start":
        act(app, None)
app = types.SimpleNamespace(register_listener=register_listener)
plugin_manager().hook.attach_sanic_app_extensions(app=app)
"""
OWN = "import opentelemetry.metrics as a, opentelemetry.sdk.metrics as s; "
OWN += "a.set_meter_provider(s.MeterProvider())"
SEEN = "import prometheus_client as p; "
SEEN += "p.start_http_server = lambda *it: logging.getLogger('metrics').info('Served: %s', it)"
NOT_SERVED = "WARNING:metrics:Metrics of this worker are not served: "


@pytest.mark.parametrize(
    ("workers", "before", "said"),
    [
        ("2", "", "INFO:metrics:Metrics of this worker: http://localhost:{}/metrics"),
        ("2", "import metrics, importlib; importlib.reload(metrics)", "INFO:metrics:Metrics of"),
        ("1", "", f"{NOT_SERVED}no port of localhost is free"),
        ("2", OWN, f"{NOT_SERVED}the process has a provider already"),
        ("", SEEN, f"INFO:metrics:Served: ({FIRST_PORT}, 'localhost')"),
    ],
    ids=["the next port", "reloaded", "no port is left", "a provider of the bot's own", "default"],
)
def test_a_worker_serves_its_metrics_or_does_without(workers: str, before: str, said: str) -> None:
    """Another worker has the first port. Without metrics an action server still works.

    It serves them once it is a worker, which the SDK says.
    """
    log = "import logging; logging.basicConfig(level='INFO')"
    code = f"{log}; {before}\nimport metrics\n{WORKER_STARTS}"
    first = free_ports(2)
    told = {"OTEL_EXPORTER_PROMETHEUS_PORT": f"{first}", "ACTION_SERVER_SANIC_WORKERS": workers}
    told = told if workers else {}
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


TURNS = 'ps7_turns_total{action="action_ps7_context"'
PROBES = 'ps7_probe_total{outcome="denied"'
SECONDS = "ps7_lookup_duration_seconds"
# Of 100 lookups a second that PS7 got, 50 took one second at most, and 99 four.
TIMES = {"1": 3000, "2": 5400, "4": 5940, "+Inf": 6000, '1",reason="circuit_open': 60_000}
QUANTILES = "; ".join(f'{SECONDS}_bucket{{le="{le}"}} 0+{each}' for le, each in TIMES.items())
SHOWN: dict[str, tuple[float, str]] = {
    "Alertas disparados": (1, 'ALERTS{alertstate="firing"} 1'),
    "Clientes identificados, três dias": (0.999, "ps7:turns_unknown:share3d{} 0.001"),
    "Consultas em até um segundo, três dias": (0.99, "ps7:lookups_slow:share3d{} 0.01"),
    "Servidores medidos": (1, 'ps7_turns_total{instance="a"} 7'),
    "Turnos por status": (2, f'{TURNS},status="missing"}} 0+120'),
    "Clientes identificados, por origem": (2, f'{TURNS},status="ok",source="held"}} 0+120'),
    "Turnos sem contextId": (7, 'ps7:turns:share1h{status="missing",metadata="brought"} 7'),
    "Turnos que terminam invalid, rejected ou expired": (
        7,
        'ps7:turns:share1h{status="invalid"} 7',
    ),
    "Consultas por resultado": (2, f'{SECONDS}_count{{outcome="ok"}} 0+120'),
    "Consultas que falharam, por motivo": (2, f'{SECONDS}_count{{reason="forbidden"}} 0+120'),
    "mediana": (1, QUANTILES),
    "p99": (4, QUANTILES),
    "em andamento": (7, "ps7_connections_in_use{} 7"),
    "à espera": (7, "ps7_connections_waiting{} 7"),
    "novas tentativas por segundo": (2, "ps7_lookup_retries_total{} 0+120"),
    "Circuitos abertos": (1, 'ps7_breaker_open{instance="a"} 1'),
    "Sondas que falharam, por motivo": (600, f'{PROBES},reason="forbidden"}} 0+120'),
    "Chegadas recusadas": (600, 'ps7_arrivals_refused_total{reason="arrival_time"} 0+120'),
    "selos recusados": (600, "ps7_seals_refused_total{} 0+120"),
    "slots restaurados": (600, "ps7_slots_restored_total{} 0+120"),
    "Memória": (7, 'process_resident_memory_bytes{instance="a"} 7'),
    "Processador": (2, 'process_cpu_seconds_total{instance="a"} 0+120'),
    "Reinícios, uma hora": (9, 'process_start_time_seconds{instance="a"} 0+1'),
    "Dias até o fim de um certificado": (2, 'ps7:certificate:left{certificate="client"} 172800'),
    "Chaves do selo, por digest": (1, 'ps7_seal_keys{digest="of-a-key"} 7'),
}
"""What each line of the dashboard shows, if in ten minutes there is this and nothing else.

A line has the name of its panel, or its own where the panel has several.
"""


def test_a_line_of_the_dashboard_shows_what_it_is_called(tmp_path: Path) -> None:
    """And not another metric, quantile or share, such as the one that the rules record."""
    board = json.loads((HERE / "dashboard.json").read_text(encoding="utf-8"))
    lines = {
        target["legendFormat"] if len(panel["targets"]) > 1 else panel["title"]: target
        for panel in board["panels"]
        for target in panel.get("targets", ())
    }
    assert lines.keys() == SHOWN.keys()
    cases = []
    for name, (value, there) in SHOWN.items():
        query = lines[name]["expr"].replace("$job", "ps7").replace("$__rate_interval", "5m")
        label = "".join(re.findall(r"{{(\w+)}}", lines[name]["legendFormat"]))
        labels = "".join(re.findall(rf'\b{label}="[\w-]+"', there)) if label else ""
        series = [
            {"series": metric.replace("{", '{job="ps7",'), "values": f"{values}x9"}
            for metric, values in map(str.split, there.split("; "))
        ]
        asked = {
            "expr": f"sum by ({label}) ({query})",
            "eval_time": "9m",
            "exp_samples": [{"labels": f"{{{labels}}}", "value": value}],
        }
        cases.append({"interval": "1m", "input_series": series, "promql_expr_test": [asked]})
    file = tmp_path / "lines_test.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": cases}), encoding="utf-8")
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
