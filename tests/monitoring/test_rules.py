"""examples/monitoring as files: rules against the code and the pages."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.ps7 import telemetry
from actions.ps7.telemetry import Measure
from examples.monitoring.watched import FIRST_PORT
from tests.docs.documents import code_words, document
from tests.docs.test_tables import METRICS, OPERATIONS
from tests.support.pins import pinned
from tests.support.processes import ROOT

HERE = ROOT / "examples" / "monitoring"
load = YAML(typ="safe").load
(GROUP,) = load(HERE / "rules.yml")["groups"]
RECORDED = [rule["record"] for rule in GROUP["rules"] if "record" in rule]
ALERTS = [rule for rule in GROUP["rules"] if rule.get("alert", "Watchdog") != "Watchdog"]
LABELS = {
    rule["labels"][key] for rule in ALERTS for key in ("cause", "team") if key in rule["labels"]
}
LABELS -= {"operations"}
"""What tells alerts of one name apart, and who looks first."""
COUNTERS = {
    f"{each.name.replace('.', '_')}_total": each
    for each in vars(telemetry).values()
    if isinstance(each, Measure) and each.kind == "counter"
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
    """Which is in Portuguese, as they are. No on-call learns over ten names."""
    names = {rule["alert"] for rule in ALERTS}
    assert len(names) <= 10
    folder = "https://git.example.com/rasa-ps7/blob/main/docs"
    for rule in ALERTS:
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, rule
        link = f"{folder}/runbook.pt-BR.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == link
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule
    headings = document("docs/runbook.pt-BR.md").headings
    assert {each for each in headings if each.startswith("PS7")} == names


ALERTMANAGER = load(HERE / "alertmanager.yml")
ROUTE = ALERTMANAGER["route"]


def hit(matchers: list[str], rule: dict[str, Any]) -> bool:
    """Whether an alert has the labels that matchers want."""
    labels = {"alertname": rule["alert"], **rule["labels"]}
    wanted = [re.findall(r'^(\w+)(=~|!=|=)"(.+)"$', each) for each in matchers]
    return all(
        bool(re.fullmatch(value, labels.get(name, ""))) is (sign != "!=")
        for ((name, sign, value),) in wanted
    )


def test_every_alert_finds_its_receiver() -> None:
    """By severity and team, in the example for Alertmanager; what fires always wakes by silence."""
    receivers = {each["name"]: each["webhook_configs"] for each in ALERTMANAGER["receivers"]}
    used = {ROUTE["receiver"]}

    def told(rule: dict[str, Any]) -> Any:  # noqa: ANN401 - as it is written
        found = (each["receiver"] for each in ROUTE["routes"] if hit(each["matchers"], rule))
        used.add(name := next(found, ROUTE["receiver"]))
        return receivers[name]

    (watchdog,) = (each for each in GROUP["rules"] if each.get("alert") == "Watchdog")
    assert (watchdog["expr"], watchdog["labels"]["severity"]) == ("vector(1)", "none")
    switch = {"url": "http://switch.example.com/ps7", "send_resolved": False}
    assert told(watchdog) == [switch], "there, what is over is the alarm"
    for rule in ALERTS:
        severity, team = rule["labels"]["severity"], rule["labels"]["team"]
        woken = "security" if team == "security" else "operations"
        path = {"page": f"pager.example.com/{woken}", "ticket": f"tickets.example.com/{team}"}
        assert told(rule) == [{"url": f"http://{path[severity]}"}], rule
    assert receivers.keys() == used


def test_an_alert_is_silenced_by_what_causes_it_alone() -> None:
    """Without a server nobody talks, and nobody is known: in that cluster, and for nothing else."""
    (rule,) = ALERTMANAGER["inhibit_rules"]
    sources, targets = (
        {
            (each["alert"], each["labels"].get("cause", ""))
            for each in ALERTS
            if hit(rule[f"{side}_matchers"], each)
        }
        for side in ("source", "target")
    )
    assert sources == {("PS7NotServing", "absent")}
    assert targets == {
        *(("PS7NotServing", each) for each in ("no_turns", "restarts", "worker", "stores")),
        ("PS7FewerKnown", ""),
    }
    assert rule["equal"] == ["job", "cluster"] == ROUTE["group_by"][1:]


def test_who_is_woken_hears_of_it_soon_and_again() -> None:
    """Within the half minute that the page leaves; of silence, within one."""
    waits = ("group_wait", "group_interval", "repeat_interval")
    (watchdog,) = (each for each in ROUTE["routes"] if {*waits} & each.keys())
    assert watchdog["receiver"] == "dead-mans-switch"
    assert [watchdog[each] for each in waits] == ["0s", "1m", "1m"]
    assert [ROUTE[each] for each in waits] == ["15s", "5m", "4h"]
    (absent,) = (each for each in ALERTS if each["labels"].get("cause") == "absent")
    prometheus = load(HERE / "prometheus.yml")
    assert prometheus["rule_files"] == ["rules.yml"]
    (job,) = prometheus["scrape_configs"]
    one = [{"targets": [f"localhost:{FIRST_PORT}"]}]
    assert job == {"job_name": "ps7", "static_configs": one}
    often = prometheus["global"]
    seconds = [often["scrape_interval"], often["evaluation_interval"], ROUTE["group_wait"]]
    total = 60 * int(absent["for"].rstrip("m")) + sum(int(each.rstrip("s")) for each in seconds)
    assert total <= 3 * 60
    assert "three minutes after both servers are gone" in OPERATIONS.prose


SAID = {
    r"(\d+) minutos": "{}m\\b",
    "(três) dias": "share3d >",
    "em (99,9)%": r"share3d > 0\.001 ",
    "que (99)%": r"share3d > 0\.01 ",
    "(dez) vezes": r"< 0\.1 \*",
    "(401 ou 403)": '"denied"',
}
"""How an alert says a figure, and what of its rule that is."""


def test_an_alert_says_the_figures_of_its_rule() -> None:
    """And has no others. Whoever is woken goes by them."""
    for rule in ALERTS:
        text = "; ".join(rule["annotations"][each] for each in ("summary", "description"))
        code = f"{rule['expr']} {rule.get('for')}"
        for words, figure in SAID.items():
            for found in re.findall(words, text):
                assert re.search(figure.format(found), code), text
        assert not re.findall(r"\b\d+", re.sub("|".join(SAID), "", text)), text


def test_what_is_recorded_and_fires_is_of_one_cluster() -> None:
    """Several under one job are kept apart: a large one does not hide a small one's trouble."""
    for rule in GROUP["rules"]:
        for word, labels in re.findall(r"\b(by|on) \(([^)]*)\)", rule["expr"]):
            assert {"job", "cluster"} <= {*labels.split(", ")}, (word, rule)


