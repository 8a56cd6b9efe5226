"""The edits that `rasa-ps7 init` makes in YAML: lines are put in, or nothing is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from actions.ps7.cli.init import yaml_text

ENDPOINT = 'action_endpoint:\n  url: "http://localhost:5055/webhook"\n'
POLICIES = f"policies:\n{yaml_text._POLICIES}"
NO_FALLBACK = "enable_fallback_prediction: false"
PUT_IN = """\
  - text: "Olá! Sou a assistente do Personnalité."
    condition:
      - type: slot
        name: segment
        value: Personnalité
"""
greet = partial(yaml_text.with_greeting, response="u", slot="segment")
endpoint, fallback = yaml_text.with_endpoint, yaml_text.without_fallback


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
        (greet, "responses:\n  v: &v\n  - text: a\n  u: *v\n", None),
        (greet, "responses:\n  u: &u\n  - text: a\n  v: *u\n", None),
        (greet, "responses: {u: [{text: a}]}\n", None),
        (greet, "responses:\n  u: a\n", None),
        (greet, "responses: a\n", None),
        (greet, "  u:\n  - [\n", None),  # no domain, and so no YAML that was read before
        (greet, "responses: {v: []}\nforms:\n  u:\n  - a\n", None),
        (fallback, "language: pt", f"language: pt\n{POLICIES}"),
        (fallback, "policies:", POLICIES),
        (fallback, "policies:\n# Ours.\nlanguage: pt\n", f"{POLICIES}# Ours.\nlanguage: pt\n"),
        (fallback, "policies: null\n", None),
        (fallback, "policies: {a: 1}\n", None),
        (fallback, "policies: [{name: RulePolicy}]\n", None),
        (
            fallback,
            "policies:\n-   name: 'RulePolicy' # first\n",
            f"policies:\n-   name: 'RulePolicy' # first\n    {NO_FALLBACK}\n",
        ),
        (
            fallback,
            "policies:\n- name: A\n- name: RulePolicy",
            f"policies:\n- name: A\n- name: RulePolicy\n  {NO_FALLBACK}\n",
        ),
        (fallback, f"policies:\n  - name: RulePolicy\n    {NO_FALLBACK[:-5]}true\n", None),
    ],
)
def test_an_edit(edit: Callable[[str], str | None], before: str, after: str | None) -> None:
    """None: a person has to do it, for the file has no place for a line."""
    assert edit(before) == after
