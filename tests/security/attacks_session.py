"""What somebody prepares before a session starts in which the customer is known from the start."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.security.attack import At, Attacker, Must
from tests.security.moves import (
    brings,
    carries_nothing_over,
    claims,
    given,
    happens,
    says,
    seals,
    stolen,
    writes,
)
from tests.security.planted import CONTEXT_IDS
from tests.security.talk import SESSION_METADATA
from tests.security.tokens import elsewhere, token
from tests.security.world import DOOR, OPEN

if TYPE_CHECKING:
    from tests.security.moves import Move
    from tests.security.talk import Talk
    from tests.security.world import World

USER, CHANNEL, READER, WRITER = (
    Attacker.USER,
    Attacker.CHANNEL,
    Attacker.READER,
    Attacker.WRITER,
)
_open, _door = At(OPEN), At(DOOR)
ANA = CONTEXT_IDS["ana"]
_METADATA = {"contextId": ANA}
_NOBODY = Must(look_up="missing")
_NOT_LET_IN = Must(look_up="invalid")


def _opened_with(metadata: object) -> Move:
    """Let the bot wait, and this be what Rasa keeps of the message that opens the session."""

    def move(talk: Talk, world: World) -> None:
        talk.happens("action", name="action_listen")
        talk.happens("slot", name=SESSION_METADATA, value=given(metadata, talk, world))

    return move


def _with(context_id: object) -> Move:
    return _opened_with(lambda talk, world: {"contextId": given(context_id, talk, world)})


SESSIONS = (
    _open(
        (CHANNEL, "stranger"),
        "the message before, in a session that brings nothing",
        brings(ANA),
        must=_NOBODY,
    ),
    _open(
        (CHANNEL, "ana"),
        "a customer of before, where nothing is carried over",
        carries_nothing_over,
        must=_NOBODY,
    ),
    _open(
        (USER, "ana"),
        "forged slots, where nothing is carried over",
        claims("diego"),
        carries_nothing_over,
        must=_NOBODY,
    ),
    _open(
        (USER, "ana"),
        "forged slots that are carried over",
        claims("diego"),
        must=Must("ana", look_up="ok"),
    ),
    _open(
        (USER, "stranger"),
        "forged slots of nobody that are carried over",
        claims("ana"),
        must=Must(look_up="tampered"),
    ),
    _open(
        (READER, "stranger"),
        "a copied seal that is carried over",
        claims("ana"),
        seals(stolen("ana")),
        must=Must(look_up="tampered"),
    ),
    _open(
        (USER, "run out"),
        "a seal that ran out and is carried over",
        claims("bruno"),
        must=Must(look_up="expired"),
    ),
    _open(
        (WRITER, "stranger"),
        "the slot of the session's metadata, from before",
        writes(**{SESSION_METADATA: _METADATA}),
        happens("action", name="action_listen"),
        must=_NOBODY,
    ),
    *(
        _open((WRITER, "stranger"), f"the session's metadata are {name}", tried, must=_NOBODY)
        for name, tried in {
            "a contextId": _opened_with(ANA),
            "text": _opened_with(json.dumps({"contextId": ANA})),
            "a list": _opened_with([{"contextId": ANA}]),
            "in metadata": _opened_with({"metadata": {"contextId": ANA}}),
        }.items()
    ),
    _open(
        (CHANNEL, "stranger"),
        "the session's metadata, before an action ran",
        _with(ANA),
        happens("action", name="action_listen"),
        must=_NOBODY,
    ),
    _open(
        (CHANNEL, "stranger"),
        "the session's metadata, before the session that ends",
        _with(ANA),
        happens("session_started"),
        must=_NOBODY,
    ),
    _open(
        (CHANNEL, "stranger"),
        "the session's metadata, before a message without any",
        _with(ANA),
        says(),
        must=_NOBODY,
    ),
    *(
        _open(
            (USER, "stranger"),
            f"a message that {name}",
            happens("user", text=text, metadata=metadata),
            must=_NOBODY,
        )
        for name, text, metadata in (
            ("says a contextId", f'/session_start{{"contextId": "{ANA}"}}', {}),
            ("says a contextId and no more", f"/session_start {ANA}", None),
            ("nearly starts a session", "/session_start_later", _METADATA),
            ("speaks of starting a session", "say /session_start", _METADATA),
        )
    ),
    _door(
        (CHANNEL, "stranger"),
        "a contextId in no token opens the session",
        _with(ANA),
        must=_NOT_LET_IN,
    ),
    _door(
        (CHANNEL, "ana"),
        "a contextId in no token opens the session after Ana's",
        _with(ANA),
        must=_NOT_LET_IN,
    ),
    _door(
        (READER, "stranger"),
        "a token for another conversation opens the session",
        _with(token("ana", sub=elsewhere("ana"))),
        must=_NOT_LET_IN,
    ),
    _door(
        (READER, "stranger"),
        "a token that is over opens the session",
        _with(token("ana", made=-130.0)),
        must=_NOT_LET_IN,
    ),
    _door(
        (CHANNEL, "stranger"),
        "a contextId in no token, by /session_start",
        happens("user", text="/session_start", metadata=_METADATA),
        must=_NOT_LET_IN,
    ),
)

GENUINE = (
    _open(
        (Attacker.NOBODY, "stranger"),
        "a contextId opens the session",
        _with(ANA),
        must=Must("ana", look_up="ok", asks="ana"),
    ),
    _door(
        (Attacker.NOBODY, "stranger"),
        "a token opens the session",
        _with(token("ana")),
        must=Must("ana", look_up="ok", asks="ana"),
    ),
    _door(
        (Attacker.NOBODY, "ana"),
        "a token for another customer opens the session",
        _with(token("diego")),
        must=Must("diego", look_up="ok", asks="diego"),
    ),
)
"""No attacks: what must go on working."""
