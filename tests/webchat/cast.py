"""What each card of the page must hear and see, written down by hand."""

from __future__ import annotations

from dataclasses import dataclass

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import GREETING, NO_BALANCE, OFFER, greeting

CALL = "POST /apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
WORDS = {
    "pt-BR": {
        "authenticated": "autenticado",
        "identified": "identificado",
        "not_identified": "não identificado",
        "csi": "CSI",
        "none": "nenhum",
        "valid": "válido",
        "invalid": "não validado",
        "absent": "ausente",
        "True": "sim",
    },
    "en": {
        "not_identified": "not identified",
        "csi": "CSI",
        "invalid": "not validated",
        "True": "yes",
    },
}
"""What the panel says for a value of a slot, where it does not show it as it is."""
OUTCOMES = {
    "pt-BR": {
        "ok": "ok",
        "missing": "ausente",
        "rejected": "rejeitado",
        "unavailable": "indisponível",
        "denied": "recusado",
    },
    "en": {},
}
"""The same for an outcome."""
MASKED = {"pt-BR": "mascarado aqui", "en": "masked here"}
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
    *("agency", "account", "ivr_option", "balance_offered"),
)


def known(name: str, language: str) -> list[tuple[str, str, str]]:
    """Return the slots that the panel shows of a customer, as far as they are always the same.

    Each with what stands below its value: the technical value, or that the slot holds more.
    """
    slots = PERSONAS[name].slots
    masked = {"cpf": slots["cpf_masked"] or "•••", "account": ACCOUNTS[name]}
    offered = "True" if OFFER in greeting(PERSONAS[name]) else None
    shown = {**slots, **masked, "balance_offered": offered}
    rows = []
    for slot in _ORDER:
        if (value := shown[slot]) is not None:
            word = WORDS[language].get(value, value)
            note = MASKED[language] if slot in masked else "" if word == value else value
            rows.append((slot, word, note))
    return rows


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
