"""What the example bot says, by its own domain, and what no bot may show where nobody is known."""

from __future__ import annotations

from typing import Any

from actions.ps7 import Outcome
from actions.ps7.customer import CUSTOMER_SLOTS as DECLARABLE
from actions.ps7.testing import Persona
from actions.ps7.testing.rasa_in_memory import bot_message, load_domain
from tests.conversation.harness import OSS_BOT
from tests.conversation.talking import Chat

CUSTOMER_SLOTS = tuple(name for name, slot in DECLARABLE.items() if slot.declared)
"""The slots of `domain.yml` that hold what PS7 said about a customer."""
NOBODY: dict[str, Any] = dict.fromkeys(CUSTOMER_SLOTS)
_BOT = load_domain(OSS_BOT / "domain")


def answer(name: str, **slots: str | None) -> list[str]:
    """Return what the answer of this name is, with these slots."""
    message = bot_message({"response": f"utter_{name}"}, _BOT, slots, "rest")
    assert message is not None
    return [message["text"]]


GREETING, WHAT_ELSE, THANKED, HOURS = map(answer, ("greet", "what_else", "thank", "hours"))
OUT_OF_SCOPE, NOT_UNDERSTOOD = answer("out_of_scope"), answer("not_understood")
ASK_TOKEN, GOODBYE = answer("ps7_ask_token"), answer("goodbye")
UNKNOWN_ACCOUNT = answer("account_unknown")
(OFFER,), (HANDOVER,) = answer("offer_balance"), answer("handover")
GREETINGS = {each: answer("greet", segment=each) for each in ("Private", "Personnalité")}
"""By segment, for two of them."""
ANA_ACCOUNT = ["Sua conta: agência 0341, conta 00123456."]
BALANCES = {
    "ana": ["O saldo da conta 00123456 é de R$ 15.230,75."],
    "bruno": ASK_TOKEN,
    "diego": ["O saldo da conta 00900019 é de R$ 1.048.576,00."],
}
"""Who may see a balance, and what the others hear."""
NO_BALANCE = {
    outcome.value: answer(f"ps7_{outcome}")
    + ([HANDOVER] if outcome in {Outcome.DENIED, Outcome.TAMPERED} else [])
    for outcome in Outcome
    if outcome != Outcome.OK
}
"""What the example bot says instead of a balance, by `ps7_status`."""


def greeting(persona: Persona) -> list[str]:
    """Return what a customer hears first: by segment, and by what they chose in the phone menu."""
    offer = [OFFER] if persona.slots["ivr_option"] == "saldo" else []
    return answer("greet", segment=persona.slots["segment"]) + offer


def of_the_customer(slots: dict[str, Any]) -> dict[str, Any]:
    """Return the slots that hold what PS7 said about a customer."""
    return {name: slots[name] for name in CUSTOMER_SLOTS}


async def is_unknown(chat: Chat, status: str) -> None:
    """Check the slots: this status, and no value of a customer."""
    slots = await chat.slots()
    assert slots["ps7_status"] == status
    assert of_the_customer(slots) == NOBODY
