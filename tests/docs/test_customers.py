"""What pages, cards and titles say of the named customers and faults, against what these have."""

from __future__ import annotations

import re

import pytest

from actions.ps7.lookup.http import MAX_ANSWER_BYTES
from actions.ps7.testing import FAULTS, PERSONAS
from actions.ps7.testing.simulator import delivery
from examples.webchat.cards import CARDS
from tests.docs.documents import code_words, document

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
