"""The bot's own actions: how a session starts, and who hears a balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rasa_ps7.testing import BackgroundSimulator, CustomerConversation

ANAS_BALANCE = "O saldo da conta de final 3456 é de R$ 15.230,75."
SIGN_IN = "Para falar da sua conta, preciso que você entre no aplicativo com a sua senha."
VALIDATE = "Para continuar, valide o seu token no aplicativo do banco e abra o chat de novo por lá."
HANDOVER = "Estou transferindo a conversa. Aguarde um momento, por favor."
AWAY = "Nossa equipe não pode atender agora. Continuo por aqui: tente de novo em alguns minutos."
CLAIM = {"ps7_status": "ok", "identification": "authenticated", "token_status": "valid"}


async def test_a_session_starts_with_its_customer_in_it(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """So the first message finds her, before any action of its turn; PS7 is asked once."""
    await bot.arrives("ana")
    kinds = [event["event"] for event in bot.events]
    first = {event.get("name"): event.get("value") for event in bot.events[: kinds.index("user")]}
    assert (first["ps7_status"], first["segment"]) == ("ok", "Personnalité")
    assert ps7.asked == ["ana"]


async def test_a_session_that_cannot_ask_ps7_starts_all_the_same(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """The next message that the customer writes finds her, once PS7 is up again."""
    with ps7.down():
        await bot.arrives("ana")
    assert bot.slots["ps7_status"] == "unavailable"
    await bot.user("qual meu saldo?")
    assert (await bot.run("action_answer_balance")).texts == [ANAS_BALANCE]


async def test_a_new_session_knows_nobody(bot: CustomerConversation) -> None:
    """An hour later somebody else may hold the device."""
    await bot.arrives("ana")
    bot.later(hours=1, seconds=1)
    await bot.user("oi")
    assert bot.slots["ps7_status"] == "missing"
    assert (await bot.run("action_answer_balance")).texts == [SIGN_IN]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", ANAS_BALANCE),
        ("diego", "O saldo da conta de final 0019 é de R$ 1.048.576,00."),
        ("iara", "O saldo da conta de final 3040 é de -R$ 12,30."),
        ("fabio", "Não encontrei o saldo desta conta. Quer falar com uma pessoa da nossa equipe?"),
        ("gisele", VALIDATE),
        ("bruno", SIGN_IN),
        ("heitor", SIGN_IN),
        ("joao", SIGN_IN),
        ("not-found", SIGN_IN),
        ("http-503", SIGN_IN),
    ],
)
async def test_who_hears_a_balance(bot: CustomerConversation, who: str, said: str) -> None:
    """Whoever is authenticated and has a valid token, whatever the flow before it asked."""
    await bot.arrives(who, "qual meu saldo?")
    assert (await bot.run("action_answer_balance")).texts == [said]


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", "O seu acesso é pelo CPF ***.982.247-**."),
        ("bruno", SIGN_IN),
        ("not-found", SIGN_IN),
    ],
)
async def test_who_hears_their_cpf(bot: CustomerConversation, who: str, said: str) -> None:
    """Whoever is authenticated, masked, and from the seal."""
    await bot.arrives(who, "com que CPF estou conectado?")
    assert (await bot.run("action_answer_registration")).texts == [said]


async def test_a_customer_whose_cpf_is_not_known(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """PS7 says that she is authenticated, and no CPF."""
    ps7.answer("without-cpf", body={"code": 0, "payload": {"u_id": "AUT"}})
    await bot.arrives("without-cpf", "com que CPF estou conectado?")
    assert (await bot.run("action_answer_registration")).texts == [
        "Reconheci o seu acesso, mas não encontrei o seu CPF neste atendimento."
    ]


@pytest.mark.parametrize("who", ["bruno", "not-found"])
async def test_claimed_slots_open_no_account(bot: CustomerConversation, who: str) -> None:
    """A user can type `/SetSlots(…)`: the action reads the seal."""
    await bot.arrives(who)
    for name, value in CLAIM.items():
        await bot.set_slot(name, value)
    assert (await bot.run("action_answer_balance")).texts == [SIGN_IN]


@pytest.mark.parametrize(
    ("who", "reason", "segment"),
    [
        ("ana", "asked", "Personnalité"),
        ("not-found", "asked", None),
        ("http-403", "denied", None),
        ("", "tampered", None),
    ],
)
async def test_the_agents_desk_gets_the_context(
    bot: CustomerConversation, monkeypatch: pytest.MonkeyPatch, who: str, reason: str, segment: str
) -> None:
    """Why they are asked to, and what may go on of a customer who is known, whatever is claimed.

    Then the bot forgets the customer and pauses. If the desk is away, it does neither.
    """
    desk: list[dict[str, object]] = []

    async def take(_: object, context: dict[str, object]) -> bool:
        desk.append(context)
        return True

    await bot.arrives(who, "quero falar com uma pessoa")
    for name, value in CLAIM.items():
        await bot.set_slot(name, value)
    await bot.run("action_ps7_verify")
    before = bot.slots["ps7_status"]
    assert (await bot.run("action_hand_over")).texts == [AWAY], "no HANDOVER_URL is set"
    assert (bot.slots["handed_over"], bot.slots["ps7_status"]) == (False, before)
    monkeypatch.setattr("actions.hand_over.desk.hand_over", take)
    assert (await bot.run("action_hand_over")).texts == [HANDOVER]
    assert (bot.slots["handed_over"], bot.slots["ps7_status"]) == (True, "missing")
    assert bot.events[-1]["event"] == "pause"
    (context,) = desk
    assert (context["reason"], context["segment"]) == (reason, segment)


async def test_after_logging_out_nobody_is_known(bot: CustomerConversation) -> None:
    """Also where the channel goes on sending the contextId."""
    await bot.arrives("ana")
    await bot.run("action_ps7_forget")
    await bot.arrives("ana", "qual meu saldo?")
    assert (await bot.run("action_answer_balance")).texts == [SIGN_IN]
    assert bot.slots["ps7_status"] == "missing"
