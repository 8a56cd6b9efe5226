"""From a clone to one's own bot that answers by segment, by the README alone.

Rasa learns without a neural net here: that is not as on a reader's machine.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.init_bots import PIPELINE, POLICIES
from tests.support.interpreters import rasa_python
from tests.support.reader import README, Reader, block

pytestmark = [pytest.mark.release, pytest.mark.conversation, pytest.mark.xdist_group("walk")]


async def test_the_readme_leads_to_a_bot_that_answers_by_segment(tmp_path: Path) -> None:
    """Every step of "Put it into your bot", in its order, and nothing else."""
    (promised,) = re.findall(r'The bot answers "([^"]+)"', README.prose)
    chat = block("chat --as").strip()
    reader = Reader(tmp_path, rasa_python())
    config = PIPELINE.replace(": pt", ": en") + POLICIES
    (reader.bot / "config.yml").write_text(config, encoding="utf-8")
    try:
        await reader.installs()
        for server in ("rasa-ps7 simulate", "-m rasa_sdk", "rasa train"):
            await reader.follows(block(server))
        for who, answer in {"ana": promised, "bruno": "Hey! How are you?"}.items():
            await reader.talks(chat.replace("ana", who), ["hi"])
            assert f"you: hi\nbot: {answer}\n     ps7_status = ok\n" in reader.output
        assert reader.all_output.count("PS7 lookup: outcome=ok reason=ok") == 2
    finally:
        await reader.leaves()
