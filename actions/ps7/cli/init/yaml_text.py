"""Edits of YAML as text: lines are put in, and all others keep their form and their comments. Pure.

An edit that cannot be made that way, such as one of `[a, b]` on one line, or that would change more
than it should, returns None.
"""

from __future__ import annotations

import re
from textwrap import indent

from ..doctor.bot import Table, parsed, rows, table

ACTION_SERVER = "http://localhost:5055/webhook"
_ENDPOINT = f'action_endpoint:\n  url: "{ACTION_SERVER}"\n'
_COMMENTED = re.compile(
    rf'^(# ?)(action_endpoint:[ \t]*\n)\1([ \t]+url:[ \t]*"{ACTION_SERVER}")', re.MULTILINE
)
"""As `rasa init` makes it."""
_POLICIES = """\
  - name: MemoizationPolicy
  - name: RulePolicy
    enable_fallback_prediction: false
  - name: UnexpecTEDIntentPolicy
    max_history: 5
    epochs: 100
  - name: TEDPolicy
    max_history: 5
    epochs: 100
    constrain_similarities: true
"""
"""What Rasa Open Source takes where config.yml names no policies, but for its fallback."""
_NO_POLICIES = re.compile(r"^(policies:.*\n)(?:#(?: #|  ) .*\n)*", re.MULTILINE)
"""With the same as comments, which Rasa writes below it and which are wrong then."""
_RULE_POLICY = re.compile(r"^( *- *| +)name: *(['\"]?)RulePolicy\2(?: .*)?\n", re.MULTILINE)
_NO_FALLBACK = "enable_fallback_prediction"
_SEGMENT, _GREETING = "Personnalité", "Olá! Sou a assistente do Personnalité."
_ANSWER = f"""\
- text: "{_GREETING}"
  condition:
    - type: slot
      name: {{slot}}
      value: {_SEGMENT}
"""


def appended(text: str, block: str) -> str:
    """Return a text with a block of lines at its end."""
    return f"{text}\n{block}" if text and not text.endswith("\n") else text + block


def with_endpoint(text: str) -> str | None:
    """Name the action server: in the lines that are there as comments, or in new ones."""
    after = _COMMENTED.sub(r"\2\3", text, count=1)
    after = appended(text, _ENDPOINT) if after == text else after
    return _checked(after, {**parsed(text), "action_endpoint": {"url": ACTION_SERVER}})


def with_greeting(text: str, response: str, slot: str) -> str | None:
    """Put an answer for one segment in front of those that a response has."""
    key = rf"^ +(['\"]?){re.escape(response)}\1:.*\n(?: *(?:#.*)?\n)*( *)(?=-\s)"
    place = re.search(key, text, re.MULTILINE)
    meant = parsed(text) if place and "responses" in text else {}
    responses = table(meant.get("responses"))
    if place is None or response not in responses:
        return None
    condition = {"type": "slot", "name": slot, "value": _SEGMENT}
    greets = {"text": _GREETING, "condition": [condition]}
    meant["responses"] = {**responses, response: [greets, *rows(responses[response])]}
    added = indent(_ANSWER.format(slot=slot), place[2])
    return _checked(text[: place.start(2)] + added + text[place.start(2) :], meant)


def without_fallback(text: str) -> str | None:
    """Let RulePolicy predict no fallback; where no policies are named, name those of Rasa."""
    text, meant = appended(text, ""), parsed(text)
    if meant.get("policies"):
        after = _RULE_POLICY.sub(
            lambda found: f"{found[0]}{' ' * len(found[1])}{_NO_FALLBACK}: false\n", text, count=1
        )
        policies = map(table, rows(meant["policies"]))
        never = {_NO_FALLBACK: False}
        meant["policies"] = [
            each | never if each.get("name") == "RulePolicy" else each for each in policies
        ]
    else:
        after = _NO_POLICIES.sub(rf"\1{_POLICIES}", text, count=1)
        after = appended(text, f"policies:\n{_POLICIES}") if after == text else after
        meant |= parsed(f"policies:\n{_POLICIES}")
    return _checked(after, meant)


def _checked(after: str, meant: Table) -> str | None:
    try:
        return after if parsed(after) == meant else None
    except ValueError:
        return None
