"""The named customers and faults: what a demo, a bot's tests and this project's tests stand on.

What must come of each is held elsewhere, against the plugin: every customer in tests/host, every
fault in tests/faults.
"""

from __future__ import annotations

import json
import re

import pytest
from stdnum.br import cpf

from actions.ps7.slots import CUSTOMER_SLOTS
from actions.ps7.testing import FAULTS, PERSONAS, Fault, Persona
from tests.vectors.vector import load

EVERYONE: list[Persona | Fault] = [*PERSONAS.values(), *FAULTS.values()]


def test_names_and_context_ids_are_easily_typed_and_lead_to_one_answer_each() -> None:
    """No contextId stands for two things, and every keyboard has the keys for it."""
    assert len({one.context_id for one in EVERYONE}) == len(EVERYONE)
    assert [*PERSONAS, *FAULTS] == [one.name for one in EVERYONE]
    assert all(fault.context_id == fault.name for fault in FAULTS.values())
    assert len({*PERSONAS, *FAULTS}) == len(EVERYONE)
    for text in [text for one in EVERYONE for text in (one.context_id, one.name)]:
        assert re.fullmatch(r"[a-z0-9-]{3,16}", text), text


def test_the_documented_example_is_word_for_word() -> None:
    """The interface's own example answers its own contextId, and gives what its vector says."""
    example, vector = PERSONAS["exemplo"], load("documented-example")
    assert example.context_id == "123123213"
    assert example.answer == json.loads(vector.body)
    given = {"ps7_status": vector.outcome, **vector.slots}
    assert example.slots == {name: given.get(name) for name in example.slots}


@pytest.mark.parametrize("persona", PERSONAS.values(), ids=PERSONAS)
def test_a_persona_says_what_every_slot_must_hold(persona: Persona) -> None:
    """Nulls too; and a made-up CPF has valid check digits, so `PS7_STRICT_CPF` changes none."""
    differ = {"ps7_expires_at", "ps7_payload"}
    assert persona.slots.keys() == {"ps7_status", *CUSTOMER_SLOTS} - differ
    assert persona.slots["ps7_status"] == "ok"
    assert all(value is None or isinstance(value, str) for value in persona.slots.values())
    number = str(persona.slots["cpf"])
    if persona.name != "exemplo":
        assert len(number) == 11
        assert cpf.is_valid(number)
        assert persona.slots["cpf_masked"] == f"***.{number[3:6]}.{number[6:9]}-**"
    assert number not in repr(persona).split("'")
    assert persona.name in repr(persona)


def test_the_customers_differ_in_everything_a_dialogue_branches_on() -> None:
    """Each documented value, its absence, and the bank's segments occur; so do forms of answers."""
    for slot, values in {
        "identification": {"authenticated", "identified", "not_identified", None},
        "security_device": {"token", "csi", "none", None},
        "token_status": {"valid", "invalid", "absent", None},
        "segment": {*("Varejo", "Uniclass", "Personnalité", "Private", "Empresas"), "segment"},
    }.items():
        assert {persona.slots[slot] for persona in PERSONAS.values()} == values, slot
    assert PERSONAS["ana"].payload["u_cpf"] == PERSONAS["ana"].slots["cpf"]
    assert PERSONAS["fabio"].payload.keys() == {"contexto"}
    assert PERSONAS["gisele"].payload["u_cpf"] == "000" + str(PERSONAS["gisele"].slots["cpf"])
    assert "payload" not in PERSONAS["heitor"].answer
    assert PERSONAS["heitor"].payload is PERSONAS["heitor"].answer["data"]
    assert isinstance(PERSONAS["iara"].payload["u_cc"], int)
    assert PERSONAS["iara"].answer["expireIn"] == 2


@pytest.mark.parametrize("slot", ["cpf", "account", "ps7_key", "ps7_decoded_context_id"])
def test_no_two_customers_share_a_value_that_tells_them_apart(slot: str) -> None:
    """A value of one customer at another one is a leak, and must be seen as one."""
    assert len({persona.slots[slot] for persona in PERSONAS.values()}) == len(PERSONAS)


@pytest.mark.parametrize(
    "name",
    [
        *("too-large", "huge-header", "slow", "slow-body", "drip", "endless", "gzip-bomb"),
        *("reset", "closed", "reset-body", "closed-body", "short-length", "bad-length"),
        *("http-301", "http-302", "http-307", "http-308", "cookie", "late", "flapping"),
    ],
)
def test_faults_of_a_good_answer_fail_by_their_fault_alone(name: str) -> None:
    """A client without a size cap, a deadline and so on would take these for a customer."""
    body = FAULTS[name].body
    assert isinstance(body, dict)
    assert body["code"] == "0"
    assert cpf.is_valid(body["payload"]["u_cpf"])
    assert "22233366638" not in repr(FAULTS[name])


def test_what_is_sent_is_as_bad_as_its_title() -> None:
    """A body beyond the cap, a header that no client reads, a message that forges a log line."""
    assert len(json.dumps(FAULTS["too-large"].body)) > 64 * 1024
    assert len(FAULTS["huge-header"].headers["X-Padding"]) == 100 * 1024
    body = FAULTS["forged-message"].body
    assert isinstance(body, dict)
    assert len(body["message"].splitlines()) > 3
    assert "\x1b[" in body["message"]
    assert "outcome=ok" in body["message"]
