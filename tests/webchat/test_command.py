"""`make webchat`, as it is seen in a terminal."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from examples.webchat.server import CLIENT
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]

SHOWN = re.compile(r"The web chat: (http://127\.0\.0\.1:\d+/)\nCtrl\+C ends it all\.\n")


@pytest.mark.skipif(not CLIENT.exists() and not os.environ.get("CI"), reason="needs npm")
async def test_it_starts_everything_and_ends_everything(
    rasa_stage: Stage, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """Progress, one address, and after Ctrl+C nothing is left; Rasa's tracker wants a token."""
    # As young as can be, so that it does not train.
    (tmp_path / "oss-bot.tar.gz").write_bytes(oss_bot.model.read_bytes())
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.webchat", "--models", str(tmp_path)),
        cwd=ROOT,
        env=os.environ | {"PS7_RASA_PYTHON": str(rasa_stage.rasa_python), "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert command.stdout is not None
    said = (await command.stdout.readuntil(b"ends it all.\n")).decode()
    found = SHOWN.search(said)
    assert found is not None, said

    async with aiohttp.ClientSession() as http:
        async with http.get(f"{found[1]}api/page") as answer:
            rasa = (await answer.json())["rasa"]
        async with http.get(f"{rasa}/conversations/ana/tracker") as answer:
            assert answer.status == 401
        command.send_signal(signal.SIGINT)
        rest = (await command.communicate())[0].decode()
        with pytest.raises(aiohttp.ClientConnectionError):
            await http.get(rasa)

    assert (command.returncode, rest) == (0, "Ending …\n")
