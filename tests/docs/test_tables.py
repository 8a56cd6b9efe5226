"""Tables and figures of the documents are those of the code: slots, settings, outcomes, metrics."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cache, partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import jwt
import pytest
import tomli
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from pydantic.fields import FieldInfo

from actions import ps7 as package
from actions.ps7 import CustomerContext, LookupFailed, Outcome, PS7Settings, Reason
from actions.ps7.api import connections, telemetry, tokens, transport, wire
from actions.ps7.cli import command
from actions.ps7.dialogue import arrival, context_id, rules, situation
from actions.ps7.setting_types import MIN_SIGNING_BYTES
from actions.ps7.settings import PREFIX
from actions.ps7.slots import (
    CONTEXT,
    CUSTOMER_SLOTS,
    PERSON_SLOTS,
    SESSION_ACTION,
    SHARED_SLOTS,
    STATUS,
    project,
)
from actions.ps7.testing import FAULTS, PERSONAS, pytest_plugin
from tests.docs.documents import code_words, document
from tests.faults.ending import at_every_attempt
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY
from tests.support.pins import ADDED_TO_RASA, RASA_PINS, pinned
from tests.support.processes import ROOT

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
decode = partial(wire.decode, received_at=NOW, max_age=3600)
REASONS = ("reason", "outcome", "what happened", "simulated by, requests")
OPERATIONS, PS7 = document("docs/operations.md"), document("docs/ps7.md")

OUTCOMES = [outcome.value for outcome in Outcome]
HANDED_OVER = ["reason", STATUS, "correlation_id", *SHARED_SLOTS, *PERSON_SLOTS]
REFUSED = [reason.value for reason in Reason if reason.value.startswith("arrival_")]
COMMANDS = next(
    action.choices for action in command.parser()._actions if isinstance(action.choices, dict)
)


@pytest.mark.parametrize(
    ("page", "header", "names"),
    [
        ("README", ("value", "when", "what a dialogue does"), OUTCOMES),
        ("docs/integration", ("slot", "what it holds"), [STATUS, CONTEXT, *CUSTOMER_SLOTS, "u_…"]),
        ("docs/integration", ("name", "what it is"), package.__all__),
        ("docs/integration", ("field", "why it goes on"), HANDED_OVER),
        ("docs/operations", ("command", "what it is for"), [f"rasa-ps7 {c}" for c in COMMANDS]),
        ("docs/security", ("reason", "what was wrong"), REFUSED),
        ("docs/testing", ("contextId", "who arrives"), [p.context_id for p in PERSONAS.values()]),
    ],
)
def test_a_table_has_every_name(page: str, header: tuple[str, ...], names: list[str]) -> None:
    """And no other."""
    assert sorted(document(f"{page}.md").named(*header)) == sorted(names)


def test_slots_fixtures_and_customers_are_described_as_they_are() -> None:
    """A slot's list of values, the fixtures of the test kit, the attributes of a customer."""
    rows = document("docs/integration.md").table("slot", "what it holds").rows
    values = {row[0].strip("`"): set(code_words(row[1])) for row in rows}
    for name in ("identification", "security_device", "token_status"):
        assert values[name] == {who.slots[name] for who in PERSONAS.values()} - {None}
    for name in document("docs/testing.md").named("fixture", "what it is"):
        assert callable(getattr(pytest_plugin, name))
    names = document("docs/integration.md").table("name", "what it is").rows
    (row,) = (row for row in names if row[0] == "`CustomerContext`")
    own = {name for name, value in vars(CustomerContext).items() if isinstance(value, property)}
    attributes = {*CustomerContext.model_fields, *own, "field"}
    assert {name.partition("(")[0] for name in code_words(row[1])} - {"repr"} == attributes


@pytest.mark.parametrize(
    "name", ["docs/integration.md", "examples/oss-bot/README.md", "README.md", "README.pt-BR.md"]
)
def test_the_jsonschema_to_pin_is_the_one_pinned_here(name: str) -> None:
    """In the environment of the tests' Rasa, and of Rasa with the plugin in it."""
    (said,) = (word for word in document(name).code_words if word.startswith("jsonschema=="))
    for file in (RASA_PINS, ADDED_TO_RASA):
        assert said == f"jsonschema=={pinned(file)['jsonschema']}"


