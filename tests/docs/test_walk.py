"""From a clone to one's own bot that answers by segment, by the README alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conversation.fixtures import _rasa_python
from tests.docs.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.conversation


async def test_the_readme_leads_to_a_bot_that_answers_by_segment(tmp_path: Path) -> None:
    """Every step of "Put it into your bot", in its order, and nothing else."""
    reader = Reader(tmp_path, _rasa_python())
    try:
        await reader.types("import rasa_ps7")
        await reader.types("mv domain.yml domain/bot.yml")
        reader.writes("action_endpoint", "endpoints.yml")
        reader.writes("utter_greet", "domain/bot.yml")
        reader.writes("PS7_BASE_URL", ".env")
        await reader.opens_terminals("rasa train")
        assert await reader.arrives() == [reader.promised]
        assert await reader.arrives("bruno") == ["Olá! Sou a assistente do banco."]
        assert reader.log_of("rasa_sdk").count("PS7 lookup: outcome=ok reason=ok") == 2
    finally:
        await reader.leaves()
