"""The environment that has Rasa Open Source: what every custom action costs there, what is too old.

Its interpreter is asked for versions; neither Rasa nor what the bot has is imported.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from .report import Finding, caution, error, listed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS = 20
_SLOW_FROM = "4"
"""The version of jsonschema from which on Rasa's check of an answer takes some 20 ms."""
_ASK = """
import json, re
from importlib.metadata import PackageNotFoundError, requires, version

def ask(read, name, otherwise):
    try:
        return read(name)
    except PackageNotFoundError:
        return otherwise

needs = [each.partition(";")[0] for each in ask(requires, "rasa-ps7", [])]
held = [[each, ask(version, re.match(r"[\\w.-]+", each)[0], "")] for each in needs]
print(json.dumps([ask(version, "rasa", ""), ask(version, "jsonschema", ""), held]))
"""


def check(python: str | None) -> Iterator[Finding]:
    """Check the environment of an interpreter; where none is named, this one if it has Rasa."""
    named = python or sys.executable
    how = "name the interpreter that runs Rasa, such as .venv/bin/python"
    try:
        asked = subprocess.run(  # noqa: S603 - the user names it
            (named, "-c", _ASK), capture_output=True, timeout=_SECONDS, check=True
        )
        rasa, jsonschema, held = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        yield error("rasa-python", f"{named} does not say which packages it has", how)
        return
    if rasa:
        yield from _judge(rasa, jsonschema, held)
    elif python is not None:
        yield error("rasa-none", f"{named} has no Rasa Open Source", how)


def _judge(rasa: str, jsonschema: str, held: list[tuple[str, str]]) -> Iterator[Finding]:
    """Check versions: of Rasa, of jsonschema, and of what the plugin needs, if it is there too."""
    beside = f"Rasa {rasa} has jsonschema {jsonschema}"
    if _older(jsonschema, _SLOW_FROM):
        yield ok("rasa", beside)
    else:
        how = "pin jsonschema==3.2.0 there, which Rasa allows: it counts for each action of the bot"
        yield caution("jsonschema", f"{beside}: each custom action costs it some 20 ms more", how)
    lacking = [wanted for wanted, has in held if _older(has, wanted.partition(">=")[2])]
    if lacking:
        found = f"rasa-ps7 stands in Rasa's environment, which lacks {listed(lacking)}"
        how = "install what requirements/in-rasa.txt of the plugin's repository pins there"
        yield error("rasa-environment", found, how)


def _older(held: str, least: str) -> bool:
    """Whether a version is none, or older than another."""
    has, wants = ([int(part) for part in re.findall(r"\d+", text)] for text in (held, least))
    return not has or has < wants
