"""The table of docs/reliability.md: every fault as the simulator has it."""

from __future__ import annotations

import re

from actions.ps7.testing import FAULTS
from tests.faults.ending import at_every_attempt
from tests.support.processes import ROOT

ROW = re.compile(r"^\| `([\w-]+)` \| [^|]+ \| `(\w+)` \| `(\w+)` \| (\d+) \|$", re.MULTILINE)


def test_every_fault_has_its_row() -> None:
    """Outcome, reason and number of requests are those that the grid has found."""
    text = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    rows = {
        name: (outcome, reason, int(requests))
        for name, outcome, reason, requests in ROW.findall(text)
    }
    ends = {name: at_every_attempt(fault) for name, fault in FAULTS.items()}
    expected = {name: (end.outcome, end.reason, end.requests) for name, end in ends.items()}
    assert rows == expected
