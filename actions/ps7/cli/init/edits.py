"""Edits of YAML as text: lines are put in, and all others keep their form and their comments. Pure.

An edit that cannot be made that way, such as one of `[a, b]` on one line, or that would change more
than it should, returns None.
"""

from __future__ import annotations

import re
from io import StringIO
from textwrap import dedent, indent

from ..bot.yaml import Table, parsed, rows, table

ACTION_SERVER = "http://localhost:5055/webhook"
_ENDPOINT = f'action_endpoint:\n  url: "{ACTION_SERVER}"\n'
_COMMENTED = re.compile(rf'(?m)^(# ?)(action_endpoint: *\n)\1( +url: *"{ACTION_SERVER}")')
"""As `rasa init` makes it."""
_NEVER_WRAPPED = 10_000
_EMPTY = re.compile(r"^action_endpoint:[ \t]*(?:#.*)?\n?", re.MULTILINE)
_SEGMENT = "Personnalité"
_IMPORT = "import rasa_ps7\n"


def appended(text: str, block: str) -> str:
    """Return a text with a block of lines at its end."""
    return f"{text}\n{block}" if text and not text.endswith("\n") else text + block


def with_import(text: str) -> str:
    """Return a module that imports the plugin, before what runs only if it is the program."""
    main = re.search(r"^if __name__\b", text, re.MULTILINE)
    if main is None:
        return appended(text, _IMPORT)
    return f"{text[: main.start()]}{_IMPORT}\n\n{text[main.start() :]}"


def with_endpoint(text: str) -> str | None:
    """Name the action server: in lines that are there as comments, or empty, or in new ones."""
    after = _COMMENTED.sub(r"\2\3", text, count=1)
    after = _EMPTY.sub(_ENDPOINT, text, count=1) if after == text else after
    after = appended(text, _ENDPOINT) if after == text else after
    return _checked(after, {**parsed(text), "action_endpoint": {"url": ACTION_SERVER}})


def with_greeting(text: str, response: str, slot: str, greeting: str) -> str | None:
    """Put an answer for one segment in front of a response's: the first of them, reworded."""
    key = rf"^ +(['\"]?){re.escape(response)}\1:.*\n(?: *(?:#.*)?\n)*( *)(?=-\s)"
    place = re.search(key, text, re.MULTILINE)
    meant = parsed(text) if place and "responses" in text else {}
    responses = table(meant.get("responses"))
    answers = rows(responses.get(response))
    if place is None or not answers:
        return None
    greets = {"text": greeting, "condition": [{"type": "slot", "name": slot, "value": _SEGMENT}]}
    kept = {name: part for name, part in table(answers[0]).items() if name not in greets}
    meant["responses"] = {**responses, response: [{**greets, **kept}, *answers]}
    added = indent(_block(greets | kept), place[2])
    return _checked(text[: place.start(2)] + added + text[place.start(2) :], meant)


def _block(answer: Table) -> str:
    """Write one answer as an entry of a list."""
    from ruamel.yaml import YAML
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

    writer = YAML()
    writer.width = _NEVER_WRAPPED
    writer.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    writer.dump([{**answer, "text": Quoted(answer["text"])}], out)
    return dedent(out.getvalue())


def _checked(after: str, meant: Table) -> str | None:
    try:
        return after if parsed(after) == meant else None
    except ValueError:
        return None
