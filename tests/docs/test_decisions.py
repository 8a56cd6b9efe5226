"""A decision has its date, what became of it, and what was rejected for it."""

from __future__ import annotations

import re

import pytest

from tests.docs.documents import document, names

STATUS = r"\d{4}-\d\d-\d\d, (accepted|superseded by \[\d+\]\(\d{4}-[\w-]+\.md\))(; .+)?"


@pytest.mark.parametrize("name", [each for each in names() if each.startswith("docs/adr/")])
def test_a_decision_says_when_what_became_of_it_and_what_was_rejected(name: str) -> None:
    """In this order, below a title that has the number of its file."""
    title, status, *said, rejected = document(name).text.split("\n\n")
    assert title.startswith(f"# {int(name.removeprefix('docs/adr/')[:4])}. ")
    assert re.fullmatch(STATUS, status)
    assert said
    assert rejected.startswith("Rejected")
