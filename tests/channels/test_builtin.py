"""What Rasa's own channels do: the doctor's advice, and the table of the documents."""

from __future__ import annotations

import json
import subprocess

import pytest

from actions.ps7.cli.doctor.channels import CHANNELS
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import document

HEADER = (
    *("channel", "metadata as it comes", "a post of anybody", "`get_metadata`", "as JSON"),
    "what makes the lookup `ok`",
)
ROWS = {row[0].strip("`"): row for row in document("docs/integration.md").table(*HEADER).rows}
ASKS = """
import inspect, json, sys
from rasa.core.channels import BUILTIN_CHANNELS
print(json.dumps({
    name: "self.get_metadata(" in inspect.getsource(sys.modules[cls.__module__])
    for name, cls in BUILTIN_CHANNELS.items()
}))
"""


@pytest.mark.parametrize("name", CHANNELS)
def test_the_advice_of_the_doctor_is_in_the_table(name: str) -> None:
    """What a channel takes and calls, and in the doctor's words what to do about it."""
    channel, (_, _, of_anybody, called, _, what) = CHANNELS[name], ROWS[name]
    assert (of_anybody == "refused") is channel.authenticates
    assert (called == "called") is channel.asks
    assert what == f"`{'get_metadata' if channel.asks else 'blueprint'}` reads {channel.reads}"


@pytest.mark.conversation
def test_the_table_says_which_channels_ask_for_metadata() -> None:
    """As Rasa's own code has it, channel by channel."""
    said = subprocess.check_output([_rasa_python(), "-W", "ignore", "-c", ASKS])
    asks = json.loads(said)
    assert {name: row[3] == "called" for name, row in ROWS.items()} == {
        name: asks[name] for name in ROWS
    }
