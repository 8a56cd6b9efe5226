"""Ana on every channel, on a real Rasa: she is known, hands over and is forgotten, or stays."""

from __future__ import annotations

import base64
import json
import re

import pytest

from actions.ps7.testing import Simulator
from tests.channels import services
from tests.channels.customers import CHANNELS, customer, tracker_of
from tests.channels.services import Services
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]

A_PERSON, BALANCE = "quero falar com uma pessoa", "qual meu saldo"
AWAY = ["Nossa equipe não pode atender agora. Continuo por aqui: tente de novo em alguns minutos."]
OPTIONS = {"Sim", "Não", "1: Sim (Sim)", "2: Não (Não)"}
"""How voice and Twilio's channel say what can be chosen; others show buttons."""
GREETED = [spoken.GREETINGS["Personnalité"][0], spoken.OFFER]
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}")


def decoded(text: str) -> str:
    """Return a text, and behind it what in it is Base64: WhatsApp's ids are."""
    whole = [found[: len(found) // 4 * 4] for found in _BASE64.findall(text)]
    hidden = [base64.b64decode(each).decode("latin-1") for each in whole]
    return "\n".join([text, *hidden])


@pytest.mark.parametrize("channel", CHANNELS)
async def test_ana_is_known_handed_over_and_forgotten(
    channel_bot: RunningBot, stub: Services, ps7: Simulator, rasa_stage: Stage, channel: str
) -> None:
    """From her first message on; the desk gets her context, and the channel only texts."""
    desk, ana = len(rasa_stage.handed_over()), customer(channel, channel_bot, stub)
    arrived = await ana.arrive()
    assert arrived[:2] == GREETED
    assert {*arrived[2:]} <= OPTIONS
    assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    slots = await ana.slots()
    assert (slots["ps7_status"], slots["account"]) == ("missing", None)
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]
    (context,) = rasa_stage.handed_over()[desk:]
    assert (context["ps7_status"], context["segment"]) == ("ok", "Personnalité")
    assert len(ps7.requests) == 1
    assert len(stub.asked) == (channel != "callback"), "once a session"
    shown = json.dumps(await tracker_of(channel_bot, ana.sender)) + json.dumps(
        rasa_stage.handed_over()
    )
    shown += rasa_stage.whole_logs()
    assert ana.address.rpartition("+")[2] not in decoded(shown)
    assert services.SECRET not in shown


async def test_the_desk_is_away(channel_bot: RunningBot, stub: Services, rasa_stage: Stage) -> None:
    """Ana hears so and stays with the bot; what is sent when it is back is sent once."""
    ana = customer("whatsapp_cloud", channel_bot, stub)
    await ana.arrive()
    async with rasa_stage.without_desk():
        assert await ana.say(A_PERSON) == AWAY
        assert await ana.say(BALANCE) == spoken.BALANCES["ana"]
    assert await ana.say(A_PERSON) == [spoken.HANDOVER]
    assert len(rasa_stage.handed_over()) == 1
    assert (await ana.slots())["ps7_status"] == "missing"


@pytest.mark.parametrize("channel", sorted({*CHANNELS} - {"twilio_voice"}))  # it answers at once
async def test_a_service_that_takes_no_text_keeps_nobody_logged_in(
    channel_bot: RunningBot, stub: Services, channel: str
) -> None:
    """The text of the hand-over gets a 500, and Ana is forgotten all the same."""
    ana = customer(channel, channel_bot, stub)
    await ana.arrive()
    stub.away = True
    assert await ana.say(A_PERSON) == []
    assert (await ana.slots())["ps7_status"] == "missing"


@pytest.mark.parametrize("trouble", ["slow", "broken", "knows nobody"])
async def test_without_the_back_end_the_message_is_answered(
    channel_bot: RunningBot, stub: Services, trouble: str
) -> None:
    """As anonymous, within its deadline; a back-end that is back is asked with the next message."""
    ana = customer("whatsapp_cloud", channel_bot, stub)
    stub.back_end = trouble
    if trouble == "knows nobody":
        stub.numbers.clear()
    assert await ana.say(BALANCE) == spoken.NO_BALANCE["missing"]
    assert (await ana.slots())["ps7_status"] == "missing"
    stub.back_end = ""
    known = trouble != "knows nobody"
    said = spoken.BALANCES["ana"] if known else spoken.NO_BALANCE["missing"]
    assert await ana.say(BALANCE) == said
    assert len(stub.asked) == 1 + known