def bound(allowed: SpecifierSet) -> str:
    """Say which versions are allowed."""
    words = {">=": "", "<": "below "}
    said = [f"{words[each.operator]}{each.version}" for each in allowed]
    return ", ".join(sorted(said)) or "any"


def test_every_dependency_has_its_row() -> None:
    """In the order of pyproject.toml, with its bounds, and no cell is blank."""
    (table,) = document("docs/dependencies.md").tables
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = map(Requirement, project["dependencies"])
    bounds = [(each.name, bound(each.specifier)) for each in needed]
    assert [row[:2] for row in table.rows] == bounds
    assert all(map(all, table.rows))


# docs/ps7.md


def test_every_status_leads_to_the_outcome_that_the_page_says() -> None:
    """Those that the interface documents, and one for all others."""
    rows = PS7.table("status", "documented", "outcome").rows
    said = {row[0].replace("any other", "418"): code_words(row[2]) for row in rows}
    assert said.pop("200") == []
    for status, outcomes in said.items():
        with pytest.raises(LookupFailed) as failure:
            decode(wire.Answer(int(status), {}, b"{}"))
        assert [failure.value.outcome.value] == outcomes


def test_every_field_leads_to_the_slot_that_the_page_says() -> None:
    """Sent alone, it fills that slot."""
    examples: dict[str, Any] = {"u_id": "AUT", "u_dseg": "Token", "u_dsok": "S"}
    for name, _, slot in PS7.table("field of `payload`", "documented", "slot").rows:
        field = name.strip("`")
        if field != "contexto":
            payload = {"u_dseg": "Token", field: examples.get(field, "1")}
            body = json.dumps({"payload": payload}).encode()
            customer = decode(wire.Answer(200, {}, body)).customer
            held = project({name: name for name in CUSTOMER_SLOTS}, customer)
            assert held[code_words(slot)[0]] is not None, field


def test_every_header_is_one_that_is_sent() -> None:
    """With everything set that adds one."""
    login = {"base_url": "http://localhost", "username": "u", "password": "p"}
    every = {**login, "api_key": "k", "app_key": "a", "app_secret": "s"}
    settings = PS7Settings.model_validate(every)
    sent = wire.build_request(settings, "C1", encoded=0, correlation_id="c", flow_id="f").headers
    of_http = {"Content-Type", "Accept", "Accept-Encoding"}
    said = set(PS7.named("header", "documented", "sent"))
    assert said == sent.keys() - of_http | {"Authorization"}


# docs/operations.md


def default(field: FieldInfo) -> str:
    """Write a default as the table does."""
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "made at start"
    text = field.default if isinstance(field.default, str) else json.dumps(field.default)
    return "none" if field.default is None else f"`{text}`"


def test_every_setting_has_its_row() -> None:
    """With its default, and none that does not exist."""
    rows = OPERATIONS.table("variable", "default", "meaning").rows
    fields = PS7Settings.model_fields.items()
    settings = [(f"`{PREFIX}{name.upper()}`", default(field)) for name, field in fields]
    assert sorted(row[:2] for row in rows) == sorted(settings)


