"""docs/operations.md says what the code does: settings, metrics, spans, log lines, reasons."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from typing import TYPE_CHECKING

from actions import ps7
from actions.ps7 import Outcome, PS7Settings, Reason
from actions.ps7.api import telemetry
from actions.ps7.cli import command
from actions.ps7.dialogue import turn
from actions.ps7.settings import PREFIX
from actions.ps7.testing import FAULTS
from tests.docs.documents import document, spans_in
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

PAGE = "docs/operations.md"
PLUGIN = ROOT / "actions" / "ps7"
MADE_AT_START = "made at start"


def default(field: FieldInfo) -> str:
    """Write a default as the table does."""
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return MADE_AT_START
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


def test_every_setting_has_its_row() -> None:
    """With its default, and none that does not exist."""
    table = document(PAGE).table("variable", "default", "meaning")
    documented = [(row[0], row[1]) for row in table.rows]
    fields = PS7Settings.model_fields.items()
    settings = [(f"`{PREFIX}{name.upper()}`", default(field)) for name, field in fields]
    assert sorted(documented) == sorted(settings)


def calls(*functions: str) -> Iterator[ast.Call]:
    """Give each call of one of these functions or methods in the plugin."""
    for path in sorted(PLUGIN.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                if name in functions:
                    yield node


def texts(call: ast.Call) -> list[str]:
    """Give the arguments that are texts."""
    values = [each.value for each in call.args if isinstance(each, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


KINDS = {
    "create_histogram": "histogram",
    "create_counter": "counter",
    "create_up_down_counter": "up-down counter",
}


def test_every_metric_has_its_row() -> None:
    """Name, kind and unit."""
    table = document(PAGE).table("metric", "kind", "unit", "attributes", "counts")
    documented = {row[:3] for row in table.rows}
    made = {
        (f"`{name}`", kind, f"`{unit}`")
        for function, kind in KINDS.items()
        for name, unit, *_ in map(texts, calls(function))
    }
    assert documented == made
    assert f"scope `{telemetry.SCOPE}`" in document(PAGE).prose


def test_every_span_has_its_row() -> None:
    """And every attribute of one is in it."""
    table = document(PAGE).table("span", "kind", "attributes")
    opened = {texts(call)[0] for call in calls("_span")}
    assert {name for cell in table.column(0) for name in spans_in(cell)} == opened
    set_one_by_one = {texts(call)[0] for call in calls("set_attribute")}
    documented = {name for cell in table.column(2) for name in spans_in(cell)}
    assert documented == set_one_by_one | {"ps7.outcome", "ps7.reason"}


@cache
def logged() -> frozenset[str]:
    """Give every text that the plugin writes into a log as a warning."""
    found = set()
    for call in calls("warning"):
        first = call.args[0]
        assert isinstance(first, ast.Constant)
        found.add(str(first.value))
    return frozenset(found)


def test_every_warning_has_its_row() -> None:
    """By how it begins."""
    table = document(PAGE).table("the line begins with", "means")
    begins = [text for cell in table.column(0) for text in spans_in(cell)]
    explained = {line for line in logged() if any(line.startswith(text) for text in begins)}
    assert logged() - explained == set()
    assert [text for text in begins if not any(line.startswith(text) for line in logged())] == []


def test_the_line_of_a_lookup_is_shown_as_it_is() -> None:
    """Its words, in their order."""
    (call,) = (call for call in calls("info") if texts(call)[0].startswith("PS7 lookup"))
    pattern = re.sub(r"%(\.0f|[sd])", r"\\S+", texts(call)[0])
    (shown,) = (block.code for block in document(PAGE).blocks if block.language == "text")
    assert re.fullmatch(pattern, shown.strip())


HEADER = ("reason", "outcome", "what happened", "what to do")


def test_every_reason_has_its_row() -> None:
    """Each once, and nothing of it is left blank."""
    table = document(PAGE).table(*HEADER)
    assert sorted(table.column(0)) == sorted(f"`{reason.value}`" for reason in Reason)
    assert [row for row in table.rows if not all(row)] == []


def ends() -> Iterator[tuple[str, Outcome]]:
    """Give each reason with the outcome of the error that stands beside it in the code."""
    for path in PLUGIN.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case (
                    ast.Call(
                        func=ast.Name(error),
                        args=[ast.Attribute(value=ast.Name("Reason"), attr=reason), *_],
                    )
                    | ast.Tuple(elts=[*_, ast.Name(error), ast.Attribute(attr=reason)])
                ):
                    if hasattr(ps7, error):
                        yield Reason[reason].value, getattr(ps7, error).outcome
    yield from ((reason.value, outcome) for outcome, reason in turn._REFUSALS.items())
    yield from ((fault.reason, Outcome(fault.outcome)) for fault in FAULTS.values())


def test_a_reason_leads_to_the_outcome_that_the_page_says() -> None:
    """As the code and the simulator's faults have it."""
    table = document(PAGE).table(*HEADER)
    documented = {row[0].strip("`"): row[1].strip("`") for row in table.rows}
    found = list(ends())
    assert len({reason for reason, _ in found}) > len(Reason) * 3 // 4
    assert [end for end in found if documented[end[0]] != end[1].value] == []


def test_every_command_has_its_row() -> None:
    """As `rasa-ps7 --help` lists them."""
    table = document(PAGE).table("command", "what it is for")
    (commands,) = (
        action.choices for action in command.parser()._actions if isinstance(action.choices, dict)
    )
    assert sorted(table.column(0)) == sorted(f"`rasa-ps7 {name}`" for name in commands)


def test_every_outcome_has_its_row() -> None:
    """And says whom to tell."""
    table = document(PAGE).table("outcome", "alert", "who")
    assert table.column(0) == [f"`{outcome.value}`" for outcome in Outcome]
