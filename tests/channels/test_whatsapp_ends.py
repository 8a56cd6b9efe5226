"""A Rasa behind WhatsApp is asked to stop: nothing is lost in silence."""

from __future__ import annotations

import asyncio

import pytest

from tests.channels.services import ON_A_REAL_RASA, Services, Somebody
from tests.channels.updates import text
from tests.conversation import spoken
from tests.conversation.cast import BOTS
from tests.conversation.harness import QUIET, Stage
from tests.conversation.talking import RunningBot
from tests.support.processes import RASA, free_port

# The start of a Rasa: the parts are in test_inbox.
pytestmark = [*ON_A_REAL_RASA, pytest.mark.release, pytest.mark.timeout(240)]


async def test_what_had_its_200_is_answered_or_counted(
    rasa_stage: Stage, channel_bot: RunningBot, stub: Services
) -> None:
    """What is under way is answered before the end; what takes too long is counted."""
    bot, port = BOTS["channel_bot"], free_port()
    ana, ben = (Somebody(channel_bot.http, f"http://127.0.0.1:{port}", stub) for _ in range(2))
    server = ("run", "-i", "127.0.0.1", "-p", str(port), "--model", str(channel_bot.model))
    files = ("--credentials", str(bot.credentials), "--endpoints", str(bot.endpoints))
    command = (str(rasa_stage.rasa_python), "-W", "ignore", str(RASA), *server, *files)
    actions = {"ACTION_ENDPOINT_URL": rasa_stage.actions_url("channel_bot")}
    told = {**QUIET, **bot.rasa_variables, **actions}
    rasa = await rasa_stage._run("ends", *command, cwd=rasa_stage.scratch, variables=told)
    await rasa.answers(ana.rasa)
    stub.slow = 2.0
    assert await ana.post(ana.message(text("obrigado"))) == 200
    await asyncio.sleep(0.5)
    stub.slow = 60.0
    for said in ("obrigado", "que horas o banco abre?"):
        assert await ben.post(ben.message(text(said))) == 200
    await asyncio.sleep(0.5)
    assert await rasa.end() == 0
    assert await ana.hears(1) == spoken.THANKED
    assert "whatsapp: messages were not answered before the end, 2 so far" in rasa.output