@cache
def nodes() -> list[ast.AST]:
    """Read the source of the plugin."""
    paths = sorted((ROOT / "actions" / "ps7").rglob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    return [node for tree in trees for node in ast.walk(tree)]


def calls(*functions: str) -> Iterator[list[str]]:
    """Read the texts in each call of one of these functions or methods in the plugin."""
    for node in nodes():
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in functions:
                values = [each.value for each in node.args if isinstance(each, ast.Constant)]
                yield [value for value in values if isinstance(value, str)]


def test_every_metric_has_its_row() -> None:
    """Name, kind and unit."""
    kinds = {
        "create_histogram": "histogram",
        "create_counter": "counter",
        "CounterFromZero": "counter",
        "create_up_down_counter": "up-down counter",
        "create_observable_gauge": "gauge",
    }
    made = {
        (f"`{name}`", kind, f"`{unit}`")
        for how, kind in kinds.items()
        for name, unit, *_ in calls(how)
    }
    assert {row[:3] for row in METRICS} == made
    assert f"scope `{telemetry.SCOPE}`" in OPERATIONS.prose


METRICS = OPERATIONS.table("metric", "kind", "unit", "attributes", "counts").rows


@pytest.fixture
def attributes(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[tuple[str, str]]]:
    """Return the attributes of each metric, with every value that they can have."""
    found: set[tuple[str, str]] = {("action", name) for name in (LOOK_UP, VERIFY, FORGET)}
    add = SimpleNamespace(add=lambda _, said: found.update(said.items()))
    monkeypatch.setattr(telemetry, "_turns", add)
    for outcome, looked_up, metadata in product(Outcome, (True, False), (True, False)):
        telemetry.count_turn(SESSION_ACTION, outcome, looked_up=looked_up, metadata=metadata)
    reasons = {("reason", reason.value) for reason in Reason}
    refused = {("reason", reason.value) for reason in rules.ARRIVAL_REFUSED}
    ends = reasons | {("outcome", outcome) for outcome in OUTCOMES}
    ours = {("certificate", "ps7"), ("certificate", "client")}
    of_turns = {"ps7.turns": found, "ps7.arrivals.refused": refused}
    return {
        **of_turns,
        "ps7.certificate.expiry": ours,
        "ps7.lookup.duration": ends,
        "ps7.question": ends,
    }


def test_every_attribute_of_a_metric_is_in_its_row(
    attributes: dict[str, set[tuple[str, str]]],
) -> None:
    """And no other."""
    for metric, _, _, said, _ in METRICS:
        assert {*code_words(said)} == {name for name, _ in attributes.get(metric.strip("`"), ())}


def test_every_span_has_its_row() -> None:
    """And every attribute of one is in it."""
    header = ("span", "kind", "attributes")
    of_reports = {"ps7.lookup", "ps7.question"}
    made = {texts[0] for texts in calls("span") if texts}
    assert set(OPERATIONS.named(*header)) == of_reports | made
    attributes = {texts[0] for texts in calls("set_attribute") if texts}
    assert {*OPERATIONS.named(*header, column=2)} == attributes | {"ps7.outcome", "ps7.reason"}


def test_every_warning_has_its_row() -> None:
    """By how it begins, and no row is for a line that is never written."""
    logged = {texts[0] for texts in calls("warning")} - {"%s%s"}  # it is put together elsewhere
    begins = tuple(OPERATIONS.named("the line begins with", "means"))
    assert {line for line in logged if not line.startswith(begins)} == set()
    said = [node.value for node in nodes() if isinstance(node, ast.Constant)]
    texts = [text for text in said if isinstance(text, str)]
    assert [row for row in begins if not any(text.startswith(row) for text in texts)] == []


def test_the_line_of_a_lookup_is_shown_as_it_is() -> None:
    """Its words, in their order."""
    (line,) = (texts[0] for texts in calls("info") if texts[0].startswith("PS7 %s"))
    (shown,) = (block.code for block in OPERATIONS.blocks if block.language == "text")
    assert re.fullmatch(re.sub(r"%(\.0f|[sd])", r"\\S+", line), shown.strip())


def ends() -> Iterator[tuple[str, str]]:
    """Read each reason with the outcome of the error that stands beside it in the code."""
    for node in nodes():
        match node:
            case (
                ast.Call(
                    func=ast.Name(error),
                    args=[ast.Attribute(value=ast.Name("Reason"), attr=reason), *_],
                )
                | ast.Tuple(elts=[*_, ast.Name(error), ast.Attribute(attr=reason)])
            ) if hasattr(package, error):
                yield Reason[reason].value, getattr(package, error).outcome.value
    for rule in rules.CONTEXT_RULES:
        if rule.reason is not None and rule.outcome is not None:
            yield rule.reason.value, rule.outcome.value
    yield from ((fault.reason, fault.outcome) for fault in FAULTS.values())
    yield from ((reason.value, "unavailable") for _, reason in transport._FOREIGN)


def test_every_reason_has_its_row() -> None:
    """With the outcome that it has in the code and in the simulator's faults."""
    rows = OPERATIONS.table(*REASONS).rows
    said = {row[0].strip("`"): row[1].strip("`") for row in rows}
    assert [row[0].strip("`") for row in rows] == [*said]
    assert set(said) == {reason.value for reason in Reason}
    assert all(all(row[:3]) for row in rows)
    found = set(ends())
    assert len(found) > len(Reason) * 3 // 4
    assert {(reason, said[reason]) for reason, _ in found} == found


def test_every_fault_has_its_row() -> None:
    """Outcome, reason and number of requests are those that the grid has found."""
    said = {
        (fault, outcome.strip("`"), reason.strip("`"), int(requests))
        for reason, outcome, _, faults in OPERATIONS.table(*REASONS).rows
        for named, requests in re.findall(r"((?:`[\w-]+` )+)(\d)", faults)
        for fault in code_words(named)
    }
    ends = {name: at_every_attempt(fault) for name, fault in FAULTS.items()}
    assert said == {(name, e.outcome, e.reason, e.requests) for name, e in ends.items()}


@pytest.mark.parametrize("table", [rules.CONTEXT_RULES, rules.VERIFY_RULES])
def test_the_rules_are_those_of_the_code(table: tuple[rules.Rule, ...]) -> None:
    """In their order. What differs is to be copied from this failure into the page."""
    rows = [
        f"| `{rule.name}` | {rule.condition} | {rule.then.value} | "
        f"{f'`{rule.outcome.value}`' if rule.outcome else '–'} |"
        for rule in table
    ]
    assert "\n".join(rows) in document("docs/how-it-works.md").text


def test_every_decision_is_in_the_index() -> None:
    """Under its number and its title, and numbers are given once, without a gap."""
    index = document("docs/adr/README.md").text
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|$", index, re.MULTILINE)
    files = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert [(f"{number}. {title}", file) for number, title, file in rows] == [
        (document(f"docs/adr/{file.name}").headings[0], file.name) for file in files
    ]
    assert [int(number) for number, *_ in rows] == [*range(1, len(files) + 1)]


# docs/security.md, and figures that no setting changes

SECURITY = document("docs/security.md")
DEFAULTS = {name: field.default for name, field in PS7Settings.model_fields.items()}


@pytest.mark.parametrize(
    ("page", "figure"),
    [
        ("how-it-works", f"text of 1 to {context_id.MAX_LENGTH} printable characters"),
        ("how-it-works", f"no call for {situation.REJECTED_FOR.seconds} s"),
        ("ps7", f"`POST {{PS7_BASE_URL}}{wire.PATH}`"),
        ("ps7", f"`POST {{PS7_BASE_URL}}{tokens.PATH}`"),
        ("ps7", f"`X-Token-Expire: {tokens.LIFETIME}`"),
        ("security", f"`exp` after `iat`, by {arrival.MAX_SECONDS} s at most"),
        ("security", f"`exp` is more than {arrival.MAX_SECONDS} s after `iat`"),
        ("security", f"from {arrival._CLOCKS_DIFFER:.0f} s before `iat`"),
        ("security", f"at most {arrival.MAX_LENGTH} characters"),
        ("security", f"text of 1 to {context_id.MAX_LENGTH} printable characters"),
        ("security", f"each at least {MIN_SIGNING_BYTES} bytes"),
        ("security", f"`PS7_MAX_CONTEXTS` ({DEFAULTS['max_contexts']})"),
        ("security", f"`PS7_MAX_AGE` ({DEFAULTS['max_age']:.0f} s)"),
        ("security", f"{connections.MAX_ANSWER_BYTES // 1024} KiB, no decompression, "),
        ("security", f"no decompression, {wire.MAX_DEPTH} levels"),
        ("security", f"JWS, {arrival.ALGORITHM}"),
    ],
)
def test_every_figure_is_that_of_the_code(page: str, figure: str) -> None:
    """Limits, paths and defaults."""
    assert figure in document(f"docs/{page}.md").prose


def test_signed_arrivals_are_explained() -> None:
    """Every claim of a token, and the log line to search for."""
    token = arrival.sign("a-secret-of-the-back-end-and-ours", "C1", "s", encoded=0)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert set(SECURITY.named("claim", "what it has to be")) == claims.keys()
    (quoted,) = re.findall(r'says "([^"]+)"', SECURITY.prose)
    assert any(texts[0].startswith(quoted) for texts in calls("warning"))
