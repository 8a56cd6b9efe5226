"""What Rasa 3 refuses in the files of a bot whatever it means, or does not read: Rasa 1's and 2's.

It stops at the first of them, and names no line. Rasa Pro fills a slot without mappings by a model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..findings import Finding, finding, listed
from .content import mappings
from .yaml import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from .content import Bot
    from .yaml import Table

FORMS: dict[str, tuple[Any, type]] = {
    **dict.fromkeys(("intents", "entities", "actions"), (list, object)),
    **dict.fromkeys(("slots", "forms"), (dict, dict)),
    "responses": (dict, list),
    "session_config": (dict, object),
    "version": (str, object),
    "templates": ((), object),  # of Rasa 1; nothing is in the form of Rasa 3
}
"""The form of a section, and of what each name in it has."""
_IGNORED = "ignored_intents"
_MAPPINGS = {"from_entity", "from_intent", "from_text", "from_trigger_intent", "custom"}
_MARKDOWN = (
    (r"(?m)^## *(intent|synonym|regex|lookup):", "(?m)^nlu:"),
    (r"(?m)^\* *\w.*\n\s+- *(utter|action|slot|form)", "(?m)^(stories|rules|flows):"),
)
"""How training data of Rasa 1 looks, and YAML of that kind."""


def check(bot: Bot) -> Iterator[Finding]:
    """Check the form of a domain."""
    for file, content in bot.domain_files:
        odd: list[str] = []
        for section in content.keys() & FORMS.keys():
            form, entry = FORMS[section]
            entries = table(content[section]).items()
            odd += [section] if not isinstance(content[section], form) else []
            odd += [f"{section}.{name}" for name, has in entries if not isinstance(has, entry)]
        forms = ((name, form) for name, form in table(content.get("forms")).items() if form)
        odd += [f"forms.{name}" for name, form in forms if not _is_form(table(form))]
        if odd:
            yield finding("rasa-3:form", file=file, names=listed(sorted({*odd})))
    if unmapped := [name for name in bot.slots if not (bot.is_calm or _is_filled(bot.slots[name]))]:
        yield finding("rasa-3:mappings", names=listed(unmapped))


def _is_form(form: Table) -> bool:
    """Whether a form names its slots in a list, and nothing of how they are filled."""
    asked = form.get("required_slots") or []
    in_list = isinstance(asked, list) and all(isinstance(slot, str) for slot in asked)
    return in_list and "required_slots" in form and form.keys() <= {"required_slots", _IGNORED}


def _is_filled(slot: Mapping[str, Any]) -> bool:
    """Whether a slot has mappings, and each is one for Rasa."""
    held, kinds = slot.get("mappings"), [each["type"] for each in mappings(dict(slot))]
    return isinstance(held, list) and len(kinds) == len(held) and _MAPPINGS.issuperset(kinds)


def check_markdown(markdown: Mapping[Path, str], others: Iterable[str]) -> Iterator[Finding]:
    """Check for training data of Rasa 1. `others`: those that Rasa 3 reads."""
    yaml = list(others) if markdown else []
    for old, new in _MARKDOWN:
        if found := [str(file) for file, text in markdown.items() if re.search(old, text)]:
            there = any(re.search(new, text) for text in yaml)
            yield finding("rasa-3:beside" if there else "rasa-3:data", files=listed(found))
