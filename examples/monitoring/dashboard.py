"""Makes dashboard.json, for Grafana 11: `python examples/monitoring/dashboard.py`.

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
        "Alerts that fire",
        "none",
        {"alerts": 'count(ALERTS{job="$job",alertstate="firing"}) or vector(0)'},
        "docs/runbook.md says what to do about each.",
    ),
    Panel(
        "Known customers, three days",
        "percentunit",
        {"known": '1 - ps7:turns_unknown:share3d{job="$job"}'},
        "Of the turns with a customer to know. The aim is 99.9 %.",
    ),
    Panel(
        "Lookups within a second, three days",
        "percentunit",
        {"quick": '1 - ps7:lookups_slow:share3d{job="$job"}'},
        "The aim is 99 %.",
    ),
    Panel("Workers measured", "none", {"workers": 'sum(up{job="$job"})'}),
]
ROWS = {
    "Customers": [
        Panel(
            "Turns by status",
            "reqps",
            {
                "{{status}}": "sum by (status) (rate(ps7_turns_total"
                '{job="$job",action="action_ps7_context"}[$__rate_interval]))'
            },
            "What ps7_status says after action_ps7_context.",
            stacked=True,
        ),
        Panel(
            "Known customers, by where from",
            "reqps",
            {
                "{{source}}": "sum by (source) (rate(ps7_turns_total"
                '{job="$job",action="action_ps7_context",status="ok"}[$__rate_interval]))'
            },
            "looked_up asked PS7 in that turn, held did not.",
            stacked=True,
        ),
        Panel(
            "Turns without a contextId",
            "percentunit",
            {
                "metadata: {{metadata}}": "ps7:turns:share1h"
                '{job="$job",status="missing",metadata!=""}'
            },
            "brought: the channel sends metadata, under another name.",
        ),
        Panel(
            "Turns that end invalid or rejected",
            "percentunit",
            {"{{status}}": 'ps7:turns:share1h{job="$job",status=~"invalid|rejected"}'},
        ),
    ],
    "PS7": [
        Panel(
            "Lookups by outcome",
            "reqps",
            {
                "{{outcome}}": "sum by (outcome) (rate(ps7_lookup_duration_seconds_count"
                '{job="$job"}[$__rate_interval]))'
            },
            stacked=True,
        ),
        Panel(
            "Lookups that failed, by reason",
            "reqps",
            {
                "{{reason}}": "sum by (reason) (rate(ps7_lookup_duration_seconds_count"
                '{job="$job",outcome!="ok"}[$__rate_interval]))'
            },
            "docs/operations.md has every reason.",
            stacked=True,
        ),
        Panel(
            "How long a lookup takes",
            "s",
            {
                "median": "histogram_quantile(0.5, sum by (le) (rate("
                'ps7_lookup_duration_seconds_bucket{job="$job",reason!="circuit_open"}'
                "[$__rate_interval])))",
                "p99": "histogram_quantile(0.99, sum by (le) (rate("
                'ps7_lookup_duration_seconds_bucket{job="$job",reason!="circuit_open"}'
                "[$__rate_interval])))",
            },
            "Without those that the open circuit refused.",
        ),
        Panel(
            "Requests under way or waiting, and retries",
            "none",
            {
                "under way": 'sum(ps7_connections_in_use{job="$job"})',
                "wait for a place": 'sum(ps7_connections_waiting{job="$job"}) or vector(0)',
                "retries a second": "sum(rate(ps7_lookup_retries_total"
                '{job="$job"}[$__rate_interval]))',
            },
            "A lookup that finds no place of PS7_MAX_CONNECTIONS in time ends as busy.",
        ),
        Panel("Open circuits", "none", {"{{instance}}": 'ps7_breaker_open{job="$job"}'}),
        Panel(
            "Probes that failed, by reason",
            "none",
            {
                "{{reason}}": "sum by (reason) (increase(ps7_probe_total"
                '{job="$job",outcome=~"denied|unavailable"}[$__rate_interval])) > 0'
            },
            "The circuit breaker's own: what customers brought has no part in it.",
        ),
    ],
    "Attempts, and slots written by others": [
        Panel(
            "Arrivals refused",
            "none",
            {
                "{{reason}}": "sum by (reason) (increase(ps7_arrivals_refused_total"
                '{job="$job"}[$__rate_interval]))'
            },
        ),
        Panel(
            "Seals refused, and slots restored",
            "none",
            {
                "seals refused": "sum(increase(ps7_seals_refused_total"
                '{job="$job"}[$__rate_interval]))',
                "slots restored": "sum(increase(ps7_slots_restored_total"
                '{job="$job"}[$__rate_interval]))',
            },
        ),
    ],
    "Workers": [
        Panel("Memory", "bytes", {"{{instance}}": 'process_resident_memory_bytes{job="$job"}'}),
        Panel(
            "Processor",
            "percentunit",
            {"{{instance}}": 'rate(process_cpu_seconds_total{job="$job"}[$__rate_interval])'},
        ),
        Panel(
            "Starts, one hour",
            "none",
            {"{{instance}}": 'changes(process_start_time_seconds{job="$job"}[1h])'},
        ),
        Panel(
            "Days until the client certificate is over",
            "none",
            {
                "{{certificate}}": "(min by (certificate) (ps7_certificate_expiry_seconds"
                '{job="$job"}) - time()) / 86400'
            },
            "That of PS7_CLIENT_CERT, in each worker that has made a lookup.",
        ),
    ],
}


def made() -> str:
    """Return the dashboard as Grafana imports it."""
    board = (
        Dashboard("PS7 in the bot")
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
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _filled(drawn: P, panel: Panel) -> P:
    drawn.title(panel.title).description(panel.about).unit(panel.unit).datasource(SOURCE)
    for letter, (name, query) in zip(ascii_uppercase, panel.queries.items(), strict=False):
        asked = prometheus.Dataquery().ref_id(letter).expr(query).legend_format(name).range()
        drawn.with_target(asked)
    return drawn


if __name__ == "__main__":
    FILE.write_text(made(), encoding="utf-8")
