"""A Rasa behind WhatsApp is asked to stop, and starts again: nothing is lost in silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.channels.services import VARIABLES, Services, Somebody
from tests.channels.updates import text
from tests.conversation import spoken
from tests.conversation.cast import BOTS
from tests.conversation.harness import QUIET, Stage
from tests.conversation.talking import RunningBot
from tests.support.processes import RASA, ROOT, Process, free_port

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.release,  # two starts of a Rasa: the parts are in test_inbox
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
    pytest.mark.timeout(240),
]


@asynccontextmanager
async def rasa(
    stage: Stage, bot: RunningBot, credentials: Path, port: int
) -> AsyncIterator[Process]:
    """Run a Rasa until the block ends or ends it."""
    made = BOTS["channel_bot"]
    server = ("run", "-i", "127.0.0.1", "-p", str(port), "--model", str(bot.model))
    files = ("--credentials", str(credentials), "--endpoints", str(made.endpoints))
    told = {
        **QUIET,
        "ACTION_ENDPOINT_URL": stage.actions_url("channel_bot"),
        "PYTHONPATH": str(ROOT / "examples"),
        **VARIABLES,
    }
    process = await Process.start(
        stage.scratch / f"whatsapp-{port}.log",
        *(stage.rasa_python, "-W", "ignore", RASA, *server, *files),
        cwd=stage.scratch,
        variables=told,
    )
    try:
        await process.answers(f"http://127.0.0.1:{port}/")
        yield process
    finally:
        await process.kill()


async def test_what_had_its_200_is_answered_or_counted(
    rasa_stage: Stage, channel_bot: RunningBot, stub: Services, redis: str, tmp_path: Path
) -> None:
    """Under way: answered before the end. Too slow: counted. Answered before: not once more."""
    credentials = tmp_path / "credentials.yml"
    told = BOTS["channel_bot"].credentials.read_text(encoding="utf-8")
    credentials.write_text(f"{told}  redis_url: {redis}\n", encoding="utf-8")
    port = free_port()
    ana, ben = (Somebody(channel_bot.http, f"http://127.0.0.1:{port}", stub) for _ in range(2))

    async with rasa(rasa_stage, channel_bot, credentials, port) as first:
        hours = ana.message(text("que horas o banco abre?"))
        assert await ana.send(hours) == spoken.HOURS
        stub.slow = 2.0
        assert await ana.post(ana.message(text("obrigado"))) == 200
        assert await ben.post(ben.message(text("obrigado"))) == 200
        await asyncio.sleep(0.5)
        assert await first.end() == 0
        assert [await each.hears(1) for each in (ana, ben)] == [spoken.THANKED] * 2
        assert "before the end" not in first.output

    port = free_port()
    ana.rasa = f"http://127.0.0.1:{port}"
    async with rasa(rasa_stage, channel_bot, credentials, port) as second:
        stub.slow = 0.0
        assert await ana.post(hours) == 200
        assert await ana.say("obrigado") == spoken.THANKED, "the first was answered before"
        stub.slow = 60.0
        for said in ("obrigado", "que horas o banco abre?"):
            assert await ana.post(ana.message(text(said))) == 200
        await asyncio.sleep(0.5)
        assert await second.end() == 0
        assert "whatsapp: messages were not answered before the end, 2 so far" in second.output
