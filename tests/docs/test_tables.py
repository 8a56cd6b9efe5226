"""Tables and figures of the documents are those of the code: slots, settings, outcomes, metrics."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from actions import ps7 as package
from actions.ps7 import Outcome, PS7Settings, Reason, telemetry
from actions.ps7.cli import command
from actions.ps7.cli.explain import MEANINGS
from actions.ps7.conversation.decision import Rule
from actions.ps7.customer import CONTEXT, CUSTOMER_SLOTS, PERSON_SLOTS, SHARED_SLOTS, STATUS
from actions.ps7.lookup.wire import build_request
from actions.ps7.settings import PREFIX
from actions.ps7.telemetry import SCOPE, Measure
from actions.ps7.testing import PERSONAS
from tests.docs.documents import code_words, document
from tests.support.processes import ROOT
from tests.unit.test_decision import HELD

REASONS = ("reason", "outcome", "what happened", "simulated by, requests")
UNAVAILABLE = ("reason of `unavailable`", "what happened", "simulated by, requests")
OPERATIONS = document("docs/operations.md")

OUTCOMES = [outcome.value for outcome in Outcome]
HANDED_OVER = ["conversation", "channel", "transcript", "reason", "correlation_id", STATUS]
HANDED_OVER += [*SHARED_SLOTS, *PERSON_SLOTS]
REFUSED = [reason.value for reason in Reason if reason.value.startswith("arrival_")]
COMMANDS = next(
    action.choices for action in command.parser()._actions if isinstance(action.choices, dict)
)


@pytest.mark.parametrize(
    ("page", "header", "names"),
    [
        ("README", ("value", "when", "what a dialogue does"), OUTCOMES),
        ("docs/reference", ("slot", "what it holds"), [STATUS, CONTEXT, *CUSTOMER_SLOTS, "u_…"]),
        ("docs/reference", ("name", "what it is"), package.__all__),
        ("docs/channels", ("field", "why it goes on"), HANDED_OVER),
        ("docs/security", ("reason", "what was wrong"), REFUSED),
        ("docs/testing", ("contextId", "who arrives"), [p.context_id for p in PERSONAS.values()]),
    ],
)
def test_a_table_has_every_name(page: str, header: tuple[str, ...], names: list[str]) -> None:
    """And no other."""
    assert sorted(document(f"{page}.md").named(*header)) == sorted(names)


def test_a_slot_has_the_values_of_the_domain() -> None:
    """And who is alerted by an outcome, the README says as the domain does."""
    domain = (ROOT / "domain.yml").read_text(encoding="utf-8")
    slots = {name: each.get("values") for name, each in YAML().load(domain)["slots"].items()}
    rows = document("docs/reference.md").table("slot", "what it holds").rows
    listed = {slot: holds for slot, holds in rows}  # noqa: C416 - each row is a pair
    for name in ("identification", "security_device", "token_status"):
        assert code_words(listed[f"`{name}`"]) == slots[name]
    rows = document("README.md").table("value", "when", "what a dialogue does").rows
    does = {
        code_words(name)[0]: cell.replace("s ", " ").replace("s,", ",") for name, _, cell in rows
    }
    for outcome in ("denied", "tampered"):
        assert re.search(rf"#   {outcome} .*: {does[outcome]}\n", domain)


# docs/operations.md

METRICS = re.findall(r"(?m)^- `(ps7\.[\w.]+)`", OPERATIONS.text)
"""Which metrics the page lists."""


def test_every_command_is_named() -> None:
    """What each is for, its `--help` says."""
    assert COMMANDS.keys() <= {*OPERATIONS.code_words}


def default(field: FieldInfo) -> str:
    """Write a default as the table does."""
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "made at start"
    text = field.default if isinstance(field.default, str) else json.dumps(field.default)
    return "" if field.default is None else f"`{text}`"


def test_every_setting_has_its_row() -> None:
    """With its default, and none that does not exist."""
    rows = OPERATIONS.table("variable", "default", "meaning").rows
    fields = PS7Settings.model_fields.items()
    settings = [(f"`{PREFIX}{name.upper()}`", default(field)) for name, field in fields]
    assert sorted(row[:2] for row in rows) == sorted(settings)
    values = {"username": "user", "password": "a-password", "api_key": "a-key", "app_key": "b-key"}
    asks = PS7Settings.model_validate({"base_url": "https://ps7.example.com", **values})
    correlation = "of the channel"
    request = build_request(asks, "ana", encoded=None, correlation_id=correlation, flow_id="")
    headers = request.headers
    told = {row[0]: code_words(row[2])[0] for row in rows if row[2].startswith("header ")}
    assert {name: headers[name] for name in told.values()} == {
        told[f"`{PREFIX}{name.upper()}`"]: value for name, value in values.items()
    }
    (name,) = (key for key, value in headers.items() if value == correlation)
    assert f"PS7 gets it as `{name}`" in OPERATIONS.prose


@cache
def source() -> str:
    """Read the plugin, each text in one piece."""
    paths = sorted((ROOT / "actions" / "ps7").rglob("*.py"))
    return re.sub(r'"\n\s*"', "", "\n".join(path.read_text(encoding="utf-8") for path in paths))


def test_every_metric_is_listed() -> None:
    """By its name, and no other."""
    made = re.findall(r"(?:create_\w+\(|Measure\(\s*\"\w+\",)\s*\"(ps7\.[\w.]+)\"", source())
    assert sorted(METRICS) == sorted(made)
    listed = dict(re.findall(r"(?m)^- `(ps7\.[\w.]+)`(?: \((.*?)\))?:", OPERATIONS.text))
    for each in vars(telemetry).values():
        if isinstance(each, Measure) and each.known:
            labels = {label: None for key in each.known for label, _ in key}
            assert code_words(listed[each.name]) == [*labels], each.name
    assert code_words(listed["ps7.lookup.duration"]) == ["outcome", "reason"]
    assert f"scope `{SCOPE}`" in OPERATIONS.prose


def test_the_line_about_the_bots_own_code_is_written() -> None:
    """It is the one ERROR that is no mistake of the plugin's."""
    (line,) = re.findall(r"The ERROR line `(.+?)`", OPERATIONS.prose)
    assert f'"{line}' in source()
    folder = telemetry.logger.name
    wheel = folder.replace("actions.ps7", "rasa_ps7")
    assert f"by the logger `{wheel}` (as a folder: `{folder}`)" in OPERATIONS.prose


