"""Draws docs/images/signed-arrival.svg: `python docs/pictures/signed_arrival.py`.

What is said stands in the tables at the top, also in Portuguese. A test holds that the files are
what this makes.
"""

from __future__ import annotations

from typing import NamedTuple

from drawing import box, lane, save, svg, text, way

WIDTH, HEIGHT = 1010, 640
PAGE, BACK_END, RASA, PLUGIN, PS7 = LANES = (105, 302, 503, 705, 905)
TOKEN = "{contextId, sub, iat, exp}"  # noqa: S105 - what it contains


class Words(NamedTuple):
    """All that the picture says."""

    title: str
    description: str
    lanes: tuple[tuple[str, str], ...]
    asks: tuple[str, str]
    signs: tuple[str, str]
    posts: tuple[str, str]
    runs: tuple[str, str]
    checks: tuple[str, str]
    wrong: tuple[str, str]
    right: str
    slots: tuple[str, str]
    answers: str
    stranger: tuple[str, str]
    refused: str


WORDS = {
    "signed-arrival.svg": Words(
        title="Signed arrival",
        description=(
            "A sequence from left to right. The customer's page sends a message with a contextId "
            "to the bank's back-end. The back-end signs a token with the contextId, sub, iat and "
            "exp, and posts it to Rasa as metadata. Rasa runs action_ps7_context in the action "
            "server. That checks signature, conversation and time of the token. If it is valid, "
            "the action asks PS7 about the contextId and returns the slots, and the bot answers. "
            "If it is not valid, or there is no token, ps7_status is invalid and PS7 is not asked."
        ),
        lanes=(
            ("Page", "of the customer"),
            ("Your back-end", "has the arrival key"),
            ("Rasa", "a channel"),
            ("Action server", "has the arrival key"),
            ("PS7", "chat_itau_contextos"),
        ),
        asks=("“qual meu saldo?”", "contextId"),
        signs=("signs a token", TOKEN),
        posts=("sender, message", "metadata: the token"),
        runs=("action_ps7_context", "the token"),
        checks=("checks the token", "signature, sub, time"),
        wrong=("not valid", "ps7_status: invalid"),
        right="valid",
        slots=("slots", "ps7_status: ok"),
        answers="“O saldo da conta …”",
        stranger=("A stranger", "posts a plain contextId"),
        refused="no token: ps7_status is invalid, and PS7 is not asked",
    ),
    "signed-arrival.pt-BR.svg": Words(
        title="Chegada assinada",
        description=(
            "Uma sequência da esquerda para a direita. A página do cliente envia uma mensagem com "
            "um contextId ao back-end do banco. O back-end assina um token com contextId, sub, iat "
            "e exp, e o envia ao Rasa como metadados. O Rasa executa action_ps7_context no "
            "servidor de ações, que confere a assinatura, a conversa e o horário do token. Se ele "
            "é válido, a ação consulta o PS7 e devolve os slots, e o bot responde. Se não é "
            "válido, ou se não há token, ps7_status é invalid e o PS7 não é consultado."
        ),
        lanes=(
            ("Página", "do cliente"),
            ("Seu back-end", "tem a chave de chegada"),
            ("Rasa", "um canal"),
            ("Servidor de ações", "tem a chave de chegada"),
            ("PS7", "chat_itau_contextos"),
        ),
        asks=("“qual meu saldo?”", "contextId"),
        signs=("assina um token", TOKEN),
        posts=("sender, message", "metadata: o token"),
        runs=("action_ps7_context", "o token"),
        checks=("confere o token", "assinatura, sub, horário"),
        wrong=("não é válido", "ps7_status: invalid"),
        right="válido",
        slots=("slots", "ps7_status: ok"),
        answers="“O saldo da conta …”",
        stranger=("Um desconhecido", "contextId sem token"),
        refused="sem token: ps7_status é invalid, e o PS7 não é consultado",
    ),
}

PART, PART_HEIGHT = 180, 44
END, STRANGER = 560, 598
"""Where the sequence ends, and where somebody comes who is no part of it."""


def arrow(start: float, end: float, y: int, words: tuple[str, str], kind: str = "") -> list[str]:
    """Draw an arrow, what is said above it, and a detail below."""
    middle = (start + end) / 2
    return [
        way(f"M{start:g} {y}H{end:g}", kind),
        text(middle, y - 8, words[0], kind or "said"),
        text(middle, y + 18, words[1], "soft"),
    ]


def part(x: int, y: int, words: tuple[str, str]) -> list[str]:
    """Draw what one of them does."""
    return [
        box(x, y, PART, PART_HEIGHT, "stage"),
        text(x, y + 18, words[0], "ours"),
        text(x, y + 35, words[1], "soft"),
    ]


def picture(words: Words) -> str:
    """Draw all of it, from above."""
    parts = [
        *(
            drawn
            for x, (name, detail) in zip(LANES, words.lanes, strict=True)
            for drawn in lane(x, name, detail, STRANGER if x == RASA else END)
        ),
        *arrow(PAGE, BACK_END, 122, words.asks),
        *part(BACK_END, 148, words.signs),
        *arrow(BACK_END, RASA, 228, words.posts),
        *arrow(RASA, PLUGIN, 282, words.runs),
        *part(PLUGIN, 308, words.checks),
        *arrow(PLUGIN, RASA, 388, words.wrong, "bad"),
        *arrow(PLUGIN, PS7, 388, (words.right, "contextId"), "ours"),
        *arrow(PS7, PLUGIN, 436, ("", "u_cpf, u_seg, …"), "ours"),
        *arrow(PLUGIN, RASA, 486, words.slots, "ours"),
        *arrow(RASA, BACK_END, 538, ("", "")),
        *arrow(BACK_END, PAGE, 538, (words.answers, "")),
        box(PAGE, STRANGER - PART_HEIGHT / 2, PART, PART_HEIGHT, "stage-bad"),
        text(PAGE, STRANGER - 4, words.stranger[0], "bad"),
        text(PAGE, STRANGER + 13, words.stranger[1], "soft"),
        way(f"M{PAGE + PART / 2:g} {STRANGER}H{RASA}", "bad"),
        text((PLUGIN + PS7) / 2 - 60, STRANGER + 5, words.refused, "bad"),
    ]
    return svg((WIDTH, HEIGHT), words.title, words.description, parts)


def pictures() -> dict[str, str]:
    """Give the files that this script draws."""
    return {name: picture(words) for name, words in WORDS.items()}


if __name__ == "__main__":
    save(pictures())
