"""Attacks on a bot in a real Rasa, in conversation: who is answered, and what the slots say.

The example bot is asked for the balance after each of them, the kiosk who is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import NOBODY, of_the_customer
from tests.security.rasa.attacks_from_outside import FROM_OUTSIDE, OUT_OF_SCOPE
from tests.security.rasa.attacks_in_chat import TYPED
from tests.security.rasa.scene import VICTIM, Scene
from tests.security.tally import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conversation.talking import RunningBot
    from tests.security.rasa.attack import Attack

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

BALANCE = ["O saldo da conta 00123456 é de R$ 15.230,75."]
SENSITIVE = ("R$", str(VICTIM.slots["account"]), str(VICTIM.slots["agency"]))
"""What no attacker may be told; a balance is nobody's but the victim's here."""


def rows(attacks: tuple[Attack, ...]) -> pytest.MarkDecorator:
    """Give the bot apart, so that it is started."""
    return pytest.mark.parametrize(
        ("bot", "attack"),
        [pytest.param(attack.bot, attack, id=attack.name) for attack in attacks],
    )


async def play(bot: RunningBot, attack: Attack) -> Scene:
    """Try it, and ask the sensitive question."""
    scene = Scene(attack.bot, bot, bot.chat())
    for step in attack.tried:
        await step(scene)
    scene.heard += await scene.chat.say(scene.words.sensitive)
    return scene


def violations(attack: Attack, slots: dict[str, Any]) -> Iterator[str]:
    """Say what slots show that they must not, without a value of it."""
    shown = of_the_customer(slots)
    if attack.bot == "kiosk":
        del shown["cpf"]  # a form of the bot's own fills it: it says nothing of the customer
    if slots["ps7_status"] == "ok":
        said = PERSONAS[attack.truth].slots if attack.truth else {}
        wrong = [name for name, value in shown.items() if value != said.get(name, value)]
        if not said or wrong:
            yield f"ok is claimed, and {wrong or 'nobody'} was let in"
        return
    left = {name for name, value in shown.items() if value != NOBODY[name]}
    if left:
        yield f"not null: {sorted(left)}"


@rows((*TYPED, *FROM_OUTSIDE))
async def test_no_attack_is_answered_as_the_victim(
    rasa_bots: dict[str, RunningBot], bot: str, attack: Attack
) -> None:
    """Neither on that turn nor after a verify: the slots say what PS7 said of whom it let in."""
    scene = await play(rasa_bots[bot], attack)
    after_the_turn = await scene.chat.slots()
    await scene.chat.execute("action_ps7_verify")
    verified = await scene.chat.slots()

    told = [text for text in scene.heard if any(value in text for value in SENSITIVE)]
    wrong = [*told, *violations(attack, after_the_turn), *violations(attack, verified)]
    record(f"{attack.attacker.value}: {attack.name}", in_scope=True, accepted=bool(wrong))
    assert wrong == []


@rows(OUT_OF_SCOPE)
async def test_what_is_left_to_the_bank_does_succeed(
    rasa_bots: dict[str, RunningBot], bot: str, attack: Attack
) -> None:
    """It is not stopped here: who can do this is the customer, as far as anybody can tell."""
    scene = await play(rasa_bots[bot], attack)

    accepted = scene.heard[-1:] == BALANCE
    record(f"{attack.attacker.value}: {attack.name}", in_scope=False, accepted=accepted)
    assert accepted


async def test_a_customer_is_answered_where_nobody_attacks(
    oss_bot: RunningBot, guarded_bot: RunningBot
) -> None:
    """With the door and without: a bot that answers nobody would pass all of the above."""
    for name, bot in (("oss_bot", oss_bot), ("guarded_bot", guarded_bot)):
        scene = Scene(name, bot, bot.chat())
        victim = await scene.victim()
        assert await victim.say("qual meu saldo") == BALANCE
