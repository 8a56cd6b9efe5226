"""Customers come and go: greetings, what is said where PS7 knows nobody, and leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from servers import OF_THE_BOT

if TYPE_CHECKING:
    from conftest import Talk
    from rasa_ps7.testing import BackgroundSimulator, CustomerConversation

HANDOVER = "Estou transferindo a conversa. Aguarde um momento, por favor."
NOBODY = (
    "Posso ajudar com informações gerais. Para falar da sua conta, abra esta conversa pelo "
    "aplicativo do banco."
)
NOT_USABLE = (
    "Não reconheci a origem desta conversa. Para falar da sua conta, abra a conversa de novo pelo "
    "aplicativo do banco."
)
NOT_FOUND = (
    "Não encontrei o seu atendimento. Para falar da sua conta, abra a conversa de novo pelo "
    "aplicativo do banco."
)
REFUSED = (
    "Não consigo consultar os seus dados por aqui. Uma pessoa da nossa equipe vai continuar com "
    "você."
)
DOWN = "Desculpe, não consigo consultar os seus dados agora. Tente de novo em alguns instantes."
OVER = (
    "Por segurança, o seu acesso expirou. Para falar da sua conta, abra a conversa de novo pelo "
    "aplicativo do banco."
)
ONLY_TEXT = "Por aqui, só entendo texto. Pode escrever, por favor?"
AWAY = "Nossa equipe não pode atender agora. Continuo por aqui: tente de novo em alguns minutos."
FORGED = (
    "Por segurança, não posso continuar este atendimento por aqui. Uma pessoa da nossa equipe vai "
    "continuar com você."
)
ANAS_BALANCE = "O saldo da conta 00123456 é de R$ 15.230,75."
WHAT_ELSE = "Tudo bem. Como posso ajudar?"
UNKNOWN = "Ainda não sei qual é a sua conta."


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("gisele", "Olá! Sou a assistente do Personnalité. Como posso ajudar?"),
        ("carla", "Olá! Sou a assistente do Uniclass. Como posso ajudar?"),
        ("diego", "Olá! Sou a assistente do Private. Como posso ajudar?"),
        ("elisa", "Olá! Sou a assistente do banco para empresas. Como posso ajudar?"),
        ("bruno", "Olá! Sou a assistente do banco. Como posso ajudar?"),
        (None, "Olá! Sou a assistente do banco. Como posso ajudar?"),
    ],
)
async def test_a_greeting_knows_the_segment(talk: Talk, who: str | None, said: str) -> None:
    """And greets everybody else all the same."""
    assert await talk("oi", "greet", who) == [said]


async def test_what_was_chosen_in_the_phone_menu_is_offered(
    talk: Talk, bot: CustomerConversation
) -> None:
    """A yes shows it, and only after the offer."""
    assert await talk("sim", "affirm") == [WHAT_ELSE]
    assert await talk("oi", "greet", "ana") == [
        "Olá! Sou a assistente do Personnalité. Como posso ajudar?",
        "Vi que você escolheu saldo no telefone: quer ver agora?",
    ]
    assert await talk("sim", "affirm") == [ANAS_BALANCE]
    await talk("tchau", "goodbye")
    assert bot.slots["balance_offered"] is None
    assert await talk("sim", "affirm") == [WHAT_ELSE]


@pytest.fixture
def ps7_settings() -> dict[str, str]:
    """Return the settings of the bot's action server: the offer goes with the customer."""
    return OF_THE_BOT


@pytest.mark.parametrize(
    ("who", "status", "said"),
    [
        (None, "missing", [NOBODY]),
        ("no contextId", "invalid", [NOT_USABLE]),
        ("not-found", "rejected", [NOT_FOUND]),
        ("http-403", "missing", [REFUSED, HANDOVER]),
        ("http-404", "unavailable", [DOWN]),
    ],
)
@pytest.mark.usefixtures("desk")
async def test_each_way_to_know_nobody_has_its_answer(
    talk: Talk, bot: CustomerConversation, who: str | None, status: str, said: list[str]
) -> None:
    """A customer who asks for a balance then hears what to do.

    If it is our fault, a person takes over, and the bot forgets the customer.
    """
    assert await talk("qual meu saldo?", "ask_balance", who) == said
    assert bot.slots["ps7_status"] == status


async def test_the_next_turn_tries_again(talk: Talk, ps7: BackgroundSimulator) -> None:
    """PS7 is down when Ana asks, and up when she asks again."""
    with ps7.down():
        assert await talk("qual meu saldo?", "ask_balance", "ana") == [DOWN]
    assert await talk("e agora?", "ask_balance") == [ANAS_BALANCE]


