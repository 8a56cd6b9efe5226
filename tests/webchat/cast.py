"""What each card of the page must hear and see, written down by hand."""

from __future__ import annotations

from dataclasses import dataclass

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import GREETING, NO_BALANCE

CALL = "POST /apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
SEALED = {"pt-BR": "selado", "en": "sealed"}
HELD = {
    "pt-BR": "Nada: o contexto selado ainda vale.",
    "en": "Nothing: the sealed context still holds.",
}
NOT_ASKED = {
    "missing": {
        "pt-BR": "Nada: a conversa não trouxe contextId.",
        "en": "Nothing: the chat brought no contextId.",
    },
    "rejected": {
        "pt-BR": "Nada: o PS7 acabou de dizer que não conhece este contexto.",
        "en": "Nothing: PS7 has just said that it does not know this context.",
    },
}
NO_ANSWER = {"pt-BR": "sem resposta", "en": "no answer"}
ACCOUNTS = {
    "ana": "••••••56",
    "bruno": "••••••21",
    "carla": "••••••01",
    "diego": "••••••19",
    "elisa": "••••••70",
    "fabio": "••••••09",
    "gisele": "••••••02",
    "heitor": "••••••40",
    "iara": "••••••40",
    "joao": "••••••99",
    "exemplo": "••••••••••••••••••54",
}
"""All of an account number that the panel shows."""
_ORDER = (
    *("segment", "identification", "security_device", "token_status", "cpf", "cpf_masked"),
    *("agency", "account", "ivr_option"),
)


def known(name: str) -> list[tuple[str, str]]:
    """Return the slots that the panel shows of a customer, as far as they are always the same."""
    slots = PERSONAS[name].slots
    shown = {**slots, "cpf": slots["cpf_masked"] or "•••", "account": ACCOUNTS[name]}
    return [(slot, value) for slot in _ORDER if (value := shown[slot]) is not None]


@dataclass(frozen=True)
class Trouble:
    """What becomes of a card that stands for no customer."""

    status: str
    reason: str | None = None
    """Of the lookup; None: there is none."""
    answers: str | None = None
    """What PS7 answered to each request; None: nothing arrived."""
    again: bool = True
    """Whether the next turn asks again."""
    greeting: tuple[str, ...] = tuple(GREETING)


TROUBLES = {
    "nobody": Trouble("missing", again=False),
    "not-found": Trouble("rejected", "failure_code", "200", again=False),
    "http-503": Trouble("unavailable", "server_error", "503, 503, 503"),
    "slow": Trouble("unavailable", "deadline"),
    "unreadable": Trouble("unavailable", "not_json", "200"),
    "http-401": Trouble("denied", "unauthorized", "401", greeting=tuple(NO_BALANCE["denied"])),
}
