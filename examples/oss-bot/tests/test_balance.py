"""The balance: for an authenticated customer whose token is valid, and for nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import RULES

if TYPE_CHECKING:
    from conftest import Talk
    from rasa_ps7.testing import BackgroundSimulator, CustomerConversation

ANAS = "O saldo da conta 00123456 é de R$ 15.230,75."
SIGN_IN = "Para mostrar o saldo, preciso que você entre no aplicativo com a sua senha."
VALIDATE = "Para continuar, valide o seu token no aplicativo do banco e abra o chat de novo por lá."
NEW = {"u_id": "AUT", "u_ag": "0341", "u_cc": "00999999", "u_dseg": "Token", "u_dsok": "S"}


async def test_the_balance_is_anas(bot: CustomerConversation, ps7: BackgroundSimulator) -> None:
    """She arrives, authenticated and with a valid token, and asks; PS7 is asked once.

    Whatever else a form or an entity has written into the slots.
    """
    await bot.arrives("ana", "qual meu saldo?")
    await bot.set_slot("account", "00900019")
    answer = await bot.run("action_answer_balance")
    assert answer.texts == [ANAS]
    assert ps7.asked == ["ana"]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", ANAS),
        ("diego", "O saldo da conta 00900019 é de R$ 1.048.576,00."),
        ("fabio", "O saldo da conta 00001509 é de R$ 87,40."),
        ("iara", "O saldo da conta 10203040 é de -R$ 12,30."),
        ("bruno", VALIDATE),
        ("gisele", VALIDATE),
        ("heitor", SIGN_IN),
        ("joao", SIGN_IN),
    ],
)
async def test_who_hears_a_balance(talk: Talk, who: str, said: str) -> None:
    """Whoever is not both hears what is missing."""
    assert await talk("qual meu saldo?", "ask_balance", who) == [said]


@pytest.mark.parametrize(
    ("who", "said"),
    [("bruno", SIGN_IN), ("heitor", SIGN_IN), ("not-found", SIGN_IN), ("gisele", VALIDATE)],
)
async def test_a_mistake_in_a_rule_opens_no_account(
    bot: CustomerConversation, who: str, said: str
) -> None:
    """The action decides by itself, whatever was asked before it."""
    await bot.arrives(who, "qual meu saldo?")
    assert (await bot.run("action_answer_balance")).texts == [said]


async def test_an_account_without_a_balance_is_not_empty(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """Its customer may see it, and this bot does not know what is in it."""
    ps7.answer("new", body={"code": 0, "payload": NEW})
    await bot.arrives("new", "qual meu saldo?")
    assert (await bot.run("action_answer_balance")).texts == [
        "Não encontrei o saldo desta conta. Quer falar com uma pessoa da nossa equipe?"
    ]


def test_a_rule_for_the_balance_verifies_first() -> None:
    """So that the next rule goes by what PS7 said, whatever this turn has written."""
    rules = [
        each
        for each in RULES
        if each.intent == "ask_balance" or "action_answer_balance" in each.actions
    ]
    assert {each.actions[0] for each in rules} == {"action_ps7_verify"}
