"""What the bots say, and what no bot may show where no customer is known."""

from __future__ import annotations

from typing import Any

from actions.ps7.testing import Persona
from tests.conversation.talking import Chat

CUSTOMER_SLOTS = (
    "cpf",
    "cpf_masked",
    "agency",
    "account",
    "segment",
    "ivr_option",
    "identification",
    "security_device",
    "token_status",
    "ps7_expires_at",
)
"""The slots of `domain.yml` that hold what PS7 said about a customer."""

NOBODY: dict[str, Any] = dict.fromkeys(CUSTOMER_SLOTS)

GREETINGS = {
    "Private": ["Olá! Sou a assistente do Private. Como posso ajudar?"],
    "Personnalité": ["Olá! Sou a assistente do Personnalité. Como posso ajudar?"],
    "Uniclass": ["Olá! Sou a assistente do Uniclass. Como posso ajudar?"],
    "Empresas": ["Olá! Sou a assistente da sua empresa no banco. Como posso ajudar?"],
}
"""By segment. All others hear GREETING."""
GREETING = ["Olá! Sou a assistente do banco. Como posso ajudar?"]
OFFER = "Vi que você escolheu saldo no telefone: quer ver agora?"
WHAT_ELSE = ["Tudo bem. Como posso ajudar?"]
THANKED = ["De nada! Posso ajudar em algo mais?"]
_CAN = "o seu saldo, o horário das agências ou chamar uma pessoa da equipe."
OUT_OF_SCOPE = [f"Isso eu ainda não faço por aqui. Posso informar {_CAN}"]
NOT_UNDERSTOOD = [f"Não entendi. Posso informar {_CAN}"]
HOURS = [
    "As agências atendem de segunda a sexta, das 10h às 16h. Por aqui, atendo a qualquer hora."
]
SIGN_IN = ["Para mostrar o saldo, preciso que você entre no aplicativo com a sua senha."]
ASK_TOKEN = ["Para continuar, valide o seu token no aplicativo do banco e me chame de novo."]
GOODBYE = ["Seu acesso foi encerrado. Até logo!"]
ANA_ACCOUNT = ["Você fala da agência 0341, conta 00123456."]
UNKNOWN_ACCOUNT = ["Ainda não sei de que conta você fala."]

BALANCES = {
    "exemplo": SIGN_IN,
    "ana": ["O saldo da conta 00123456 é de R$ 15.230,75."],
    "bruno": ASK_TOKEN,
    "carla": ASK_TOKEN,
    "diego": ["O saldo da conta 00900019 é de R$ 1.048.576,00."],
    "elisa": ASK_TOKEN,
    "fabio": ["O saldo da conta 00001509 é de R$ 87,40."],
    "gisele": ASK_TOKEN,
    "heitor": SIGN_IN,
    "iara": ["O saldo da conta 10203040 é de -R$ 12,30."],
    "joao": SIGN_IN,
}
"""Who may see a balance, and what the others hear."""


def greeting(persona: Persona) -> list[str]:
    """Return what a customer hears first: by segment, and by what they chose in the phone menu."""
    offer = [OFFER] if persona.slots["ivr_option"] == "saldo" else []
    return GREETINGS.get(persona.slots["segment"] or "", GREETING) + offer


HANDOVER = "Estou transferindo a conversa. Aguarde um momento, por favor."
_A_PERSON = "Uma pessoa da nossa equipe vai continuar com você."
_OPEN_AGAIN = "Para falar da sua conta, abra a conversa de novo pelo aplicativo do banco."
_OPEN = "Para falar da sua conta, abra esta conversa pelo aplicativo do banco."

NO_BALANCE = {
    "missing": [f"Posso ajudar com informações gerais. {_OPEN}"],
    "invalid": [f"Não reconheci a origem desta conversa. {_OPEN_AGAIN}"],
    "rejected": [f"Não encontrei o seu atendimento. {_OPEN_AGAIN}"],
    "denied": [f"Não consigo consultar os seus dados por aqui. {_A_PERSON}", HANDOVER],
    "unavailable": [
        "Desculpe, não consigo consultar os seus dados agora. Tente de novo em alguns instantes."
    ],
    "expired": [f"Por segurança, o seu acesso expirou. {_OPEN_AGAIN}"],
    "tampered": [
        f"Por segurança, não posso continuar este atendimento por aqui. {_A_PERSON}",
        HANDOVER,
    ],
}
"""What the example bot says instead of a balance, by `ps7_status`."""


def of_the_customer(slots: dict[str, Any]) -> dict[str, Any]:
    """Return the slots that hold what PS7 said about a customer."""
    return {name: slots[name] for name in CUSTOMER_SLOTS}


async def is_unknown(chat: Chat, status: str) -> None:
    """Check the slots: this status, and no value of a customer."""
    slots = await chat.slots()
    assert slots["ps7_status"] == status
    assert of_the_customer(slots) == NOBODY
