"""What needs Prometheus's promtool or its exporter: alerts, lines of the dashboard, and ports."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from examples.demo import free_ports
from examples.monitoring.watched import FIRST_PORT
from tests.monitoring.test_rules import HERE
from tests.support.needs import lacking
from tests.support.processes import ROOT, printed, run

pytestmark = pytest.mark.slow


def promtool(*command: str) -> str:
    """Return what promtool says if nothing is wrong."""
    program = shutil.which("promtool")
    if program is None:
        lacking("Prometheus", "apt-get install prometheus")
    quick = os.environ | {"GOGC": "400"}  # a quarter less time, with some more memory
    return printed(program, *command, cwd=HERE, variables=quick)


@pytest.mark.parametrize(
    "file",
    [
        "rules_test.yml",
        "rules_days_test.yml",
        pytest.param("rules_weeks_test.yml", marks=(pytest.mark.release, pytest.mark.timeout(600))),
    ],
)
def test_alerts_fire_and_end(file: str) -> None:
    """As the cases of the file write it, at the durations that are shipped."""
    promtool("test", "rules", file)


def evaluate(folder: Path, cases: list[dict[str, Any]], **rules: object) -> None:
    """See that promtool finds what each case says."""
    file = folder / "made_test.yml"
    file.write_text(json.dumps({"tests": cases, **rules}), encoding="utf-8")
    promtool("test", "rules", str(file))


def case(every: str, series: dict[str, str], *asked: tuple[str, str, str, float]) -> dict[str, Any]:
    """Write a case: samples of series, and what is asked: when, and the labels and the value."""
    return {
        "interval": every,
        "input_series": [{"series": each, "values": series[each]} for each in series],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": at,
                "exp_samples": [{"labels": labels, "value": value}],
            }
            for query, at, labels, value in asked
        ],
    }


RECORDED: dict[str, Any] = {
    "rule_files": [str(HERE / "rules.yml")],
    "evaluation_interval": "1h",
}


def test_usual_turns_are_the_middle_of_three_days(tmp_path: Path) -> None:
    """Yesterday's alone in the first week, the lower of two in the second: at noon of days 1 to 14.

    A day has as many turns each five minutes as stands here, from its first one on.
    """
    days = {0: 1, 1: 4, 6: 9, 7: 2, 8: 6}
    last, values = 0, []
    for day, end in zip(days, [*list(days)[1:], 15], strict=True):
        values.append(f"{last}+{days[day]}x{(end - day) * 288 - 1}")
        last += days[day] * (end - day) * 288
    series = {'ps7_turns_total{job="ps7",instance="a"}': " ".join(values)}
    name = "ps7:turns:usual15m"
    usual = {1: 1, 7: 1, 8: 2, 14: 2}
    asked = ((name, f"{day * 24 + 12}h", f'{name}{{job="ps7"}}', 3 * usual[day]) for day in usual)
    evaluate(tmp_path, [case("5m", series, *asked)], **RECORDED)


@pytest.mark.parametrize("second", ["1", "1.0"], ids=["Prometheus 2", "Prometheus 3"])
def test_slow_lookups_are_those_of_more_than_a_second(second: str, tmp_path: Path) -> None:
    """However Prometheus writes that bound. What an open circuit ends is no lookup of PS7."""
    series = {
        f'{SECONDS}_bucket{{job="ps7",le="{second}"}}': "0+3x240",
        f'{SECONDS}_bucket{{job="ps7",le="2"}}': "0+4x240",
        f'{SECONDS}_bucket{{job="ps7",le="{second}",reason="circuit_open"}}': "0+9x240",
        f'{SECONDS}_count{{job="ps7"}}': "0+4x240",
        f'{SECONDS}_count{{job="ps7",reason="circuit_open"}}': "0+9x240",
    }
    names = ("ps7:lookups_slow:share6h", "ps7:lookups_slow:share3d")
    asked = ((name, "4h", f'{name}{{job="ps7"}}', 0.25) for name in names)
    evaluate(tmp_path, [case("1m", series, *asked)], **RECORDED)


TURNS = 'ps7_turns_total{action="action_session_start"'
PROBES = 'ps7_probe_total{outcome="denied"'
SECONDS = "ps7_lookup_duration_seconds"
# Of 100 lookups a second that PS7 got, 50 took one second at most, and 99 four.
TIMES = {"1": 3000, "2": 5400, "4": 5940, "+Inf": 6000, '1",reason="circuit_open': 60_000}
QUANTILES = "; ".join(f'{SECONDS}_bucket{{le="{le}"}} 0+{each}' for le, each in TIMES.items())
SHOWN: dict[str, tuple[float, str]] = {
    "Alertas disparados": (1, 'ALERTS{alertstate="firing"} 1'),
    "Clientes identificados agora": (
        0.75,
        'ps7:arrivals:increase5m{status="ok"} 3; ps7:arrivals:increase5m{status="invalid"} 1',
    ),
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
    "Dias até o fim de um certificado": (
        5,
        (
            'ps7:certificate:left{certificate="a"} 172800; '
            'ps7:certificate:left{job="ps7-certificate",certificate="a"} 259200'
        ),
    ),
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
        labels = "".join({*re.findall(rf'\b{label}="[\w-]+"', there)}) if label else ""
        series = {
            metric if "job=" in metric else metric.replace("{", '{job="ps7",'): f"{values}x9"
            for metric, values in map(str.split, there.split("; "))
        }
        cases.append(
            case("1m", series, (f"sum by ({label}) ({query})", "9m", f"{{{labels}}}", value))
        )
    evaluate(tmp_path, cases, rule_files=[])


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
        told = {**(told if workers else {}), "PYTHONPATH": str(ROOT)}
        ran = run(sys.executable, "-c", code, cwd=HERE, variables=told)
    assert ran.returncode == 0, ran.stderr
    assert said.format(first + 1) in ran.stderr
