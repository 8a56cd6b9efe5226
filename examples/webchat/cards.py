"""Who can arrive at the chat: the simulator's customers, and a few ways in which PS7 fails.

Names, contextIds and the Portuguese lines come from `actions.ps7.testing`; the English ones stand
here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from actions.ps7.testing import FAULTS, PERSONAS, Persona

NOBODY = "nobody"
CHOSEN_FAULTS = ("not-found", "http-503", "slow", "unreadable", "http-401")

_ENGLISH = {
    "exemplo": ("Example", "the example of the interface's documentation, to the letter"),
    "ana": ("Ana", "authenticated, token valid"),
    "bruno": ("Bruno", "identified only, token not validated"),
    "carla": ("Carla", "not identified, no security device"),
    "diego": ("Diego", "authenticated, CSI valid, expiry given as a date"),
    "elisa": ("Elisa", "identified, CSI not validated"),
    "fabio": ("Fábio", "authenticated, token valid, data only in payload.contexto"),
    "gisele": ("Gisele", "authenticated, no device, CPF in 14 digits"),
    "heitor": ("Heitor", "identified, token valid, data under data and not payload"),
    "iara": ("Iara", "authenticated, token valid, numbers without quotes, holds for 2 seconds"),
    "joao": ("João", "unknown identification, nothing about the token, CPF with punctuation"),
    NOBODY: ("Anonymous", "the conversation brings no contextId"),
    "not-found": ("Unknown context", "PS7 does not know this contextId (code 1)"),
    "http-503": ("PS7 is down", "it answers 503, and is asked again"),
    "slow": ("PS7 is slow", "it does not answer in time"),
    "unreadable": ("A page instead of JSON", "HTML with status 200"),
    "http-401": ("Credentials refused", "PS7 does not accept the bot's own (401)"),
}
_PORTUGUESE = {
    NOBODY: ("Anônimo", "a conversa não traz contextId"),
    "not-found": ("Contexto desconhecido", "o PS7 não conhece este contextId (code 1)"),
    "http-503": ("PS7 fora do ar", "responde 503, e é consultado de novo"),
    "slow": ("PS7 lento", "não responde a tempo"),
    "unreadable": ("Página no lugar do JSON", "HTML com status 200"),
    "http-401": ("Credenciais recusadas", "o PS7 não aceita as do bot (401)"),
}


@dataclass(frozen=True)
class Card:
    """Somebody who arrives, or something that goes wrong, as the page shows it."""

    name: str
    context_id: str | None
    """What the channel sends with the conversation; None: nothing."""
    group: str
    """`customers` or `faults`."""
    outcome: str
    """What `ps7_status` will say."""
    segment: str | None
    heading: dict[str, str]
    """By language, as `about`."""
    about: dict[str, str]

    def shown(self) -> dict[str, Any]:
        """Return what the page needs. The contextId stays here until somebody arrives with it."""
        return {name: value for name, value in asdict(self).items() if name != "context_id"}


def _customer(who: Persona) -> Card:
    lines = _by_language(who.name, _split(who))
    return Card(who.name, who.context_id, "customers", "ok", who.slots["segment"], *lines)


def _nobody() -> Card:
    return Card(NOBODY, None, "faults", "missing", None, *_by_language(NOBODY, _PORTUGUESE[NOBODY]))


def _fault(name: str) -> Card:
    what = FAULTS[name]
    lines = _by_language(name, _PORTUGUESE[name])
    return Card(name, what.context_id, "faults", what.outcome, None, *lines)


def _split(who: Persona) -> tuple[str, str]:
    """Return the two lines of a title such as "Ana, Personnalité: autenticada, token válido"."""
    person, _, how = who.title.partition(": ")
    return (person.partition(",")[0], how) if how else (who.name.capitalize(), who.title)


def _by_language(name: str, portuguese: tuple[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    lines = {"pt-BR": portuguese, "en": _ENGLISH.get(name, portuguese)}
    return (
        {language: heading for language, (heading, _) in lines.items()},
        {language: about for language, (_, about) in lines.items()},
    )


# The documentation's example is the strangest customer: not the one whom one should meet first.
_CUSTOMERS = sorted(PERSONAS.values(), key=lambda who: who.name == "exemplo")

CARDS: dict[str, Card] = {
    card.name: card
    for card in (*map(_customer, _CUSTOMERS), _nobody(), *map(_fault, CHOSEN_FAULTS))
}
"""By name, in the order of the page."""
