"""docs/adr: the decisions, and their index."""

from __future__ import annotations

import re

from tests.support.processes import ROOT


def test_every_decision_is_in_the_index() -> None:
    """Under its number and its title, and numbers are given once, without a gap."""
    folder = ROOT / "docs" / "adr"
    index = (folder / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|$", index, re.MULTILINE)
    titles = [
        re.findall(r"# (\d+)\. (.+)", path.read_text(encoding="utf-8"))[0] + (path.name,)
        for path in sorted(folder.glob("0*.md"))
    ]
    assert listed == titles
    assert [int(number) for number, *_ in listed] == list(range(1, len(listed) + 1))