def test_every_reason_has_its_row() -> None:
    """With its outcome. Those of faults `test_shown_code` holds."""
    rows = [(name, outcome) for name, outcome, _ in rows_of_reasons()]
    assert sorted(rows) == sorted((reason.value, reason.outcome.value) for reason in Reason)


def rows_of_reasons() -> list[tuple[str, str, str]]:
    """Return each reason with its outcome and what simulates it, from both tables."""
    page = document("docs/reference.md")
    rows = [(row[0], row[1].strip("`"), row[3]) for row in page.table(*REASONS).rows]
    rows += [(row[0], "unavailable", row[2]) for row in page.table(*UNAVAILABLE).rows]
    return [(name, outcome, faults) for cell, outcome, faults in rows for name in code_words(cell)]


def test_every_rule_has_its_row_and_its_sentence() -> None:
    """On the page by hand, each with what happens then; `test_decision` has a case of each."""
    page = document("docs/how-it-works.md")
    tables = [table.rows for table in page.tables if table.header[0] == "rule"]
    named = {row[0].strip("`") for rows in tables for row in rows}
    assert named | {"forget"} == {rule.value for rule in Rule} == {*MEANINGS}
    for rows, action in zip(tables, (0, 1), strict=True):
        said = {(row[0].strip("`"), row[2].strip("`")) for row in rows}
        assert {outcome for _, outcome in said} <= {"–", *Outcome}
        decided = {each for case in HELD.values() for each in case[1:][action] if ": " in each}
        found = {(rule, outcome) for rule, _, outcome in (each.partition(": ") for each in decided)}
        assert {each for each in found if (each[0], "–") not in said} <= said
