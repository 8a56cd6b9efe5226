"""A bot whose rule calls the lookup: PS7 is asked where an answer needs it, and once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from actions.ps7.testing import BackgroundSimulator, CustomerConversation

ANAS = "Você fala da agência 0341, conta 00123456."
NOBODY = "Ainda não sei de que conta você fala."


async def which_account(bot: CustomerConversation) -> list[str]:
    """Run what the rule says."""
    await bot.run("action_ps7_context")
    return (await bot.run("action_answer_account")).texts


async def test_nobody_is_asked_before_an_answer_needs_it(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """Ana comes and asks for the hours; then for her account, twice."""
    await bot.arrives("ana", "que horas abrem?")
    await bot.run("utter_hours")
    assert ps7.asked == []
    assert bot.latest_message["metadata"] == {"channel": {"contextId": "ana"}}
    for _ in range(2):
        await bot.user("qual é a minha conta?")
        assert await which_account(bot) == [ANAS]
    assert ps7.asked == ["ana"]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", ANAS),
        ("bruno", NOBODY),
        ("not-found", NOBODY),
        (
            "http-404",
            "Desculpe, não consigo ver a sua conta agora. Tente de novo em alguns instantes.",
        ),
    ],
)
async def test_the_account_is_for_the_authenticated(
    bot: CustomerConversation, who: str, said: str
) -> None:
    """Everybody else hears that it is not known, or that PS7 does not answer."""
    await bot.arrives(who, "qual é a minha conta?")
    assert await which_account(bot) == [said]