async def test_an_access_runs_out(talk: Talk, bot: CustomerConversation) -> None:
    """Iara's holds for two seconds. It is over before her question is answered."""
    await bot.arrives("iara")
    bot.later(seconds=3)
    assert (await bot.run("action_ps7_verify")).slots["ps7_status"] == "expired"
    assert (await bot.run("utter_ps7_expired")).texts == [OVER]
    assert await talk("qual meu saldo?", "ask_balance") == [
        "O saldo da conta 10203040 é de -R$ 12,30."
    ], "the next turn looks her up again: her contextId is still this session's"


@pytest.mark.usefixtures("desk")
async def test_slots_that_nobody_vouches_for_open_nothing(
    talk: Talk, bot: CustomerConversation
) -> None:
    """Somebody sets them through Rasa's API: a person takes over."""
    for name, value in {"ps7_status": "ok", "identification": "authenticated"}.items():
        await bot.set_slot(name, value)
    assert await talk("qual meu saldo?", "ask_balance") == [FORGED, HANDOVER]


async def test_leaving_closes_the_account(talk: Talk, bot: CustomerConversation) -> None:
    """Also where the channel goes on sending the contextId."""
    assert await talk("qual meu saldo?", "ask_balance", "ana") == [ANAS_BALANCE]
    assert await talk("tchau", "goodbye", "ana") == ["Seu acesso foi encerrado. Até logo!"]
    assert await talk("qual meu saldo?", "ask_balance", "ana") == [NOBODY]
    assert bot.slots["cpf"] is None


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", "Sua conta: agência 0341, conta 00123456."),
        ("diego", "Sua conta: agência 0910, conta 00900019."),
        ("bruno", UNKNOWN),
        ("not-found", UNKNOWN),
        (None, UNKNOWN),
    ],
)
async def test_the_account_is_told_to_the_authenticated(
    talk: Talk, bot: CustomerConversation, who: str | None, said: str
) -> None:
    """And comes from the seal, not from slots."""
    assert await talk("que conta é essa?", "ask_account", who) == [said]
    await bot.set_slot("agency", "0910")
    await bot.set_slot("account", "00900019")
    assert (await bot.run("action_answer_account")).texts == [said]


async def test_a_person_takes_over_and_the_slots_are_emptied(
    talk: Talk, bot: CustomerConversation, desk: list[dict[str, Any]]
) -> None:
    """The desk gets what may go on, and the bot forgets the customer and pauses.

    The channel gets a text, and for itself that the conversation is the desk's.
    """
    await bot.arrives("ana")
    assert await talk("quero falar com uma pessoa", "ask_human") == [HANDOVER]
    (sent,) = desk
    assert (sent["reason"], sent["ps7_status"]) == ("ask_human", "ok")
    assert (sent["segment"], sent["cpf_masked"]) == ("Personnalité", "***.982.247-**")
    assert (bot.slots["ps7_status"], bot.slots["account"]) == ("missing", None)
    signals = [each["data"]["custom"] for each in bot.events if each["event"] == "bot"]
    assert signals == [{"data": {"conversation": "handed_over"}}]
    last = [(each["event"], each.get("name")) for each in bot.events[-2:]]
    assert last == [("action", "action_listen"), ("pause", None)], "or no rule fits what comes next"


@pytest.mark.parametrize(
    ("intent", "said", "signal"),
    [
        ("send_media", ONLY_TEXT, None),
        ("goodbye", "Seu acesso foi encerrado. Até logo!", "ended"),
    ],
)
async def test_the_channel_hears_who_has_the_conversation(
    talk: Talk, bot: CustomerConversation, intent: str, said: str, signal: str | None
) -> None:
    """The customer leaves, or has something else than text. What is the desk's, the desk says."""
    assert await talk(f"/{intent}", intent) == [said]
    custom = [each["data"].get("custom") for each in bot.events if each["event"] == "bot"]
    assert custom == [signal and {"data": {"conversation": signal}}]


async def test_the_desk_is_away(talk: Talk, bot: CustomerConversation) -> None:
    """No HANDOVER_URL is set here: Ana hears so, and her bot still knows her."""
    await bot.arrives("ana")
    assert await talk("quero falar com uma pessoa", "ask_human") == [AWAY]
    assert bot.slots["handed_over"] is False
    assert await talk("qual meu saldo?", "ask_balance") == [ANAS_BALANCE]


@pytest.mark.parametrize(("text", "intent"), [("oi", "greet"), ("meu saldo?", "ask_balance")])
async def test_the_desk_reads_why_nobody_is_known(
    talk: Talk, desk: list[dict[str, Any]], text: str, intent: str
) -> None:
    """Our credentials are refused: the bot gives up by itself."""
    assert await talk(text, intent, "http-403") == [REFUSED, HANDOVER]
    (sent,) = desk
    assert (sent["reason"], sent["ps7_status"]) == (intent, "denied")
    assert sent["segment"] is None
