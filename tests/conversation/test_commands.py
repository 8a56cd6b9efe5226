"""Rasa's own commands on the example bots, and the chat with one."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from actions.ps7.testing import FAULTS, PERSONAS
from tests.conversation import spoken
from tests.conversation.harness import OSS_BOT, QUIET, Stage
from tests.conversation.talking import RunningBot
from tests.support.interpreters import rasa_python
from tests.support.processes import RASA, ROOT, printed

pytestmark = [pytest.mark.release, pytest.mark.conversation]


@pytest.mark.parametrize("name", ["oss-bot", "oss-bot-session-start"])
def test_rasa_finds_nothing_wrong_with_an_example(tmp_path: Path, name: str) -> None:
    """`rasa data validate --fail-on-warnings` passes."""
    check = ("data", "validate", "--fail-on-warnings", "--domain", "domain")
    told = QUIET | {"HOME": str(tmp_path)}
    printed(rasa_python(), RASA, *check, cwd=ROOT / "examples" / name, variables=told)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_chat_starts_everything_and_ends_everything(
    rasa_stage: Stage, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """One names a customer, types, sees what the bot knows, and nothing is left running.

    Who can arrive is listed, and faults.
    """
    # As young as can be, so that the chat does not train.
    (tmp_path / "oss-bot.tar.gz").write_bytes(oss_bot.model.read_bytes())
    chat = await asyncio.create_subprocess_exec(
        *(sys.executable, str(OSS_BOT / "chat.py"), "--models", str(tmp_path), "--faults"),
        env=os.environ | {"PS7_RASA_PYTHON": str(rasa_stage.rasa_python), "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    typed = ":as ana\nqual meu saldo\nquero falar com uma pessoa\nqual meu saldo\n:quit\n"
    shown = (await chat.communicate(typed.encode()))[0].decode()
    assert chat.returncode == 0, shown
    listed = re.findall(r"^  :as (\S+)", shown, re.MULTILINE)
    assert listed == [*(who.context_id for who in PERSONAS.values()), *FAULTS]
    assert shown.startswith(
        "This trains the bot if it changed, and starts four servers: half a min"
    )
    assert "bot: O saldo da conta 00123456 é de R$ 15.230,75.\n" in shown
    assert "     ps7_status = ok\n     ps7_context = (sealed)\n     cpf = ***.982.247-**\n" in shown
    assert shown.endswith("Ending …\n")
    _, _, afterwards = shown.partition(f"bot: {spoken.HANDOVER}\n")
    assert "bot: (nothing)\n" in afterwards
    assert "ps7_status = ok" not in afterwards, "with a seal key made at start, too"
