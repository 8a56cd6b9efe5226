"""The edits that `rasa-ps7 init` makes in YAML: lines are put in, or nothing is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from actions.ps7.cli.init import edits

ENDPOINT = 'action_endpoint:\n  url: "http://localhost:5055/webhook"\n'
PUT_IN = """\
  - text: "Olá! Sou a assistente do Personnalité."
    condition:
      - type: slot
        name: segment
        value: Personnalité
"""
BUTTONS = '  - text: a\n    buttons:\n    - {title: "x: y", payload: no}\n'
THE_SAME = "    buttons:\n      - title: 'x: y'\n        payload: no\n"
greet = partial(edits.with_greeting, response="u", slot="segment", language="pt-BR")
endpoint = edits.with_endpoint


@pytest.mark.parametrize(
    ("edit", "before", "after"),
    [
        (endpoint, "", ENDPOINT),
        (endpoint, "a: 1", f"a: 1\n{ENDPOINT}"),
        (
            endpoint,
            "# action_endpoint:\n#   url: 'x'\n",
            "# action_endpoint:\n#   url: 'x'\n" + ENDPOINT,
        ),
        (
            endpoint,
            '# action_endpoint:\n#   url: "http://localhost:5055/webhook" # here\na: 1\n',
            'action_endpoint:\n  url: "http://localhost:5055/webhook" # here\na: 1\n',
        ),
        (
            endpoint,  # it would take the type over
            'a:\n#action_endpoint:\n#  url: "http://localhost:5055/webhook"\n  type: redis\n',
            None,
        ),
        (endpoint, "{a: 1}\n", None),
        (endpoint, "- a\n", None),
        (endpoint, "a: 1\n...\n", None),
        (
            greet,
            "responses:\n  u:\n  # ours\n  - text: a\n",
            f"responses:\n  u:\n  # ours\n{PUT_IN}  - text: a\n",
        ),
        (
            greet,  # what an answer has beside its text stays
            f"responses:\n  u:\n{BUTTONS}",
            f"responses:\n  u:\n{PUT_IN}{THE_SAME}{BUTTONS}",
        ),
        (greet, "responses:\n  v: &v\n  - text: a\n  u: *v\n", None),
        (greet, "responses:\n  u: &u\n  - text: a\n  v: *u\n", None),
        (greet, "responses: {u: [{text: a}]}\n", None),
        (greet, "responses:\n  u: a\n", None),
        (greet, "responses: a\n", None),
        (greet, "  u:\n  - [\n", None),  # no domain, and so no YAML that was read before
        (greet, "responses: {v: []}\nforms:\n  u:\n  - a\n", None),
    ],
)
def test_an_edit_puts_lines_in_or_changes_nothing(
    edit: Callable[[str], str | None], before: str, after: str | None
) -> None:
    """None: a person has to do it, for the file has no place for a line."""
    assert edit(before) == after
