"""Draws docs/images/status.svg: `python docs/pictures/status.py`.

What is said stands in the table at the top, also in Portuguese. A test holds that the files are
what this makes.
"""

from __future__ import annotations

from typing import NamedTuple

from drawing import box, save, svg, text, way


class Words(NamedTuple):
    """All that the picture says, beside the values of `ps7_status`."""

    title: str
    description: str
    missing: str
    asked: tuple[str, str]
    ok: str
    refused: str
    failed: str
    expired: str
    tampered: str
    arrives: str
    is_known: str
    is_unknown: str
    again: str
    is_away: str
    next_message: str
    ends: str
    log_out: str
    without: str
    forged: tuple[str, str]
    from_any: tuple[str, str]


WORDS = {
    "status.svg": Words(
        title="The life of ps7_status",
        description=(
            "A conversation begins as missing: nobody is known. A contextId arrives, and PS7 is "
            "asked. If PS7 knows it, the status is ok. If not, it is rejected or invalid, and the "
            "same contextId is asked about again after 30 seconds. If PS7 refuses the credentials "
            "or is away, it is denied or unavailable, and the next message asks again. From ok, a "
            "customer's time or session that is over leads to expired, and action_ps7_forget to "
            "missing. From any state, slots that claim a customer whom no seal names lead to "
            "tampered. After expired and tampered, a message without a contextId leads to "
            "missing. From any state, a contextId that is new, or whose time is over, leads to a "
            "lookup, and a log-out to missing."
        ),
        missing="the beginning: nobody is known",
        asked=("PS7 is asked", "or the contextId refused"),
        ok="every turn: the seal, no call",
        refused="as missing",
        failed="the bot's or PS7's fault",
        expired="until the next message",
        tampered="until the next message",
        arrives="a contextId arrives",
        is_known="PS7 knows it",
        is_unknown="PS7 does not know it",
        again="again after 30 s",
        is_away="PS7 refuses us, or is away",
        next_message="again with the next message",
        ends="time or session is over",
        log_out="action_ps7_forget",
        without="without a contextId",
        forged=("from any state: slots claim a customer", "whom no seal names"),
        from_any=(
            "From any state, a contextId that is new, or whose",
            "time is over, leads to a lookup; a log-out, to missing.",
        ),
    ),
    "status.pt-BR.svg": Words(
        title="A vida de ps7_status",
        description=(
            "Uma conversa começa como missing: ninguém é conhecido. Um contextId chega, e o PS7 é "
            "consultado. Se o PS7 o conhece, o status é ok. Se não, é rejected ou invalid, e o "
            "mesmo contextId é consultado de novo depois de 30 segundos. Se o PS7 recusa as "
            "credenciais ou está fora do ar, é denied ou unavailable, e a próxima mensagem "
            "consulta de novo. De ok, o fim do prazo ou da sessão do cliente leva a expired, e "
            "action_ps7_forget, a missing. De qualquer estado, slots que indicam um cliente que "
            "nenhum selo confirma levam a tampered. Depois de expired e tampered, uma mensagem "
            "sem contextId leva a missing. De qualquer estado, um contextId novo, ou com prazo "
            "vencido, leva a uma consulta, e o logout, a missing."
        ),
        missing="o começo: ninguém é conhecido",
        asked=("o PS7 é consultado", "ou o contextId, recusado"),
        ok="todo turno: o selo, sem chamada",
        refused="como missing",
        failed="falha do bot ou do PS7",
        expired="até a próxima mensagem",
        tampered="até a próxima mensagem",
        arrives="chega um contextId",
        is_known="o PS7 conhece",
        is_unknown="o PS7 não conhece",
        again="de novo após 30 s",
        is_away="o PS7 recusa, ou não responde",
        next_message="de novo na próxima mensagem",
        ends="prazo ou sessão acaba",
        log_out="action_ps7_forget",
        without="sem contextId",
        forged=("de qualquer estado: slots indicam", "um cliente que nenhum selo confirma"),
        from_any=(
            "De qualquer estado, um contextId novo, ou com prazo",
            "vencido, leva a uma consulta; o logout, a missing.",
        ),
    ),
}

