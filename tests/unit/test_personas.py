"""The named customers and faults: what a demo, a bot's tests and this project's tests stand on.

What must come of each is held elsewhere, against the plugin: every customer in tests/host, every
fault in tests/faults.
"""

from __future__ import annotations

import json
import re

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


def test_the_customers_differ_in_everything_a_dialogue_branches_on() -> None:
    """Each documented value, its absence, and the bank's segments occur."""
    for slot, values in {
        "identification": {"authenticated", "identified", "not_identified", None},
        "security_device": {"token", "csi", "none", None},
        "token_status": {"valid", "invalid", "absent", None},
        "segment": {*("Varejo", "Uniclass", "Personnalité", "Private", "Empresas"), "segment"},
    }.items():
        assert {persona.slots[slot] for persona in PERSONAS.values()} == values, slot


def test_no_two_customers_share_a_value_that_tells_them_apart() -> None:
    """A value of one customer at another one is a leak, and must be seen as one."""
    for slot in ("cpf", "account", "ps7_key", "ps7_decoded_context_id"):
        assert len({persona.slots[slot] for persona in PERSONAS.values()}) == len(PERSONAS)
