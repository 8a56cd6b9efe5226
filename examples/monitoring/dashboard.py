"""Makes dashboard.json, for Grafana 11: `python examples/monitoring/dashboard.py`.

Its words are Portuguese, as those of the alerts and of the runbook to which they lead.
The file is what a team imports; a change is made here. Tests hold that it is what this makes, and
ask a real Prometheus every query of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import ascii_uppercase
from typing import NamedTuple, TypeVar

from grafana_foundation_sdk.builders import common, prometheus, stat, timeseries
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

FILE = Path(__file__).with_name("dashboard.json")
SOURCE = DataSourceRef("prometheus", "${datasource}")
WIDTH = 24
"""Columns of Grafana's grid."""
P = TypeVar("P", stat.Panel, timeseries.Panel)


class Panel(NamedTuple):
    """One panel: each of its queries under the name of the lines that it gives."""

    title: str
    unit: str
    queries: dict[str, str]
    about: str = ""
    stacked: bool = False


FIGURES = [
    Panel(
        "Alertas disparados",
        "none",
        {"alerts": 'count(ALERTS{job="$job",alertstate="firing"}) or vector(0)'},
        "O runbook (docs/runbook.pt-BR.md) diz o que fazer.",
    ),
    Panel(
        "Clientes identificados agora",
        "percentunit",
        {
            "agora": 'sum(ps7:arrivals:increase5m{job="$job",status="ok"})'
            ' / (sum(ps7:arrivals:increase5m{job="$job"}) > 0)'
        },
        "Dos que chegaram nos últimos cinco minutos, com um contextId. Vazio: ninguém chegou.",
    ),
    Panel(
        "Clientes identificados, três dias",
        "percentunit",
        {"identificados": '1 - ps7:turns_unknown:share3d{job="$job"}'},
        "Parcela dos turnos com um cliente a identificar. A meta é 99,9%.",
    ),
    Panel(
        "Consultas em até um segundo, três dias",
        "percentunit",
        {"rápidas": '1 - ps7:lookups_slow:share3d{job="$job"}'},
        "A meta é 99%.",
    ),
    Panel(
        "Servidores medidos",
        "none",
        {"servidores": 'count(count by (instance) (ps7_turns_total{job="$job"}))'},
    ),
]
ROWS = {
    "Clientes": [
        Panel(
            "Turnos por status",
            "reqps",
            {
                "{{status}}": "sum by (status) (rate(ps7_turns_total"
                '{job="$job",action=~"action_ps7_context|action_session_start"}[$__rate_interval]))'
            },
            "O que ps7_status diz depois da consulta, a cada turno ou no início da sessão.",
            stacked=True,
        ),
        Panel(
            "Clientes identificados, por origem",
            "reqps",
            {
                "{{source}}": "sum by (source) (rate(ps7_turns_total"
                '{job="$job",action=~"action_ps7_context|action_session_start",status="ok"}'
                "[$__rate_interval]))"
            },
            "looked_up: consultou o PS7 nesse turno. held: já estava identificado.",
            stacked=True,
        ),
        Panel(
            "Turnos sem contextId",
            "percentunit",
            {
                "metadata: {{metadata}}": "ps7:turns:share1h"
                '{job="$job",status="missing",metadata!=""}'
            },
            "brought: o canal envia metadata, mas o contextId tem outro nome.",
        ),
        Panel(
            "Turnos que terminam invalid, rejected ou expired",
            "percentunit",
            {"{{status}}": 'ps7:turns:share1h{job="$job",status=~"invalid|rejected|expired"}'},
        ),
    ],
    "PS7": [
        Panel(
            "Consultas por resultado",
            "reqps",
            {
                "{{outcome}}": "sum by (outcome) (rate(ps7_lookup_duration_seconds_count"
                '{job="$job"}[$__rate_interval]))'
            },
            stacked=True,
        ),
        Panel(
            "Consultas que falharam, por motivo",
            "reqps",
            {
                "{{reason}}": "sum by (reason) (rate(ps7_lookup_duration_seconds_count"
                '{job="$job",outcome!="ok"}[$__rate_interval]))'
            },
            "docs/operations.md explica cada motivo.",
            stacked=True,
        ),
        Panel(
            "Quanto demora uma consulta",
            "s",
            {
                "mediana": "histogram_quantile(0.5, sum by (le) (rate("
                'ps7_lookup_duration_seconds_bucket{job="$job",reason!="circuit_open"}'
                "[$__rate_interval])))",
                "p99": "histogram_quantile(0.99, sum by (le) (rate("
                'ps7_lookup_duration_seconds_bucket{job="$job",reason!="circuit_open"}'
                "[$__rate_interval])))",
            },
            "Não inclui as que o circuito aberto recusou.",
        ),
        Panel(
            "Requisições em andamento ou à espera, e novas tentativas",
            "none",
            {
                "em andamento": 'sum(ps7_connections_in_use{job="$job"})',
                "à espera": 'sum(ps7_connections_waiting{job="$job"}) or vector(0)',
                "novas tentativas por segundo": "sum(rate(ps7_lookup_retries_total"
                '{job="$job"}[$__rate_interval]))',
            },
            "Sem lugar a tempo (PS7_MAX_CONNECTIONS), a consulta termina como busy.",
        ),
        Panel("Circuitos abertos", "none", {"{{instance}}": 'ps7_breaker_open{job="$job"}'}),
        Panel(
            "Sondas que falharam, por motivo",
            "none",
            {
                "{{reason}}": "sum by (reason) (increase(ps7_probe_total"
                '{job="$job",outcome=~"denied|unavailable"}[$__rate_interval])) > 0'
            },
            "As sondas são do próprio circuit breaker e não dependem do que um cliente trouxe.",
        ),
    ],
    "Ataques, e o que outros escreveram": [
        Panel(
            "Chegadas recusadas",
            "none",
            {
                "{{reason}}": "sum by (reason) (increase(ps7_arrivals_refused_total"
                '{job="$job"}[$__rate_interval]))'
            },
        ),
        Panel(
            "Selos recusados, e slots restaurados",
            "none",
            {
                "selos recusados": "sum(increase(ps7_seals_refused_total"
                '{job="$job"}[$__rate_interval]))',
                "slots restaurados": "sum(increase(ps7_slots_restored_total"
                '{job="$job"}[$__rate_interval]))',
            },
        ),
    ],
    "Servidores": [
        Panel("Memória", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="$job"}'}),
        Panel(
            "Processador",
            "percentunit",
            {"{{instance}}": 'rate(process_cpu_seconds_total{job="$job"}[$__rate_interval])'},
        ),
        Panel(
            "Reinícios, uma hora",
            "none",
            {"{{instance}}": 'changes(process_start_time_seconds{job="$job"}[1h])'},
        ),
        Panel(
            "Dias até o fim de um certificado",
            "none",
            {"{{certificate}}": 'ps7:certificate:left{job=~"$job|ps7-.+"} / 86400'},
            "client: PS7_CLIENT_CERT, depois da primeira consulta. server: o do PS7.",
        ),
        Panel(
            "Chaves do selo, por digest",
            "none",
            {"{{digest}}": 'count by (digest) (ps7_seal_keys{job="$job"})'},
            "Servidores com o mesmo digest abrem os selos uns dos outros: deve haver um só.",
            stacked=True,
        ),
    ],
}


