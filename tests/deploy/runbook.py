"""The commands of the runbook, as the one who is awake types them into a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from tests.docs.documents import document
from tests.support.processes import ROOT

PLATFORMS = ("kubernetes", "compose")
_PAGE = document("docs/runbook.pt-BR.md")
TEXT = _PAGE.text
_PREPARED, *_SECTIONS = re.split("(?m)^## (?=PS7)", TEXT)


def _blocks(text: str) -> list[str]:
    return re.findall(r"(?ms)^```sh\n(.*?)^```$", text)


_KUBERNETES, _COMPOSE = _blocks(_PREPARED)
ON_CALL = (ROOT / "examples/deploy/on-call.sh").read_text(encoding="utf-8")
"""The file of shell functions that the page has one load first."""
FUNCTIONS = {*re.findall(r"(?m)^ *(\w+)\(\) \{", ON_CALL)} - {*PLATFORMS}
SHOWN = {each.partition("\n")[0]: _blocks(each) for each in _SECTIONS}
"""How each alert is seen: a block of commands for each kind of it."""


def prepared(platform: str) -> str:
    """Return what is typed first on one of the platforms, where examples/deploy/ is."""
    return {"kubernetes": _KUBERNETES, "compose": _COMPOSE}[platform]


def _in_sentences(text: str) -> list[str]:
    words = re.findall(r"`([^`\n]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))
    return [each for each in dict.fromkeys(words) if each.split()[0] in FUNCTIONS]


_TYPED = ["".join(_blocks(each)).splitlines() + _in_sentences(each) for each in _SECTIONS]
LINES = [*dict.fromkeys(chain(_in_sentences(_PREPARED), *_TYPED))]
"""What the page has one type, line by line."""
WORDS = _PAGE.code_words
"""What is in code type."""
_PRINTS = {
    "pods": "actions",
    "logs actions 15m": "PS7 lookup: ",
    "reasons": "outcome=ok reason=ok status=200",
    "measure ps7_turns": "ps7_turns_total",
    "measure ps7_seal_keys": "digest=",
    "measure ps7_certificate": "ps7_certificate_expiry_seconds",
    "hello": "Rasa: [",
    "stores": "DB postgres ok\nREDIS redis ok\nACTIONS https://balancer:5055/webhook ok",
    "each date -u": "UTC",
    "doctor": "PS7 takes the credentials",
}
_ELSEWHERE = ("rollback", "restart_one", "ps7 lookup")
"""What builds an image, or wants a name or a contextId that only somebody there knows."""


def in_compose(sender: str) -> Iterator[tuple[str, str, str]]:
    """Yield what can be typed where Compose runs, in a folder to write to; this sender has talked.

    The command, the script for `sh` that runs it, and a text that it prints.
    """
    for line in LINES:
        if not line.startswith(_ELSEWHERE):
            typed = line.replace("SENDER_ID", sender)
            typed += " <tracker.json" if typed == "ps7 explain -" else ""
            typed = "echo 529.982.247-25 | customer" if typed == "customer" else typed
            yield line, f"{prepared('compose')}\n{typed}", _PRINTS.get(line, "")
