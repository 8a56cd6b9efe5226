"""What Rasa's own channels do: the doctor's advice, and the table of the documents."""

from __future__ import annotations

import json
import subprocess

import pytest

from actions.ps7.cli.doctor.channels import CHANNELS
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import document

HEADER = (
    *("channel", "metadata", "an unauthenticated post"),
    *("`get_metadata`", "as JSON", "what to read"),
)
ASKS = """
import inspect, json, sys
from rasa.core.channels import BUILTIN_CHANNELS
print(json.dumps({
    name: "self.get_metadata(" in inspect.getsource(sys.modules[cls.__module__])
    for name, cls in BUILTIN_CHANNELS.items()
}))
"""


@pytest.mark.conversation
def test_the_advice_of_the_doctor_is_in_the_table() -> None:
    """What a channel takes, and in the doctor's words what to do; it asks as Rasa's code does."""
    asks = json.loads(subprocess.check_output([_rasa_python(), "-W", "ignore", "-c", ASKS]))
    rows = {row[0].strip("`"): row for row in document("docs/channels.md").table(*HEADER).rows}
    for name, channel in CHANNELS.items():
        _, _, unauthenticated, called, _, what = rows[name]
        assert (unauthenticated == "refused") is channel.authenticates
        assert (called == "called") is channel.asks is asks[name]
        assert what == channel.reads
