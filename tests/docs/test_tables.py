"""Tables of the documents that list what the code has: outcomes, slots, customers, PS7's fields."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest

from actions.ps7 import LookupFailed, Outcome, PS7Settings
from actions.ps7.api import gateway, wire
from actions.ps7.dialogue import context_id, turn
from actions.ps7.dialogue.slots import project
from actions.ps7.slot_table import CONTEXT, CUSTOMER_SLOTS, STATUS
from actions.ps7.testing import PERSONAS, pytest_plugin
from tests.docs.documents import document, spans_in

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
decode = partial(wire.decode, received_at=NOW, max_age=3600)


def named(name: str, *header: str, column: int = 0) -> list[str]:
    """Give what stands in code type in one column of a table, in order."""
    cells = document(name).table(*header).column(column)
    return [span for cell in cells for span in spans_in(cell)]


def test_the_readme_has_every_outcome() -> None:
    """In the order of the code."""
    found = named("README.md", "value", "when", "what a dialogue does")
    assert found == [outcome.value for outcome in Outcome]


def test_the_readme_has_every_slot() -> None:
    """In the order of the code, and the values of those that have a list of them."""
    table = document("README.md").table("slot", "what it holds")
    assert named("README.md", *table.header) == [STATUS, CONTEXT, *CUSTOMER_SLOTS, "u_…"]
    values = {row[0].strip("`"): spans_in(row[1]) for row in table.rows}
    fields = ("identification", "security_device", "token_status")
    sent = [persona.slots for persona in PERSONAS.values()]
    known = {name: {slots[name] for slots in sent} - {None} for name in fields}
    assert {name: set(values[name]) for name in fields} == known


def test_the_kit_has_every_customer_and_fixture() -> None:
    """That docs/testing.md tells of, and no other."""
    customers = named("docs/testing.md", "contextId", "who arrives")
    assert sorted(customers) == sorted(who.context_id for who in PERSONAS.values())
    fixtures = named("docs/testing.md", "fixture", "what it is")
    assert [name for name in fixtures if not callable(getattr(pytest_plugin, name, None))] == []


def decided(status: int) -> Outcome:
    """Ask the code what becomes of an empty answer with this status."""
    try:
        decode(wire.Answer(status, {}, b"{}"))
    except LookupFailed as failure:
        return failure.outcome
    return Outcome.OK


def test_every_status_leads_to_the_outcome_that_the_page_says() -> None:
    """Those that the interface documents, and one for all others."""
    table = document("docs/ps7.md").table("status", "documented", "outcome")
    said = {row[0]: spans_in(row[2]) for row in table.rows}
    assert said.pop("200") == []
    assert said.pop("any other") == [decided(status).value for status in (418,)]
    assert said == {status: [decided(int(status)).value] for status in said}


def test_every_field_leads_to_the_slot_that_the_page_says() -> None:
    """Sent alone, it fills that slot."""
    table = document("docs/ps7.md").table("field of `payload`", "documented", "slot")
    examples: dict[str, Any] = {"u_id": "AUT", "u_dseg": "Token", "u_dsok": "S"}
    fields = [(spans_in(row[0])[0], spans_in(row[2])) for row in table.rows]
    for field, slots in fields:
        if field == "contexto":
            continue
        payload = {"u_dseg": "Token", field: examples.get(field, "1")}
        body = json.dumps({"payload": payload}).encode()
        customer = decode(wire.Answer(200, {}, body)).customer
        held = project({name: name for name in CUSTOMER_SLOTS}, customer)
        assert held[slots[0]] is not None, field


def test_every_header_is_one_that_is_sent() -> None:
    """With everything set that adds one."""
    login = {"base_url": "http://localhost", "username": "u", "password": "p"}
    every = {**login, "api_key": "k", "app_key": "a", "app_secret": "s"}
    settings = PS7Settings.model_validate(every)
    sent = wire.build_request(settings, "C1", encoded=0, correlation_id="c", flow_id="f").headers
    said = named("docs/ps7.md", "header", "documented", "sent")
    assert set(said) - sent.keys() == {"Authorization"}
    of_http = {"Content-Type", "Accept", "Accept-Encoding"}
    assert sent.keys() - set(said) == of_http
    assert f"`POST {{PS7_BASE_URL}}{wire.PATH}`" in document("docs/ps7.md").prose
    assert f"`POST {{PS7_BASE_URL}}{gateway.PATH}`" in document("docs/ps7.md").prose
    assert f"`X-Token-Expire: {gateway.LIFETIME}`" in document("docs/ps7.md").prose


@pytest.mark.parametrize(
    "figure",
    [
        f"text of 1 to {context_id.MAX_LENGTH} printable characters",
        f"no call for {turn.REJECTED_FOR.seconds} s; then PS7 is asked",
    ],
)
def test_every_figure_of_how_it_works_is_that_of_the_code(figure: str) -> None:
    """Limits that no setting changes."""
    assert figure in document("docs/how-it-works.md").prose