def test_every_alert_fires_in_a_test_of_promtool() -> None:
    """With each cause and severity that it has, and no other is named there."""
    tested = {
        tuple(re.findall(r'="(\w+)"', sample["labels"]))
        for path in HERE.glob("*_test.yml")
        for case in load(path)["tests"]
        for each in case["promql_expr_test"]
        for sample in each["exp_samples"]
    }
    named = (({"alert": rule["alert"], **rule["labels"]}) for rule in ALERTS)
    order = ("alert", "cause", "severity")
    assert tested == {tuple(each[key] for key in order if key in each) for each in named}


def test_the_dashboard_is_what_its_script_makes() -> None:
    """Running the script makes it anew."""
    pytest.importorskip("grafana_foundation_sdk", reason="it needs Python 3.11")
    script: dict[str, Any] = runpy.run_path(str(HERE / "dashboard.py"))
    assert script["FILE"].read_text(encoding="utf-8") == script["made"]()


UNITS = {
    "^histogram_quantile": "s",
    "memory_bytes": "bytes",
    r"share|cpu_seconds|arrivals:increase5m.*/": "percentunit",
    r"^sum by \(\w+\) \(rate": "reqps",
    "": "none",
}
"""Of a panel, by what its lines are."""


def test_a_panel_has_the_unit_of_what_it_shows() -> None:
    """A lookup of two seconds is not shown as one of two milliseconds."""
    for panel in json.loads((HERE / "dashboard.json").read_text(encoding="utf-8"))["panels"]:
        for each in panel.get("targets", ()):
            unit = next(UNITS[kind] for kind in UNITS if re.search(kind, each["expr"]))
            assert panel["fieldConfig"]["defaults"]["unit"] == unit, each["expr"]


def test_what_the_example_pins_is_what_is_tested_here() -> None:
    """The exporter is a beta, made for one version of OpenTelemetry."""
    own, tested = pinned("examples/monitoring/requirements.txt"), pinned("requirements/dev.txt")
    assert own.items() <= tested.items()
    assert f"`opentelemetry-exporter-prometheus=={own['opentelemetry-exporter-prometheus']}`" in (
        document("examples/monitoring/README.md").text
    )


BOUND = re.compile(r"(?:[<>]=?|\*) [\d.]+|\[\w+\]|offset \w+|quantile_over_time\([\d.]+")


def test_a_rule_has_the_bounds_that_are_written_down_beside_it() -> None:
    """In data/bounds.txt, too: promtool's cases do not come as near to each as a mistake may."""
    lines = []
    for rule in GROUP["rules"]:
        who = rule.get("labels", {})
        named = (rule.get("record"), rule.get("alert"), who.get("cause"), who.get("severity"))
        bounds = BOUND.findall(rule["expr"])
        after = [f"for {rule['for']}"] if "for" in rule else []
        lines.append(f"{' '.join([*filter(None, named)])}: {', '.join([*bounds, *after])}".rstrip())
    written = (Path(__file__).parent / "data" / "bounds.txt").read_text(encoding="utf-8")
    assert lines == written.splitlines()
