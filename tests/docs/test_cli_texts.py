"""What the texts of the commands send one to: other commands, and pages."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.docs.test_documents import exit_code, leads_nowhere
from tests.unit.test_cli_texts import CLI, FILES


@pytest.mark.parametrize("file", [*FILES, "fragments.txt"])
def test_a_command_or_a_page_that_a_text_names_is_there(file: str) -> None:
    """The parser takes each call, and each page has the heading."""
    text = (CLI / file).read_text("utf-8")
    called = re.findall(r"(?:(?m:^)  |`)(?:[^`\n]* )?rasa-ps7 ([a-z][^`<>\n]*)", text)
    calls = [shlex.split(each) for each in called]
    assert [call for call in calls if exit_code(call)] == []
    pages = re.findall(r"\b(?:docs|examples|requirements)/[\w/-]+(?:\.[\w-]+)*(?:#[\w-]+)?", text)
    assert [page for page in pages if leads_nowhere(page, "README.md")] == []
