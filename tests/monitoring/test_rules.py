"""examples/monitoring as files: its rules against the code and the page, and tests of their own."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from actions.ps7 import Reason
from examples.demo import free_ports
from tests.docs.documents import code_words, document
from tests.docs.test_documents import SETTINGS
from tests.docs.test_tables import METRICS, OPERATIONS, OUTCOMES, SELECTOR, attributes, selected
from tests.support.pins import pinned
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["attributes"]  # a fixture

HERE = ROOT / "examples" / "monitoring"
load = YAML(typ="safe").load
PROMTOOL_TESTS = sorted(HERE.glob("*_test.yml"))
(GROUP,) = load(HERE / "rules.yml")["groups"]
RECORDED = [rule for rule in GROUP["rules"] if "record" in rule]
ALERTS = {rule["alert"]: rule for rule in GROUP["rules"] if "alert" in rule}
EXPORTED = {
    "ps7_lookup_duration_seconds_count": "ps7.lookup.duration",
    "ps7_lookup_duration_seconds_bucket": "ps7.lookup.duration",
    "ps7_turns_total": "ps7.turns",
    "ps7_arrivals_refused_total": "ps7.arrivals.refused",
    "ps7_slots_restored_total": "ps7.slots.restored",
    "ps7_breaker_open": "ps7.breaker.open",
}
"""Names in Prometheus; the live test sees them there."""
BESIDE = {"ps7.seals.refused"}
"""What a row names to look at, and compares with nothing."""
RUNBOOK = document("docs/runbook.md")
SECTIONS = dict(re.findall(r"^## (PS7.+)\n((?:(?!## ).*\n?)*)", RUNBOOK.text, re.MULTILINE))
PRINTED = {"PS7 takes the credentials", "in the log"}
"""By `rasa-ps7`."""
OF_OTHERS = {
    *PRINTED,
    *("metadata: none", "metadata: brought", "instance"),  # as Grafana shows labels
    *("Running", "OOMKilled", "date", "openssl x509 -noout -enddate -in FILE", "privacy:"),
}
"""What else stands in code type in a section of the runbook."""

Asked = tuple[str, frozenset[tuple[str, str]]]


def asked(query: str) -> Iterator[Asked]:
    """Read each metric that a query asks for, with its labels; recorded ones as they were made."""
    for name, labels in re.findall(r"\b(ps7[\w:]+)(?:\{(.*?)\})?", query):
        pairs = [
            [(label, value) for value in values.split("|")]
            for label, values in re.findall(r'(\w+)=~?"(.*?)"', labels)
            if label != "le"
        ]
        made = [rule for rule in RECORDED if rule["record"] == name]
        inner = [each for rule in made for each in asked(rule["expr"])]
        for chosen in product(*pairs):
            own = frozenset(chosen)
            for metric, labelled in inner or [(EXPORTED[name], frozenset[tuple[str, str]]())]:
                if not made or not conflicting(labelled, own):
                    yield metric, labelled | own


def conflicting(some: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    """Whether two selections of labels exclude each other."""
    return any(name == label and a != b for name, a in some for label, b in other)


class Row(NamedTuple):
    """One alert of the page."""

    compared: set[Asked]
    who: str


def rows() -> dict[str, Row]:
    """Read the alerts of the tables, by the name of their rule."""
    found = {}
    by_outcome = OPERATIONS.table("outcome", "alert", "what to compare", "who").rows
    others = OPERATIONS.table("alert", "what to compare", "who").rows
    for alert, compared, who in [*(row[1:] for row in by_outcome), *others]:
        if not alert.startswith("none"):
            words = [SELECTOR.fullmatch(word) for word in code_words(compared)]
            selectors = {
                (each[1], frozenset(re.findall(r'(\w+)="(\w+)"', each[2] or "")))
                for each in words
                if each and each[1] not in BESIDE
            }
            (name,) = re.findall(r"^`(\w+)`", alert)
            found[name] = Row(selectors, who)
    return found


def test_every_alert_of_the_page_is_a_rule_and_every_rule_is_on_it() -> None:
    """It compares what the row says, and goes to whom the row says."""
    said = rows()
    of_reasons = {"PS7Certificate"}  # their table has a row for each reason: see below
    assert said.keys() | of_reasons == ALERTS.keys()
    for name, row in said.items():
        compares = {*asked(ALERTS[name]["expr"])}
        assert row.compared <= compares, name
        assert ALERTS[name]["labels"]["team"] in row.who, name


def test_every_reason_that_wakes_somebody_is_in_a_rule_that_does() -> None:
    """And in no other is a reason that the page lets sleep, but for that of the open circuit."""
    waking = [
        dict(labels)
        for rule in ALERTS.values()
        if rule["labels"]["severity"] == "page"
        for metric, labels in asked(rule["expr"])
        if metric == "ps7.lookup.duration"
        and dict(labels).get("outcome") not in {"unavailable", "rejected"}  # a share of them does
    ]
    for reason, outcome, _, what in OPERATIONS.table(
        "reason", "outcome", "what happened", "what to do"
    ).rows:
        end = {"reason": reason.strip("`"), "outcome": outcome.strip("`")}
        wakes = any(labels and labels.items() <= end.items() for labels in waking)
        assert wakes == what.startswith("wake somebody"), reason


def test_every_rule_asks_for_what_the_code_counts(
    attributes: dict[str, set[tuple[str, str]]],
) -> None:
    """Metric, label and value."""
    made = {row[0].strip("`") for row in METRICS}
    for rule in GROUP["rules"]:
        for metric, labels in asked(rule["expr"]):
            text = ",".join(f'{name}="{value}"' for name, value in labels)
            selector = SELECTOR.fullmatch(f"{metric}{{{text}}}" if text else metric)
            assert selector is not None, rule
            selected(selector, attributes, made)


def test_every_alert_says_what_to_do() -> None:
    """Its link leads to its section of the runbook, which has all parts."""
    named: dict[str, str] = {}
    for heading, text in SECTIONS.items():
        slug = re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-"))
        named |= dict.fromkeys(heading.split(", "), slug)
        parts = ("*For customers*: ", "*Look at* ", "\n1. ", "\n*Over when* ")
        assert [part for part in parts if part not in text] == [], heading
    assert named.keys() == ALERTS.keys()
    for name, rule in ALERTS.items():
        link = f"https://git.example.com/rasa-ps7/blob/main/docs/runbook.md#{named[name]}"
        assert rule["annotations"]["summary"], name
        assert rule["annotations"]["runbook_url"] == link
        assert rule["labels"]["severity"] in {"page", "ticket"}, name


def test_the_runbook_names_only_what_there_is() -> None:
    """Panels, reasons, outcomes, settings, log lines, what is printed, and few words else.

    Calls of `rasa-ps7` are tried in tests/docs.
    """
    board = json.loads((HERE / "dashboard.json").read_text(encoding="utf-8"))
    panels = {panel["title"] for panel in board["panels"]}
    known = {*OUTCOMES, *(reason.value for reason in Reason), *SETTINGS, *OF_OTHERS}
    known |= {*re.findall(r"OTEL_\w+", (HERE / "metrics.py").read_text(encoding="utf-8"))}
    lines = (
        *OPERATIONS.named("the line begins with", "means"),
        "PS7 question",
        "rasa-ps7 ",
        "kubectl -n assistant ",
    )
    for heading, text in SECTIONS.items():
        assert {*re.findall(r"\*\*(.+?)\*\*", " ".join(text.split()))} <= panels, heading
        said = {word for word in code_words(text) if not word.startswith(lines)}
        assert said - known == set(), heading
    assert {*re.findall(r"[\w-]+/\w+", " ".join(RUNBOOK.code_words))} == {"deploy/actions"}
    sources = [path.read_text("utf-8") for path in (ROOT / "actions/ps7/cli").rglob("*.py")]
    assert [words for words in PRINTED if not any(words in text for text in sources)] == []
    (pods,) = re.findall(r" -l ([\w./]+)=actions ", RUNBOOK.text)
    manifest = ROOT / "examples/deploy/kubernetes/base/actions.yaml"
    assert f"{pods}: actions" in manifest.read_text(encoding="utf-8")


def test_every_alert_fires_in_a_test_of_promtool() -> None:
    """And no other is named there."""
    tested = {
        name
        for path in PROMTOOL_TESTS
        for group in load(path)["tests"]
        for each in group["promql_expr_test"]
        for sample in each["exp_samples"]
        for name in re.findall(r'alertname="(\w+)"', sample["labels"])
    }
    assert tested == ALERTS.keys()


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


@pytest.mark.parametrize("workers", [1, 2])
def test_a_worker_takes_the_next_port_and_does_without_where_none_is_left(workers: int) -> None:
    """Another worker has the first one; an action server without metrics still serves customers."""
    first = free_ports(2)
    code = "import logging; logging.basicConfig(level='INFO'); import metrics; metrics.serve()"
    variables = {
        "OTEL_EXPORTER_PROMETHEUS_PORT": f"{first}",
        "ACTION_SERVER_SANIC_WORKERS": f"{workers}",
    }
    with socket.create_server(("localhost", first)):
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=HERE, env=variables, capture_output=True, check=True
        )
    said = {1: "WARNING:metrics:Metrics of this worker are not served", 2: f":{first + 1}/metrics"}
    assert said[workers] in ran.stderr.decode()


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
    code = f"import logging; logging.basicConfig(level='INFO'); {before}; import metrics as m"
    variables, python = (
        {"OTEL_EXPORTER_PROMETHEUS_PORT": f"{free_ports(1)}"},
        (sys.executable, "-c"),
    )
    ran = subprocess.run(
        [*python, f"{code}; m.serve()"], cwd=HERE, env=variables, capture_output=True, check=True
    )
    assert said in ran.stderr.decode()


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
