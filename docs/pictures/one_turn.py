"""Draws docs/images/one-turn.svg: `python docs/pictures/one_turn.py`.

Where things stand is in the numbers at the top, and what is said in the table below them, also in
Portuguese. A test holds that the files are what this makes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from drawing import box, lane, save, svg, text, way

WIDTH, HEIGHT = 1010, 680
CUSTOMER, RASA, PLUGIN, PS7 = LANES = 100, 320, 640, 910


class Arrow(NamedTuple):
    """Something that goes from one lane to another, at a height."""

    start: int
    end: int
    y: int
    said: str
    below: str
    only_if: bool = False


class Stage(NamedTuple):
    """What happens within the action."""

    y: int
    does: str
    detail: str
    only_if: bool = False


# Half the width of the box in which the action runs, and of what is drawn in it.
BOX, PART = 163, 132
STAGES = (222, 276, 330, 384, 438, 492)
ASKS = (3, 4)
"""The stages that most turns leave out."""
STAGE_HEIGHT = 42
ARROWS = (
    (CUSTOMER, RASA, 132),
    (RASA, PLUGIN - BOX, 205),
    (PLUGIN + PART, PS7, 396),
    (PS7, PLUGIN + PART, 418),
    (PLUGIN - BOX, RASA, 520),
    (RASA, CUSTOMER, 632),
)
DECIDES = 578


class Words(NamedTuple):
    """All that the picture says."""

    title: str
    description: str
    lanes: tuple[tuple[str, str], ...]
    run: str
    stages: tuple[tuple[str, str], ...]
    arrows: tuple[tuple[str, str], ...]
    """What is said above each, and below."""
    decides: tuple[str, str]
    bypass: tuple[str, str, str]


WORDS = {
    "one-turn.svg": Words(
        title="One turn with rasa-ps7",
        description=(
            "A sequence from left to right. The customer's message reaches Rasa with a contextId "
            "in its metadata. Before its policies decide, Rasa runs action_ps7_context in the "
            "action server. That finds the contextId, opens the seal in the slot ps7_context, and "
            "decides by one table. In most turns there is nothing new, and no call is made. "
            "Otherwise it asks PS7 within a deadline and seals the outcome. It returns only the "
            "slots that differ. Rasa's policies then decide, knowing the customer, and the bot "
            "answers by segment."
        ),
        lanes=(
            ("Customer", "URA, app, web chat"),
            ("Rasa", "tracker store"),
            ("Action server", "rasa-ps7"),
            ("PS7", "chat_itau_contextos"),
        ),
        run="one run, without a state of its own",
        stages=(
            ("find the contextId", "this session's messages, newest first"),
            ("open the seal", "about it, the newest of this session"),
            ("decide by one table", "what arrived, and the current seal"),
            ("ask PS7", "one deadline, retries, circuit breaker"),
            ("seal the outcome", "encrypted, until it expires"),
            ("compare the slots", "what something overwrote is restored"),
        ),
        arrows=(
            ("“qual meu saldo?”", 'metadata {"contextId": …}'),
            ("action_ps7_context", "before policies decide"),
            ("contextId", ""),
            ("", "u_cpf, u_seg, …"),
            ("slots that differ", "ps7_status, segment, …"),
            ("“… do Personnalité.”", "a response, by segment"),
        ),
        decides=("policies decide", "they know the customer"),
        bypass=("nothing new:", "no call,", "most turns"),
    ),
    "one-turn.pt-BR.svg": Words(
        title="Um turno com o rasa-ps7",
        description=(
            "Uma sequência da esquerda para a direita. A mensagem do cliente chega ao Rasa com um "
            "contextId nos metadados. Antes de as políticas decidirem, o Rasa roda "
            "action_ps7_context no servidor de ações. Ela acha o contextId, abre o selo no slot "
            "ps7_context e decide por uma tabela. Quase sempre não há nada de novo, nem chamada. "
            "Senão, ela consulta o PS7 dentro de um prazo e sela o resultado. Ela devolve só os "
            "slots que diferem. As políticas do Rasa então decidem, conhecendo o cliente, e o bot "
            "responde pelo segmento."
        ),
        lanes=(
            ("Cliente", "URA, app, web chat"),
            ("Rasa", "tracker store"),
            ("Servidor de ações", "rasa-ps7"),
            ("PS7", "chat_itau_contextos"),
        ),
        run="uma execução, sem estado próprio",
        stages=(
            ("acha o contextId", "nas mensagens da sessão, da mais nova"),
            ("abre o selo", "sobre ele, o mais novo da sessão"),
            ("decide por uma tabela", "o que chegou, e o selo vigente"),
            ("consulta o PS7", "um prazo, retentativas, disjuntor"),
            ("sela o resultado", "criptografado, até expirar"),
            ("compara os slots", "restaura o que foi sobrescrito"),
        ),
        arrows=(
            ("“qual meu saldo?”", 'metadata {"contextId": …}'),
            ("action_ps7_context", "antes das políticas"),
            ("contextId", ""),
            ("", "u_cpf, u_seg, …"),
            ("slots que diferem", "ps7_status, segment, …"),
            ("“… do Personnalité.”", "resposta pelo segmento"),
        ),
        decides=("as políticas decidem", "já conhecem o cliente"),
        bypass=("nada de novo:", "sem chamada,", "quase sempre"),
    ),
}


def arrow(drawn: Arrow) -> list[str]:
    """Draw one arrow, what is said above it, and a detail below."""
    edge = PLUGIN + BOX  # what is said stands outside the box
    ends = (max(end, edge) if PS7 in drawn[:2] else end for end in drawn[:2])
    middle = sum(ends) / 2
    kind = "only-if" if drawn.only_if else ""
    parts = [way(f"M{drawn.start} {drawn.y}H{drawn.end}", kind)]
    if drawn.said:
        parts.append(text(middle, drawn.y - 8, drawn.said, kind or "said"))
    if drawn.below:
        parts.append(text(middle, drawn.y + 18, drawn.below, "soft"))
    return parts


def stage(drawn: Stage) -> list[str]:
    """Draw one step of the action."""
    kind = "only-if" if drawn.only_if else "ours"
    shape = "stage-only-if" if drawn.only_if else "stage"
    return [
        box(PLUGIN, drawn.y, 2 * PART, STAGE_HEIGHT, shape),
        text(PLUGIN, drawn.y + 18, drawn.does, kind),
        text(PLUGIN, drawn.y + 34, drawn.detail, "soft"),
    ]


def steps(stages: list[Stage]) -> list[str]:
    """Lead from each step to the next, and past those that most turns leave out."""
    parts = [
        way(f"M{PLUGIN} {one.y + STAGE_HEIGHT}V{other.y}", "only-if" if other.only_if else "ours")
        for one, other in pairwise(stages)
    ]
    left, out = PLUGIN - PART, PLUGIN - BOX + 12
    start, end = stages[2].y + STAGE_HEIGHT / 2, stages[-1].y + 16
    return [*parts, way(f"M{left} {start:g}H{out}V{end}H{left}", "ours")]


def bypass(lines: tuple[str, ...]) -> list[str]:
    """Say what the way past PS7 means."""
    x = PLUGIN - BOX - 64
    return [text(x, 400 + 18 * row, line, "ours") for row, line in enumerate(lines)]


def picture(words: Words) -> str:
    """Draw all of it."""
    stages = [
        Stage(y, *said, only_if=at in ASKS)
        for at, (y, said) in enumerate(zip(STAGES, words.stages, strict=True))
    ]
    arrows = [
        Arrow(*where, *said, only_if=PS7 in where)
        for where, said in zip(ARROWS, words.arrows, strict=True)
    ]
    lanes = zip(LANES, words.lanes, strict=True)
    decides, detail = words.decides
    top, bottom = STAGES[0] - 36, STAGES[-1] + STAGE_HEIGHT + 16
    parts = [
        *(part for x, (who, where) in lanes for part in lane(x, who, where, HEIGHT - 20)),
        box(PLUGIN, top, 2 * BOX, bottom - top, "run"),
        text(PLUGIN, top + 22, words.run, "soft"),
        *(part for each in stages for part in stage(each)),
        *steps(stages),
        *bypass(words.bypass),
        *(part for each in arrows for part in arrow(each)),
        box(RASA, DECIDES - 22, 190, 44, "head"),
        text(RASA, DECIDES - 3, decides),
        text(RASA, DECIDES + 14, detail, "soft"),
    ]
    return svg((WIDTH, HEIGHT), words.title, words.description, parts)


def pictures() -> dict[str, str]:
    """Give the files that this script draws."""
    return {name: picture(words) for name, words in WORDS.items()}


if __name__ == "__main__":
    save(pictures())
