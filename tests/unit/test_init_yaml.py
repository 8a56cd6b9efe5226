"""The edits that `rasa-ps7 init` makes in YAML: lines are put in, or nothing is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from actions.ps7.cli.init import edits

ENDPOINT = 'action_endpoint:\n  url: "http://localhost:5055/webhook"\n'
COMMENTED = '# action_endpoint:\n#   url: "http://localhost:5055/webhook" # here\na: 1\n'
UNCOMMENTED = 'action_endpoint:\n  url: "http://localhost:5055/webhook" # here\na: 1\n'
ANOTHER = "# action_endpoint:\n#   url: 'x'\n"
EMPTY = ("action_endpoint:", "action_endpoint: \n", "action_endpoint: # none yet\n")
TAKES_THE_TYPE = 'a:\n#action_endpoint:\n#  url: "http://localhost:5055/webhook"\n  type: redis\n'
PUT_IN = """\
  - text: "Olá! Sou a assistente do Personnalité."
    condition:
      - type: slot
        name: segment
        value: Personnalité
"""
GREETING = "responses:\n  u:\n  # ours\n%s  - text: a\n"
BUTTONS = '  - text: a\n    buttons:\n    - {title: "x: y", payload: no}\n'
BUTTONS += "  - text: b\n    channel: of another variation\n"
THE_SAME = "    buttons:\n      - title: 'x: y'\n        payload: no\n"
SAYS = "Olá! Sou a assistente do Personnalité."
greet = partial(edits.with_greeting, response="u", slot="segment", greeting=SAYS)
endpoint, imports = edits.with_endpoint, edits.with_import
MAIN = 'import a\n\nif __name__ == "__main__":\n    a.run()\n'


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (endpoint, "a: 1", f"a: 1\n{ENDPOINT}"),
        (endpoint, COMMENTED, UNCOMMENTED),
        (endpoint, ANOTHER, ANOTHER + ENDPOINT),
        *((endpoint, f"a: 1\n{empty}", f"a: 1\n{ENDPOINT}") for empty in EMPTY),
        (endpoint, "action_endpoint:\nb: 1\n", f"{ENDPOINT}b: 1\n"),
        (imports, "import a", "import a\nimport rasa_ps7\n"),
        (imports, MAIN, MAIN.replace("if", "import rasa_ps7\n\n\nif")),
        (imports, "# if __name__", "# if __name__\nimport rasa_ps7\n"),
        (greet, GREETING % "", GREETING % PUT_IN),
        (greet, f"responses:\n  u:\n{BUTTONS}", f"responses:\n  u:\n{PUT_IN}{THE_SAME}{BUTTONS}"),
    ],
)
def test_an_edit_puts_lines_in(edit: Callable[[str], str | None], before: str, after: str) -> None:
    """Comments stay, and what an answer has beside its text."""
    assert edit(before) == after


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (endpoint, TAKES_THE_TYPE),
        (endpoint, "{a: 1}\n"),
        (endpoint, "a: 1\n...\n"),
        (greet, "responses:\n  u: &u\n  - text: a\n  v: *u\n"),
        (greet, "responses: {u: [{text: a}]}\n"),
        (greet, "responses: a\n"),
        (greet, "  u:\n  - [\n"),  # no domain, and so no YAML that was read before
        (greet, "responses: {v: []}\nforms:\n  u:\n  - a\n"),
    ],
)
def test_an_edit_that_would_change_more_is_left_to_a_person(
    edit: Callable[[str], str | None], text: str
) -> None:
    """For the file has no place for a line."""
    assert edit(text) is None
