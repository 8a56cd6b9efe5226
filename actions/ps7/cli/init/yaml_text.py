"""Edits of YAML as text: lines are put in, and all others keep their form and their comments. Pure.

An edit that cannot be made that way, such as one of `[a, b]` on one line, returns None. So does one
that would change more than it should: the text is read again, and held against what it must say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .files import appended

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

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
_TOLD_BY_RASA = re.compile(r"(?:#(?: #|  ) .*\n)*")
"""The same as comments, which Rasa writes below `policies:` and which are wrong then."""
_NO_FALLBACK = "enable_fallback_prediction"


def with_endpoint(text: str) -> str | None:
    """Name the action server: in the lines that are there as comments, or in new ones."""
    after = _COMMENTED.sub(r"\2\3", text, count=1)
    after = appended(text, _ENDPOINT) if after == text else after
    return _checked(after, {**_loaded(text), "action_endpoint": {"url": ACTION_SERVER}})


def with_greeting(text: str, response: str, slot: str, segment: str, greeting: str) -> str | None:
    """Put an answer for one segment in front of those that a response has."""
    _, answers = _at(text, "responses", response)
    if answers is None or not _is_block(text, answers):
        return None
    lines = [
        f'- text: "{greeting}"',
        "  condition:",
        "    - type: slot",
        f"      name: {slot}",
        f"      value: {segment}",
    ]
    indent = " " * answers.start_mark.column
    start = answers.start_mark.index - len(indent)
    after = text[:start] + "".join(f"{indent}{line}\n" for line in lines) + text[start:]
    meant = _loaded(text)
    condition = {"type": "slot", "name": slot, "value": segment}
    meant["responses"][response].insert(0, {"text": greeting, "condition": [condition]})
    return _checked(after, meant)


def without_fallback(text: str) -> str | None:
    """Let RulePolicy predict no fallback; where no policies are named, name those of Rasa."""
    meant = _loaded(text)
    if not meant.get("policies"):
        meant["policies"] = _loaded(f"policies:\n{_POLICIES}")["policies"]
        key, _ = _at(text, "policies")
        if key is None:
            return _checked(appended(text, f"policies:\n{_POLICIES}"), meant)
        above, below = _cut_below(text, key)
        return _checked(above + _POLICIES + _TOLD_BY_RASA.sub("", below, count=1), meant)
    rules = [number for number, each in enumerate(meant["policies"]) if _is_rule_policy(each)]
    if not rules:
        return None
    key, _ = _at(text, "policies", rules[0], "name")
    above, below = _cut_below(text, key)
    meant["policies"][rules[0]][_NO_FALLBACK] = False
    return _checked(f"{above}{' ' * key.start_mark.column}{_NO_FALLBACK}: false\n{below}", meant)


def _is_rule_policy(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("name") == "RulePolicy"


def _is_block(text: str, sequence: Node) -> bool:
    """Whether a list stands on lines of its own, each with a dash."""
    mark = sequence.start_mark
    before = text[mark.index - mark.column : mark.index]
    return not before.strip() and text[mark.index] == "-"


def _cut_below(text: str, key: Node) -> tuple[str, str]:
    """Return the lines up to that of a key, and those below it."""
    end = text.find("\n", key.end_mark.index) + 1
    return (text[:end], text[end:]) if end else (f"{text}\n", "")


def _at(text: str, *path: str | int) -> tuple[Any, Any]:
    """Return the nodes of a key and of its value; two None where there is no such key."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - an action server never needs it

    key, node = None, YAML(typ="safe", pure=True).compose(text)
    for step in path:
        if isinstance(step, int):
            node = node.value[step]
            continue
        pairs = node.value if node is not None and node.id == "mapping" else ()
        key, node = next(((key, value) for key, value in pairs if key.value == step), (None, None))
    return key, node


def _loaded(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - as above

    content = YAML(typ="safe", pure=True).load(text)
    return content if isinstance(content, dict) else {}


def _checked(after: str, meant: object) -> str | None:
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    try:
        return after if _loaded(after) == meant else None
    except YAMLError:
        return None