WIDTH, HEIGHT = 1010, 520
LEFT, MIDDLE, RIGHT = 130, 495, 880
TOP, ROW, LOW = 120, 270, 410
"""Where states stand from top to bottom."""
STATE, STATE_HEIGHT = 208, 62
APART = 14
"""From the middle of a box to a way out, and to the way back."""


def state(x: int, y: int, name: str, detail: str, kind: str) -> list[str]:
    """Draw a state, or what happens between two of them."""
    return [
        box(x, y - STATE_HEIGHT / 2, STATE, STATE_HEIGHT, kind),
        text(x, y - 4, name, "lane"),
        text(x, y + 18, detail, "soft"),
    ]


def picture(words: Words) -> str:
    """Draw the states, and the ways between them."""
    half, high = STATE / 2, STATE_HEIGHT / 2
    out, back = MIDDLE + half, RIGHT - half
    between, turn = (out + back) / 2, out + 12
    first, second = MIDDLE - 40, MIDDLE + 40
    parts = [
        way(f"M{LEFT + half:g} {ROW}H{MIDDLE - half:g}"),
        text((LEFT + MIDDLE) / 2, ROW - 10, words.arrives),
        way(f"M{out:g} {ROW - APART}H{turn:g}V{TOP + APART}H{back:g}", "ours"),
        text((turn + back) / 2, TOP + APART + 20, words.is_known, "ours"),
        way(f"M{out:g} {ROW}H{back:g}"),
        text(between + 8, ROW - 8, words.is_unknown),
        way(f"M{back:g} {ROW + 2 * APART - 6}H{out:g}", "only-if"),
        text(between, ROW + 2 * APART + 14, words.again, "soft"),
        way(f"M{second} {ROW + high:g}V{LOW - APART}H{back:g}"),
        text((second + back) / 2, LOW - APART - 8, words.is_away),
        way(f"M{back:g} {LOW + APART}H{first}V{ROW + high:g}", "only-if"),
        text((second + back) / 2, LOW + APART + 18, words.next_message, "soft"),
        way(f"M{back:g} {TOP - APART}H{out:g}"),
        text(between, TOP - APART - 8, words.ends),
        way(f"M{MIDDLE - half:g} {TOP}H{LEFT + 40}V{ROW - high:g}"),
        text((LEFT + MIDDLE) / 2 - 48, TOP - 10, words.without, "soft"),
        way(f"M{RIGHT} {TOP - high:g}V44H{LEFT - 40}V{ROW - high:g}"),
        text(MIDDLE, 36, words.log_out),
        way(f"M{LEFT} {LOW - high:g}V{ROW + high:g}"),
        text(LEFT + 68, (ROW + LOW) / 2 + 4, words.without, "soft"),
        way(f"M{LEFT} {LOW + 62}V{LOW + high:g}", "bad"),
        *(text(LEFT + 4, LOW + 78 + 18 * n, said, "soft") for n, said in enumerate(words.forged)),
        *(text(RIGHT - 80, LOW + 78 + 18 * n, s, "soft") for n, s in enumerate(words.from_any)),
        *state(LEFT, ROW, "missing", words.missing, "head"),
        *state(MIDDLE, ROW, *words.asked, "stage-only-if"),
        *state(RIGHT, TOP, "ok", words.ok, "stage"),
        *state(RIGHT, ROW, "rejected, invalid", words.refused, "head"),
        *state(RIGHT, LOW, "denied, unavailable", words.failed, "stage-bad"),
        *state(MIDDLE, TOP, "expired", words.expired, "head"),
        *state(LEFT, LOW, "tampered", words.tampered, "stage-bad"),
    ]
    return svg((WIDTH, HEIGHT), words.title, words.description, parts)


def pictures() -> dict[str, str]:
    """Give the files that this script draws."""
    return {name: picture(words) for name, words in WORDS.items()}


if __name__ == "__main__":
    save(pictures())
