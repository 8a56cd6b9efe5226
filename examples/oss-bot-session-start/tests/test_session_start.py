"""A bot that looks up as a session starts, and where its rule for the balance says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rasa_ps7.testing import BackgroundSimulator, CustomerConversation

ANAS = "O saldo da conta 00123456 é de R$ 15.230,75."
DIEGOS = "O saldo da conta 00900019 é de R$ 1.048.576,00."
IARAS = "O saldo da conta 10203040 é de -R$ 12,30."
SIGN_IN = "Para mostrar o saldo, preciso que você entre no aplicativo com a sua senha."
VALIDATE = "Para continuar, valide o seu token no aplicativo do banco e abra o chat de novo por lá."
DOWN = "Desculpe, não consigo consultar os seus dados agora. Tente de novo em alguns instantes."
OPEN_AGAIN = "Para falar da sua conta, abra a conversa de novo pelo aplicativo do banco."
OVER = f"Por segurança, o seu acesso expirou. {OPEN_AGAIN}"
GENERAL = (
    "Posso ajudar com informações gerais. Para falar da sua conta, abra esta conversa pelo "
    "aplicativo do banco."
)


async def balance(bot: CustomerConversation, who: str | None = None) -> list[str]:
    """Ask for it, and run what the rule says; return what that says, without a greeting."""
    await (bot.user("qual meu saldo?") if who is None else bot.arrives(who, "qual meu saldo?"))
    await bot.run("action_ps7_context")
    return (await bot.run("action_answer_balance")).texts


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", ["Boas-vindas ao Personnalité."]),
        ("diego", ["Boas-vindas ao Private."]),
        ("bruno", ["Boas-vindas ao banco."]),
        ("not-found", ["Boas-vindas ao banco."]),
        ("http-404", ["Boas-vindas ao banco.", DOWN]),
    ],
)
async def test_a_session_opens_with_a_greeting_that_knows_the_segment(
    bot: CustomerConversation, ps7: BackgroundSimulator, who: str, said: list[str]
) -> None:
    """Once: the next messages of the session are greeted no more, and PS7 is not asked again."""
    assert (await bot.arrives(who)).texts == said
    assert (await bot.user("que horas abrem?")).texts == []
    assert ps7.asked == [who]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", ANAS),
        ("fabio", "Não encontrei o saldo desta conta."),
        ("gisele", VALIDATE),
        ("heitor", SIGN_IN),
        ("not-found", f"Não encontrei o seu atendimento. {OPEN_AGAIN}"),
        ("http-404", DOWN),
        (None, GENERAL),
    ],
)
async def test_the_balance_is_for_the_authenticated_with_a_valid_token(
    bot: CustomerConversation, who: str | None, said: str
) -> None:
    """Everybody else hears what is missing."""
    assert await balance(bot, who) == [said]


async def test_another_customer_is_noticed_where_the_balance_is_asked_for(
    bot: CustomerConversation,
) -> None:
    """Until then the slots are those of the session's start."""
    await bot.arrives("ana")
    await bot.arrives("diego", "que horas abrem?")
    assert bot.slots["segment"] == "Personnalité"
    assert await balance(bot) == [DIEGOS]
    assert bot.slots["segment"] == "Private"


async def test_a_time_that_is_over_is_noticed_there_too(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """Iara's holds for two seconds. Her contextId is still at hand, so PS7 is asked again."""
    await bot.arrives("iara")
    bot.later(seconds=3)
    assert await balance(bot) == [IARAS]
    assert ps7.asked == ["iara", "iara"]


async def test_a_customer_whose_time_is_over_is_told_as_the_next_session_opens(
    bot: CustomerConversation,
) -> None:
    """That session brings no contextId to look up."""
    await bot.arrives("ana")
    bot.later(hours=2)
    assert (await bot.user("oi")).texts == ["Boas-vindas ao banco.", OVER]


async def test_slots_that_nobody_vouches_for_open_nothing(bot: CustomerConversation) -> None:
    """Somebody sets them through Rasa's API."""
    await bot.user("oi")
    for name, value in {"ps7_status": "ok", "segment": "Private"}.items():
        await bot.set_slot(name, value)
    (said,) = await balance(bot)
    assert said.startswith("Por segurança, não posso continuar este atendimento por aqui.")


async def test_who_left_is_known_no_more(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """Also in the next session, where the channel sends the same contextId again."""
    assert await balance(bot, "ana") == [ANAS]
    await bot.user("tchau")
    await bot.run("action_ps7_forget")
    assert await balance(bot) == [GENERAL]
    bot.expire_session()
    assert (await bot.arrives("ana")).texts == ["Boas-vindas ao banco."]
    assert ps7.asked == ["ana"]
