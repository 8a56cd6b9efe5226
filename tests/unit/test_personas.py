"""The named customers and faults: what a demo, a bot's tests and this project's tests stand on.

What must come of each is held elsewhere, against the plugin: every customer in tests/host, every
fault in tests/faults.
"""

from __future__ import annotations

import json
import re

import pytest
from stdnum.br import cpf

from actions.ps7.lookup.http import MAX_ANSWER_BYTES
from actions.ps7.testing import FAULTS, PERSONAS, Fault, Persona
from actions.ps7.testing.simulator import delivery
from examples.webchat.cards import CARDS
from tests.docs.documents import code_words, document
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


SAYS: dict[str, dict[str | None, str]] = {
    "identification": {
        "authenticated": "authenticated|autenticad",
        "identified": "(?<!not )identified|(?<!não )identificad",
        "not_identified": "not identified|não identificad",
        None: "unknown identification|identification unknown|identificação desconhecida",
    },
    "security_device": {
        "token": "token (?:valid|válido|not|não|or|ou)",
        "csi": "CSI (?:valid|válido|not|não)",
        "none": "no (?:security )?device|sem dispositivo",
    },
    "token_status": {
        "valid": r"(?:token|CSI) (?:valid|válido)\b",
        "invalid": "(?:token|CSI) (?:not validated|não validado)",
    },
}
"""How a line of text says what a customer's slots hold."""


@pytest.mark.parametrize("name", [name for name in PERSONAS if name != "exemplo"])
def test_a_line_about_a_customer_says_what_the_slots_hold(name: str) -> None:
    """In both languages, on the card of the web chat and on the page; so do its figures."""
    who, pages = PERSONAS[name], ("docs/testing.md", "docs/testing.pt-BR.md")
    rows = [row for page in pages for table in document(page).tables for row in table.rows]
    rows = [row for row in rows if name in code_words(row[0])]
    assert len(rows) == 2
    told = {slot for slot in SAYS if who.slots[slot] not in {None, "absent"}} | {"identification"}
    for line in (*CARDS[name].about.values(), *(row[1] for row in rows)):
        found = {
            slot: [value for value, words in each.items() if re.search(words, line)]
            for slot, each in SAYS.items()
        }
        assert {slot for slot, values in found.items() if values} == told, line
        assert all(who.slots[slot] in found[slot] for slot in told), line
        of = PERSONAS["iara"] if "Iara" in line else who
        figures = {str(of.answer["expireIn"]), str(len(str(of.payload.get("u_cpf"))))}
        assert {*re.findall(r"\d+", line)} <= figures
    segments = [dict(re.findall(r"`(\w+)` \((\w+)\)", row[0])).get(name) for row in rows]
    assert {*segments} <= {None, who.slots["segment"]}
    assert f", {who.slots['segment']}: " in who.title


def test_no_two_customers_share_a_value_that_tells_them_apart() -> None:
    """A value of one customer at another one is a leak, and must be seen as one."""
    for slot in ("cpf", "account", "ps7_key", "ps7_decoded_context_id"):
        assert len({persona.slots[slot] for persona in PERSONAS.values()}) == len(PERSONAS)


def test_a_title_of_a_fault_says_its_figures() -> None:
    """In each language what the simulator does: status, code, sizes and seconds."""
    low, high = (round(1000 * each) for each in delivery._JITTER)
    packed, padding = delivery._MEBIBYTES, FAULTS["huge-header"].headers["X-Padding"]
    late = FAULTS["http-429-far"].headers["Retry-After"]
    said = {
        "late": {str(low), str(high)},
        "gzip-bomb": {str(packed)},
        "too-large": {str(MAX_ANSWER_BYTES // 1024)},
        "huge-header": {str(len(padding) // 1024)},
        "http-429-soon": {FAULTS["http-429-soon"].headers["Retry-After"]},
        "http-429-date": {FAULTS["http-429-date"].headers["Retry-After"]},
        "http-429-far": {str(int(late) // 3600)},
        "not-found": {"1"},
    }
    for name, fault in FAULTS.items():
        texts = [fault.title, *(CARDS[name].about.values() if name in CARDS else ())]
        for figures in ({*re.findall(r"\b(?<!PS)\d+", text)} for text in texts):
            assert figures <= said.get(name, set()) | {str(fault.status)}, name
            assert figures >= said.get(name, set()), name
    body = FAULTS["not-found"].body
    assert isinstance(body, dict)
    assert body["code"] == "1"


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
