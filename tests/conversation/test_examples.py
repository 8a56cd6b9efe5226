"""The examples as a bot builder finds them, and a bot that was there before the plugin.

Rasa takes the examples, and the chat can be used. Merging `domain.yml` into a bot that knows only
stories changes none of its answers.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation import spoken
from tests.conversation.cast import BOTS
from tests.conversation.harness import OSS_BOT, Stage
from tests.conversation.talking import RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.release
@pytest.mark.parametrize("name", ["oss_bot", "start_bot"])
async def test_rasa_finds_nothing_wrong_with_an_example(rasa_stage: Stage, name: str) -> None:
    """`rasa data validate --fail-on-warnings` passes."""
    check = ("data", "validate", "--fail-on-warnings", "--domain", "domain")
    code, said = await rasa_stage.command(f"{name}-validate", *check, cwd=BOTS[name].folder)
    assert code == 0, said


TALKS = {
    "a good day": {"oi": "Olá! Tudo bem?", "tudo ótimo": "Que bom!", "tchau": "Até logo!"},
    "a bad day": {"oi": "Olá! Tudo bem?", "nada bem": "Vai melhorar.", "tchau": "Até logo!"},
}
"""The stories of the bot, word for word: it learned no other answer from them."""


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
async def test_the_answers_of_a_story_bot_do_not_change(
    story_bot: RunningBot, ps7: Simulator, talk: dict[str, str]
) -> None:
    """After the merge it says what its stories say, to anonymous users and to customers.

    Its actions run in Rasa's own environment: there a customer is known, and logged out, as well.
    """
    anonymous, customer = story_bot.chat(), story_bot.chat()
    for said, answer in talk.items():
        assert await anonymous.say(said) == [answer]
        assert await customer.say(said, {"contextId": "ana"}) == [answer]
    assert (await anonymous.slots())["ps7_status"] == "missing"
    slots, ana = await customer.slots(), PERSONAS["ana"].slots
    assert {name: slots[name] for name in ana if name in slots}.items() <= ana.items()
    assert slots["cpf"]
    await customer.execute("action_ps7_forget")
    await spoken.is_unknown(customer, "missing")
    assert len(ps7.requests) == 1


SAYS = {
    "oi": spoken.greeting(PERSONAS["ana"]),
    "sim": spoken.BALANCES["ana"],
    "Bom dia!": spoken.greeting(PERSONAS["ana"]),
    "não": spoken.WHAT_ELSE,
    "quanto eu tenho na conta?": spoken.BALANCES["ana"],
    "qual é o número da conta": spoken.ANA_ACCOUNT,
    "abre sábado?": spoken.HOURS,
    "meu token nao funciona": spoken.ASK_TOKEN,
    "muito obrigada!": spoken.THANKED,
    "quero fazer um pix": spoken.OUT_OF_SCOPE,
    "perdi o cartão": spoken.OUT_OF_SCOPE,
}
NOT_SURE = ("asdf qwer", "quero investir", "???", "me ajuda")


async def test_a_visitors_first_minute_gets_sensible_answers(oss_bot: RunningBot) -> None:
    """What this bot cannot do, or does not understand, ends nothing: Ana stays known."""
    chat = oss_bot.chat()
    heard = {said: await chat.say(said, {"contextId": "ana"}) for said in SAYS}
    assert heard == SAYS
    for said in NOT_SURE:
        assert await chat.say(said) in (spoken.OUT_OF_SCOPE, spoken.NOT_UNDERSTOOD), said
    assert (await chat.slots())["ps7_status"] == "ok"
    assert await chat.say("até mais!") == spoken.GOODBYE
    assert (await chat.slots())["ps7_status"] == "missing"


@pytest.mark.release
async def test_the_chat_starts_everything_and_ends_everything(
    rasa_stage: Stage, oss_bot: RunningBot, tmp_path: Path
) -> None:
    """One names a customer, types, sees what the bot knows, and nothing is left running."""
    # As young as can be, so that the chat does not train.
    (tmp_path / "oss-bot.tar.gz").write_bytes(oss_bot.model.read_bytes())
    chat = await asyncio.create_subprocess_exec(
        *(sys.executable, str(OSS_BOT / "chat.py"), "--models", str(tmp_path)),
        env=os.environ | {"PS7_RASA_PYTHON": str(rasa_stage.rasa_python), "PYTHONUTF8": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    typed = ":as ana\nqual meu saldo\nquero falar com uma pessoa\nqual meu saldo\n:quit\n"
    shown = (await chat.communicate(typed.encode()))[0].decode()
    assert chat.returncode == 0, shown
    assert "  :as bruno          Bruno, Varejo: só identificado, token não validado\n" in shown
    assert "bot: O saldo da conta 00123456 é de R$ 15.230,75.\n" in shown
    assert "     ps7_status = ok\n     ps7_context = (sealed)\n     cpf = ***.982.247-**\n" in shown
    assert shown.endswith("Ending …\n")
    _, handed_over, afterwards = shown.partition(f"bot: {spoken.HANDOVER}\n")
    assert handed_over
    assert "bot: (nothing)\n" in afterwards
    assert "ps7_status = ok" not in afterwards, "with a seal key made at start, too"
