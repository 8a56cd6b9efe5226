"""Draws docs/images/breaker.svg: `python docs/pictures/breaker.py`.

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
    closed: tuple[str, str, str]
    open: tuple[str, str, str]
    probe: tuple[str, str]
    first_probe: tuple[str, str]
    """What sets off the probe while the circuit is closed."""
    next_probe: tuple[str, str]
    """What sets off the probes while it is open."""
    stays_closed: tuple[str, str]
    closes: tuple[str, str]
    opens: str
    stays_open: str


WORDS = {
    "breaker.svg": Words(
        title="The circuit breaker",
        description=(
            "While the circuit is closed, each lookup goes to PS7. Five failures in a row, or the "
            "first refused credentials, set off a probe: a lookup of a made-up contextId. If PS7 "
            "answers it, or answered a customer meanwhile, the circuit stays closed. If the probe "
            "fails too, the circuit opens, and lookups end at once. The first lookup after 15 "
            "seconds sets off another probe. While credentials are refused, the pause doubles: 30 "
            "seconds, 60 seconds, up to 10 minutes. A probe that fails keeps the circuit open. An "
            "answer, which is ok, rejected or invalid, closes it."
        ),
        closed=("Closed", "every lookup goes to PS7", "the normal state"),
        open=("Open", "lookups end at once", "customers do not wait for PS7"),
        probe=("Probe", "a lookup of a made-up contextId"),
        first_probe=("5 failures in a row,", "or the first refused credentials"),
        next_probe=("after 15 s, with the next lookup", "credentials refused: 30 s, 60 s … 10 min"),
        stays_closed=("PS7 answers", "the probe or a customer"),
        closes=("PS7 answers the probe", "ok, rejected or invalid"),
        opens="the probe fails too",
        stays_open="the probe fails",
    ),
    "breaker.pt-BR.svg": Words(
        title="O disjuntor",
        description=(
            "Com o circuito fechado, cada consulta vai ao PS7. Cinco falhas seguidas, ou a "
            "primeira recusa das credenciais, disparam uma sonda: a consulta de um contextId "
            "inventado. Se o PS7 responde a ela, ou respondeu a um cliente nesse meio-tempo, o "
            "circuito continua fechado. Se a sonda também falha, o circuito abre, e as consultas "
            "terminam na hora. A primeira consulta depois de 15 segundos dispara outra sonda. "
            "Enquanto as credenciais são recusadas, a pausa dobra: 30 segundos, 60 segundos, até "
            "10 minutos. Uma sonda que falha mantém o circuito aberto. Uma resposta, que é ok, "
            "rejected ou invalid, fecha o circuito."
        ),
        closed=("Fechado", "toda consulta vai ao PS7", "o estado normal"),
        open=("Aberto", "a consulta termina na hora", "o cliente não espera pelo PS7"),
        probe=("Sonda", "consulta de um contextId inventado"),
        first_probe=("5 falhas seguidas, ou a", "primeira recusa das credenciais"),
        next_probe=("após 15 s, na próxima consulta", "credencial recusada: 30 s, 60 s … 10 min"),
        stays_closed=("o PS7 responde", "à sonda ou a um cliente"),
        closes=("o PS7 responde à sonda", "ok, rejected ou invalid"),
        opens="a sonda também falha",
        stays_open="a sonda falha",
    ),
}

WIDTH, HEIGHT = 1010, 470
CLOSED, PROBE, OPEN = 140, 505, 870
STATE, STATE_HEIGHT = 244, 92
SENT, SENT_HEIGHT = 246, 58
TOP, MIDDLE, BOTTOM = 90, 235, 380
APART = 24
"""From the middle of a box to where an arrow to a state, or from it, begins."""


def state(x: int, words: tuple[str, str, str], kind: str) -> list[str]:
    """Draw a state of the circuit."""
    name, does, detail = words
    looks = "stage" if kind == "ours" else "stage-bad"
    return [
        box(x, MIDDLE - STATE_HEIGHT / 2, STATE, STATE_HEIGHT, looks),
        text(x, MIDDLE - 18, name, "lane"),
        text(x, MIDDLE + 6, does, kind),
        text(x, MIDDLE + 28, detail, "soft"),
    ]


def probe(y: int, words: tuple[str, str]) -> list[str]:
    """Draw a probe."""
    return [
        box(PROBE, y - SENT_HEIGHT / 2, SENT, SENT_HEIGHT, "stage-only-if"),
        text(PROBE, y - 4, words[0], "only-if"),
        text(PROBE, y + 16, words[1], "soft"),
    ]


def picture(words: Words) -> str:
    """Draw all of it: a ring, clockwise from the closed circuit, and the two ways back."""
    left, right = PROBE - SENT / 2, PROBE + SENT / 2
    above, below = MIDDLE - STATE_HEIGHT / 2, MIDDLE + STATE_HEIGHT / 2
    under, over = TOP + SENT_HEIGHT / 2, BOTTOM - SENT_HEIGHT / 2
    after_closed, before_open = CLOSED + STATE / 2, OPEN - STATE / 2
    to_probe, from_probe = (left + CLOSED) / 2, (right + OPEN) / 2
    back, again = PROBE - 60, PROBE + 60
    parts = [
        way(f"M{CLOSED} {above:g}V{TOP}H{left:g}", "only-if"),
        text(to_probe, TOP - 28, words.first_probe[0]),
        text(to_probe, TOP - 10, words.first_probe[1]),
        way(f"M{right:g} {TOP}H{OPEN}V{above:g}", "bad"),
        text(from_probe, TOP - 10, words.opens),
        way(f"M{back} {under:g}V{MIDDLE - APART}H{after_closed:g}", "ours"),
        text((back + after_closed) / 2, MIDDLE - APART - 10, words.stays_closed[0]),
        text((back + after_closed) / 2, MIDDLE - APART + 18, words.stays_closed[1], "soft"),
        way(f"M{OPEN} {below:g}V{BOTTOM}H{right:g}", "only-if"),
        text(from_probe + 14, BOTTOM + 20, words.next_probe[0]),
        text(from_probe + 14, BOTTOM + 38, words.next_probe[1], "soft"),
        way(f"M{left:g} {BOTTOM}H{CLOSED}V{below:g}", "ours"),
        text(to_probe, BOTTOM + 20, words.closes[0]),
        text(to_probe, BOTTOM + 38, words.closes[1], "soft"),
        way(f"M{again} {over:g}V{MIDDLE + APART}H{before_open:g}", "bad"),
        text((again + before_open) / 2, MIDDLE + APART - 10, words.stays_open),
        *state(CLOSED, words.closed, "ours"),
        *state(OPEN, words.open, "bad"),
        *probe(TOP, words.probe),
        *probe(BOTTOM, words.probe),
    ]
    return svg((WIDTH, HEIGHT), words.title, words.description, parts)


def pictures() -> dict[str, str]:
    """Give the files that this script draws."""
    return {name: picture(words) for name, words in WORDS.items()}


if __name__ == "__main__":
    save(pictures())
