"""The exact versions that the files in requirements/ have."""

from __future__ import annotations

import re

from tests.support.processes import ROOT

RUNTIME, FLOOR = "requirements/runtime.txt", "requirements/floor.txt"
RASA_PINS, ADDED_TO_RASA = "requirements/rasa.txt", "requirements/in-rasa.txt"


def pinned(file: str) -> dict[str, str]:
    """Return the versions that a file of pins has for every Python and system, by name."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))
