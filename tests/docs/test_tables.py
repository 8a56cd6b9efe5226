"""Tables and figures of the documents are those of the code: slots, settings, outcomes, metrics."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from pydantic.fields import FieldInfo

from actions import ps7 as package
from actions.ps7 import Outcome, PS7Settings, Reason
from actions.ps7.cli import command
from actions.ps7.cli.explain import MEANINGS
from actions.ps7.conversation.decision import Rule
from actions.ps7.customer import CONTEXT, CUSTOMER_SLOTS, PERSON_SLOTS, SHARED_SLOTS, STATUS
from actions.ps7.settings import PREFIX
from actions.ps7.telemetry import SCOPE
from actions.ps7.testing import PERSONAS
from tests.docs.documents import code_words, document
from tests.support.processes import ROOT

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


@cache
def source() -> str:
    """Read the plugin, each text in one piece."""
    paths = sorted((ROOT / "actions" / "ps7").rglob("*.py"))
    return re.sub(r'"\n\s*"', "", "\n".join(path.read_text(encoding="utf-8") for path in paths))


def test_every_metric_is_listed() -> None:
    """By its name, and no other."""
    made = re.findall(r"(?:create_\w+\(|Measure\(\s*\"\w+\",)\s*\"(ps7\.[\w.]+)\"", source())
    assert sorted(METRICS) == sorted(made)
    assert f"scope `{SCOPE}`" in OPERATIONS.prose


def test_the_line_about_the_bots_own_code_is_written() -> None:
    """It is the one ERROR that is no mistake of the plugin's."""
    (line,) = re.findall(r"The ERROR line `(.+?)`", OPERATIONS.prose)
    assert f'"{line}' in source()


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
    outcomes = {row[2] for rows in tables for row in rows}
    assert outcomes <= {"–", *(f"`{outcome.value}`" for outcome in Outcome)}
