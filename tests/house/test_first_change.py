"""What CONTRIBUTING.md shows a newcomer: a test that is red, and the row that makes it green."""

from __future__ import annotations

import ast
import re

import pytest

from actions.ps7 import customer
from tests.support.customer import CUSTOMER
from tests.support.processes import ROOT
from tests.unit import test_customer_slots

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = TEXT.partition("## Your first change\n")[2].partition("\n## ")[0]


def test_the_first_change_is_red_and_then_green(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the file and under the test that it names."""
    (name,) = re.findall(r"a case of `(\w+)`", WALK)
    (case,) = re.findall(r"`(\(\[.+\}\))`", WALK)
    (row,) = re.findall(r"`Slot\((.+)\)`", WALK)
    assert "tests/unit/test_customer_slots.py" in WALK
    check = getattr(test_customer_slots, name)
    declared, renames, written = ast.literal_eval(case)
    with pytest.raises(AssertionError):
        check(declared, renames, written)
    call = ast.parse(f"Slot({row})", mode="eval").body
    assert isinstance(call, ast.Call)
    more = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    slot = customer.Slot(*map(ast.literal_eval, call.args), **more)
    assert slot.wire
    monkeypatch.setitem(customer.CUSTOMER_SLOTS, slot.name, slot)
    monkeypatch.setitem(customer._WIRE, slot.name, slot.wire)
    monkeypatch.setattr(customer, "FIXED_NAMES", customer.FIXED_NAMES | {slot.name})
    check(declared, renames, written)
    assert CUSTOMER.field(slot.wire) == written[slot.name]
