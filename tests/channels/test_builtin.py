"""What Rasa's own channels do, each driven by its service's posts: the table of the documents."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from actions.ps7.cli.doctor.channels import CHANNELS
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import document

HEADER = (
    *("channel", "metadata as it comes", "a post of anybody", "`get_metadata`", "as JSON"),
    "what makes the lookup `ok`",
)
SAME = {"rest": "`metadata` of the post", "socketio": "`metadata` of the message"}
"""What makes a lookup `ok` in those that let metadata through."""


def row(name: str, found: dict[str, Any]) -> list[str]:
    """Return the row of a channel."""
    own = [f"`{key}`" for key in found["metadata"] if key != "contextId"]
    channel = CHANNELS.get(name)
    assert channel is None or (channel.asks, channel.authenticates) == (
        found["derived"],
        found["authenticates"],
    ), "the doctor says otherwise"
    return [
        f"`{name}`",
        "yours" if "contextId" in found["metadata"] else ", ".join(own) or "none",
        "refused" if found["authenticates"] else "taken",
        "called" if found["derived"] else "never called",
        f"`{found['custom']}`" if found["custom"] else "sent",
        SAME[name]
        if channel is None
        else f"`{'get_metadata' if channel.asks else 'blueprint'}` reads {channel.reads}",
    ]


@pytest.mark.conversation
@pytest.mark.release
def test_the_table_of_channels_is_what_they_do(tmp_path: Path) -> None:
    """Each takes a message; socketio, which is no webhook, has its row from the conversations."""
    driven = subprocess.run(
        [_rasa_python(), "-W", "ignore", Path(__file__).with_name("builtin.py")],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=110,
    )
    facts = json.loads(driven.stdout.splitlines()[-1])
    assert {name for name, found in facts.items() if found["broken"]} == {"telegram"}
    assert {name for name, found in facts.items() if found["text"]} == set()
    rows = {each[0]: [*each] for each in document("docs/integration.md").table(*HEADER).rows}
    assert rows.pop("`socketio`")[1:5] == ["yours", "taken", "never called", "`data` only"]
    assert rows == {f"`{name}`": row(name, found) for name, found in facts.items()}


def test_every_advice_of_the_doctor_is_in_the_table() -> None:
    """In the words that the doctor uses."""
    rows = {
        each[0].strip("`"): each[5] for each in document("docs/integration.md").table(*HEADER).rows
    }
    for name, channel in CHANNELS.items():
        assert rows[name].partition("` ")[2] == f"reads {channel.reads}"
