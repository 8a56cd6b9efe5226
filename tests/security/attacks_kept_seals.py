"""Seals and contextIds of this very conversation that somebody kept, and uses too late.

Another customer came, somebody logged out, or the context ran out.
"""

from __future__ import annotations

from tests.security.attack import At, Attacker, Must
from tests.security.attacks_seals import REFUSED
from tests.security.moves import (
    brings,
    claims,
    comes_back,
    happens,
    own,
    present,
    restores,
    seals,
    writes,
)
from tests.security.planted import CONTEXT_IDS
from tests.security.scenes import LEFT_OVER
from tests.security.talk import SESSION_METADATA

CHANNEL, WRITER = Attacker.CHANNEL, Attacker.WRITER
_open = At()

ANA = CONTEXT_IDS["ana"]
DIEGO_ANEW = Must("diego", "tampered", "ok", asks="diego")
"""Diego's contextId is at hand, and came after that of the seal."""
STAYS_FORGOTTEN = Must(verify="missing", look_up="missing")

KEPT = (
    _open(
        (WRITER, LEFT_OVER),
        "a broken seal, so that who opened an earlier session would come back",
        seals("broken"),
        must=REFUSED,
    ),
    _open((WRITER, "diego after ana"), "the seal of before", seals(own("ana")), must=DIEGO_ANEW),
    _open(
        (WRITER, "diego after ana"),
        "the seal of before, all slots",
        claims("ana"),
        seals(own("ana")),
        must=DIEGO_ANEW,
    ),
    _open(
        (WRITER, "diego after ana"),
        "the seal of before, Diego's slots",
        claims("diego"),
        seals(own("ana")),
        must=DIEGO_ANEW,
    ),
    _open(
        (WRITER, "diego after ana"),
        "all slots of before",
        restores("ana"),
        must=DIEGO_ANEW,
    ),
    _open(
        (WRITER, "diego after ana, unsaid"),
        "the seal of before, no contextId in a message",
        seals(own("ana")),
        must=DIEGO_ANEW,
    ),
    _open(
        (WRITER, "diego after ana, unsaid"),
        "all slots of before, no contextId in a message",
        restores("ana"),
        must=DIEGO_ANEW,
    ),
    _open(
        (WRITER, "diego is back"),
        "the seal of before, a session later",
        seals(own("ana")),
        must=REFUSED,
    ),
    _open(
        (WRITER, "diego is back"),
        "all slots of before, a session later",
        restores("ana"),
        must=REFUSED,
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of before the log out, a session later",
        comes_back,
        seals(own("ana")),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of before the log out, while Rasa still sends the session before",
        happens("session_started"),
        seals(own("ana")),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of the log out wiped, a session later",
        comes_back,
        seals(None, None),
        brings(ANA),
        must=Must(look_up="missing"),
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of before the log out",
        seals(own("ana")),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "forgotten"),
        "all slots of before the log out",
        restores("ana"),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of the log out wiped",
        seals(None, None),
        must=Must(look_up="missing"),
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of the log out broken",
        claims("ana"),
        seals("broken"),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (CHANNEL, "forgotten"),
        "the contextId of before the log out, a session later",
        comes_back,
        brings(ANA),
        must=Must(look_up="missing"),
    ),
    _open(
        (WRITER, "forgotten"),
        "the contextId of before the log out opens the next session",
        comes_back,
        writes(**{SESSION_METADATA: {"contextId": ANA}}),
        must=Must(look_up="missing"),
    ),
    _open(
        (CHANNEL, "diego after a log out"),
        "the contextId of before the log out",
        brings(ANA),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (CHANNEL, "diego after a log out"),
        "the contextId of before, a session later",
        comes_back,
        brings(ANA),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "diego after a log out"),
        "all slots of before the log out",
        restores("ana"),
        must=DIEGO_ANEW,
    ),
    _open(
        (WRITER, "cleared"),
        "the seal of before a clearing",
        seals(own("ana")),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "cleared"),
        "all slots of before a clearing",
        restores("ana"),
        must=STAYS_FORGOTTEN,
    ),
    _open(
        (WRITER, "run out"),
        "a seal after its time",
        claims("bruno"),
        seals(present),
        must=Must(None, "expired", "expired"),
    ),
    _open(
        (WRITER, "run out, at hand"),
        "a seal after its time, the contextId at hand",
        claims("bruno"),
        seals(present),
        must=Must("bruno", "expired", "ok", asks="bruno"),
    ),
    _open(
        (WRITER, "refused"),
        "the seal of a failed lookup, a customer's slots",
        claims("ana"),
        seals(present),
        must=Must(None, "invalid", "invalid"),
    ),
    _open(
        (WRITER, "forgotten"),
        "the seal of a log out, the customer's slots",
        claims("ana"),
        seals(present),
        must=Must(None, "missing", "missing"),
    ),
)