def made() -> str:
    """Return the dashboard as Grafana imports it."""
    board = (
        Dashboard("PS7 no bot")
        .uid("rasa-ps7")
        .tags(["rasa", "ps7"])
        .time("now-6h", "now")
        .refresh("1m")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(
            QueryVariable("job")
            .label("Bot")
            .datasource(SOURCE)
            .query("label_values(ps7_turns_total, job)")
            .refresh(VariableRefresh.ON_DASHBOARD_LOAD)
        )
    )
    for panel in FIGURES:
        board.with_panel(_filled(stat.Panel().span(WIDTH // len(FIGURES)).height(4), panel))
    for title, panels in ROWS.items():
        board.with_row(Row(title))
        for panel in panels:
            drawn = timeseries.Panel().span(WIDTH // 2).height(8).min(0).fill_opacity(10)
            if panel.stacked:
                drawn.stacking(common.StackingConfig().mode(StackingMode("normal")))
            board.with_panel(_filled(drawn, panel))
    return (
        json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        + "\n"
    )


def _filled(drawn: P, panel: Panel) -> P:
    drawn.title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE)
    for letter, (name, query) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        asked = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(name).range()
        drawn.with_target(asked)
    return drawn


if __name__ == "__main__":
    FILE.write_text(made(), encoding="utf-8")
