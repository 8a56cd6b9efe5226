"""What a customer sends is no command to a real Rasa: after a log-out, or before an agent."""

from __future__ import annotations

import json

import pytest

from tests.channels.cec import Cec, relay
from tests.channels.services import ON_A_REAL_RASA, Somebody, said_to
from tests.channels.updates import pressed
from tests.conversation import spoken
from tests.conversation.talking import RunningBot
from tests.support.processes import ROOT

pytestmark = ON_A_REAL_RASA

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
CASES = json.loads((ROOT / "examples/channels/texts.json").read_text(encoding="utf-8"))["texts"]
RESTARTS = [each["typed"] for each in CASES if each["text"] == "restart"]
"""How somebody tries to."""


async def test_cec_brings_no_command(channel_bot: RunningBot) -> None:
    """A log-out lasts, and so does an agent."""
    async with relay(channel_bot.url) as http:
        gone, waits = Cec(http), Cec(http)
        await gone.says("tchau", "ana")
        await waits.says(A_PERSON, "ana")
        for text in RESTARTS:
            assert (await gone.says(text, "ana"))[1] == "bot"
            assert await waits.says(text, "ana") == ([], "agent")
        assert await gone.says(BALANCE, "ana") == (spoken.NO_BALANCE["missing"], "bot")


@pytest.mark.parametrize("kind", ["text", "button_reply", "list_reply"])
async def test_whatsapp_brings_no_command(
    channel_bot: RunningBot, ana: Somebody, kind: str
) -> None:
    """Nor do the ids and titles that a client of the customer's own sends."""

    def message(text: str) -> object:
        if kind == "text":
            return ana.message({"type": "text", "text": {"body": text}})
        return ana.message(pressed(kind, id=text, title=text))

    await ana.say("tchau")
    for text in RESTARTS:
        await ana.send(message(text))
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]
    await ana.say(A_PERSON)
    for number, text in enumerate(RESTARTS, len(RESTARTS) + 4):
        assert await ana.send(message(text), answers=0) == []
        await said_to(channel_bot, ana, number)
    assert await ana.hears(0) == []
