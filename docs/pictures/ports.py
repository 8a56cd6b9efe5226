"""Draws docs/images/ports.svg: `python docs/pictures/ports.py`.

What is said stands in the table at the top, also in Portuguese. A test holds that the files are
what this makes.
"""

from __future__ import annotations

from typing import NamedTuple

from drawing import box, save, svg, text, way


class Words(NamedTuple):
    """All that the picture says."""

    title: str
    description: str
    servers: tuple[tuple[str, str, str], ...]
    """Name, what it is or runs, and where it listens."""
    ways: tuple[tuple[str, str], ...]
    """What goes from each server to the next, and what comes back."""


WORDS = {
    "ports.svg": Words(
        title="The servers of a bot with rasa-ps7",
        description=(
            "From left to right: your channel or back-end posts the message, with a contextId, to "
            "Rasa on port 5005. Rasa calls the action server, which runs your actions and "
            "rasa-ps7, on port 5055. If needed, that asks PS7 about the contextId by https, and "
            "gets the customer. Slots come back to Rasa, and the answer to the channel."
        ),
        servers=(
            ("Channel", "app, WhatsApp, CEC", "your back-end"),
            ("Rasa", "rules, stories, flows", "port 5005"),
            ("Action server", "your actions, rasa-ps7", "port 5055"),
            ("PS7", "chat_itau_contextos", "https, port 443"),
        ),
        ways=(("contextId", "answer"), ("tracker", "slots"), ("contextId", "customer")),
    ),
    "ports.pt-BR.svg": Words(
        title="Os servidores de um bot com o rasa-ps7",
        description=(
            "Da esquerda para a direita: o seu canal ou back-end posta a mensagem, com um "
            "contextId, no Rasa, na porta 5005. O Rasa chama o servidor de ações, que roda as "
            "suas actions e o rasa-ps7, na porta 5055. Se preciso, este consulta o PS7 sobre o "
            "contextId por https e recebe o cliente. Os slots voltam ao Rasa, e a resposta, ao "
            "canal."
        ),
        servers=(
            ("Canal", "app, WhatsApp, CEC", "seu back-end"),
            ("Rasa", "regras, stories, flows", "porta 5005"),
            ("Servidor de ações", "suas actions, rasa-ps7", "porta 5055"),
            ("PS7", "chat_itau_contextos", "https, porta 443"),
        ),
        ways=(("contextId", "resposta"), ("tracker", "slots"), ("contextId", "cliente")),
    ),
}

WIDTH, HEIGHT = 1010, 150
CENTRES = (105, 371, 637, 903)
BOX, BOX_HEIGHT = 186, 96
MIDDLE = HEIGHT // 2
APART = 14
"""From the middle to an arrow."""
OURS, ONLY_IF = 2, 2
"""Which server has the plugin, and which way is not gone on every turn."""


def server(at: int, words: tuple[str, str, str]) -> list[str]:
    """Draw one of them."""
    x, (name, runs, where) = CENTRES[at], words
    return [
        box(x, MIDDLE - BOX_HEIGHT / 2, BOX, BOX_HEIGHT, "stage" if at == OURS else "head"),
        text(x, MIDDLE - 18, name, "lane"),
        text(x, MIDDLE + 6, runs, "soft"),
        text(x, MIDDLE + 30, where, "ours" if at == OURS else "said"),
    ]


def ways(at: int, there: str, back: str) -> list[str]:
    """Draw what goes on from a server, and what comes back to it."""
    left, right = CENTRES[at] + BOX / 2, CENTRES[at + 1] - BOX / 2
    kind = "only-if" if at == ONLY_IF else ""
    return [
        way(f"M{left:g} {MIDDLE - APART}H{right:g}", kind),
        text((left + right) / 2, MIDDLE - APART - 8, there, kind or "said"),
        way(f"M{right:g} {MIDDLE + APART}H{left:g}", kind),
        text((left + right) / 2, MIDDLE + APART + 18, back, kind or "said"),
    ]


def picture(words: Words) -> str:
    """Draw all of it, from left to right."""
    parts = [
        *(part for at, said in enumerate(words.servers) for part in server(at, said)),
        *(part for at, (there, back) in enumerate(words.ways) for part in ways(at, there, back)),
    ]
    return svg((WIDTH, HEIGHT), words.title, words.description, parts)


def pictures() -> dict[str, str]:
    """Give the files that this script draws."""
    return {name: picture(words) for name, words in WORDS.items()}


if __name__ == "__main__":
    save(pictures())
