"""What Rasa's own channels do: the doctor's advice, and the table of the documents."""

from __future__ import annotations

import re

import pytest

from actions.ps7.cli.doctor.channels import CHANNELS
from tests.conversation.fixtures import InRasa
from tests.docs.documents import code_words, document

PAGE = document("docs/channels.md")
ASKS = """
import inspect, sys
from rasa.core.channels import BUILTIN_CHANNELS
found = {
    name: "self.get_metadata(" in inspect.getsource(sys.modules[cls.__module__])
    for name, cls in BUILTIN_CHANNELS.items()
}
"""


def said_before(words: str) -> set[str]:
    """Return what is in code type in the sentence of the page that goes on with these words."""
    (found,) = re.findall(rf"([^.]*) {re.escape(words)}", PAGE.prose)
    return {*code_words(found)}


def test_the_table_has_what_the_doctor_says_to_read() -> None:
    """Of each channel that needs a class of the bot's own, and of no other."""
    rows = PAGE.table("channel", "what to read").rows
    said = {name: what for names, what in rows for name in code_words(names)}
    assert said == {name: channel.reads for name, channel in CHANNELS.items()}


def test_the_page_says_which_channels_refuse_and_which_never_ask() -> None:
    """As the doctor does; `hangouts` refuses only if it is told to."""
    refuse = {name for name, channel in CHANNELS.items() if channel.authenticates}
    assert said_before("refuse an unauthenticated post") == refuse
    never = {name for name, channel in CHANNELS.items() if not channel.asks}
    assert said_before("never call that: override `blueprint`") == never


@pytest.mark.conversation
def test_the_doctor_knows_which_channels_ask(in_rasa: InRasa) -> None:
    """As Rasa's code does."""
    asks = in_rasa(ASKS)
    said = {name: channel.asks for name, channel in CHANNELS.items()}
    assert {name: asks[name] for name in said} == said
