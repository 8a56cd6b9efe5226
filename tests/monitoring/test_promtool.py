"""What needs Prometheus's promtool or its exporter: alerts, lines of the dashboard, and ports."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.demo import free_ports
from examples.monitoring.watched import FIRST_PORT
from tests.monitoring.test_rules import HERE
from tests.support.needs import lacking
from tests.support.processes import ROOT


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
    "file",
    [
        "rules_test.yml",
        "rules_days_test.yml",
        pytest.param("rules_weeks_test.yml", marks=pytest.mark.release),
    ],
)
def test_alerts_fire_and_end(file: str) -> None:
    """As the cases of the file write it, at the durations that are shipped."""
    promtool("test", "rules", file)


def record(folder: Path, every: str, series: dict[str, str], shown: list[dict[str, Any]]) -> None:
    """See what the rules record, evaluated once an hour."""
    case = {
        "interval": every,
        "input_series": [{"series": each, "values": series[each]} for each in series],
        "promql_expr_test": shown,
    }
    file = folder / "recorded_test.yml"
    rules = {"rule_files": [str(HERE / "rules.yml")], "evaluation_interval": "1h", "tests": [case]}
    file.write_text(json.dumps(rules), encoding="utf-8")
    promtool("test", "rules", str(file))


def test_usual_turns_are_the_middle_of_three_days(tmp_path: Path) -> None:
    """Yesterday's alone in the first week, the lower of two in the second: at noon of days 1 to 14.

    A day has as many turns each five minutes as stands here, from its first one on.
    """
    days = {0: 1, 1: 4, 6: 9, 7: 2, 8: 6}
    last, values = 0, []
    for day, end in zip(days, [*list(days)[1:], 15], strict=True):
        values.append(f"{last}+{days[day]}x{(end - day) * 288 - 1}")
        last += days[day] * (end - day) * 288
    sample = {"labels": 'ps7:turns:usual15m{job="ps7"}'}
    record(
        tmp_path,
        "5m",
        {'ps7_turns_total{job="ps7",instance="a"}': " ".join(values)},
        [
            {
                "expr": "ps7:turns:usual15m",
                "eval_time": f"{day * 24 + 12}h",
                "exp_samples": [sample | {"value": 3 * usual}],
            }
            for day, usual in {1: 1, 7: 1, 8: 2, 14: 2}.items()
        ],
    )


@pytest.mark.parametrize("second", ["1", "1.0"], ids=["Prometheus 2", "Prometheus 3"])
def test_slow_lookups_are_those_of_more_than_a_second(second: str, tmp_path: Path) -> None:
    """However Prometheus writes that bound."""
    name = "ps7_lookup_duration_seconds"
    series = {
        f'{name}_bucket{{job="ps7",le="{second}"}}': "0+3x240",
        f'{name}_bucket{{job="ps7",le="2"}}': "0+4x240",
        f'{name}_count{{job="ps7"}}': "0+4x240",
    }
    asked = [
        {
            "expr": each,
            "eval_time": "4h",
            "exp_samples": [{"labels": f'{each}{{job="ps7"}}', "value": 0.25}],
        }
        for each in ("ps7:lookups_slow:share6h", "ps7:lookups_slow:share3d")
    ]
    record(tmp_path, "1m", series, asked)


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


WORKER_STARTS = """
import types
from rasa_sdk.plugin import plugin_manager
def register_listener(act, when):
    if when == "before_server_start":
        act(app, None)
app = types.SimpleNamespace(register_listener=register_listener)
plugin_manager().hook.attach_sanic_app_extensions(app=app)
"""
RELOADED = "import metrics, importlib; importlib.reload(metrics)"
OWN = "import opentelemetry.metrics as a, opentelemetry.sdk.metrics as s; "
OWN += "a.set_meter_provider(s.MeterProvider())"
SEEN = "import prometheus_client as p; "
SEEN += "p.start_http_server = lambda *it: logging.getLogger('metrics').info('Served: %s', it)"
NOT_SERVED = "WARNING:metrics:Metrics of this worker are not served: "


@pytest.mark.parametrize(
    ("workers", "before", "said"),
    [
        ("2", RELOADED, "INFO:metrics:Metrics of this worker: http://localhost:{}/metrics"),
        ("1", "", f"{NOT_SERVED}no port of localhost is free"),
        ("2", OWN, f"{NOT_SERVED}the process has a provider already"),
        ("", SEEN, f"INFO:metrics:Served: ({FIRST_PORT}, 'localhost')"),
    ],
    ids=["the next port", "no port is left", "a provider of the bot's own", "default"],
)
def test_a_worker_serves_its_metrics_or_does_without(workers: str, before: str, said: str) -> None:
    """Another worker has the first port. Without metrics an action server still works.

    It serves them once it is a worker, which the SDK says.
    """
    log = "import logging; logging.basicConfig(level='INFO')"
    code = f"{log}; {before}\nimport metrics\n{WORKER_STARTS}"
    first = free_ports(2)
    told = {"OTEL_EXPORTER_PROMETHEUS_PORT": f"{first}", "ACTION_SERVER_SANIC_WORKERS": workers}
    with socket.create_server(("localhost", first)):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            cwd=HERE,
            env={**(told if workers else {}), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert said.format(first + 1) in ran.stderr
