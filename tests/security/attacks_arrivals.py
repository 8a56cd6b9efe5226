"""Good tokens in the wrong conversation or time, contextIds beside them; and who must be let in."""

from __future__ import annotations

from tests.security.attack import At, Attacker, Must
from tests.security.attacks_channel import NOTHING_FOUND, STILL_ANA
from tests.security.attacks_tokens import ANA_GOES, NOT_LET_IN
from tests.security.moves import Move, brings, given, happens, seals, writes
from tests.security.planted import CONTEXT_IDS, OLDER_ARRIVAL_KEY
from tests.security.talk import SESSION_METADATA, Talk
from tests.security.tokens import elsewhere, token
from tests.security.world import DOOR
from tests.support.clock import now

CHANNEL, READER, WRITER = Attacker.CHANNEL, Attacker.READER, Attacker.WRITER
NOBODY = Attacker.NOBODY
_door = At(DOOR)


def _in_session(value: object) -> Move:
    """Write the slot in which Rasa keeps what opened the session."""
    return writes(
        **{SESSION_METADATA: lambda talk, world: {"contextId": given(value, talk, world)}}
    )


def _beside(**beside: object) -> Move:
    return brings(token("diego"), **beside)


_LOOKED_UP = Must("diego", look_up="ok", asks="diego")
_elsewhere = token("diego", sub=elsewhere("diego"))
_old = token("ana", made=-130.0)


def _newest(talk: Talk) -> float:
    """Return when the newest event was: the token is over by then."""
    moment = talk.events[-1]["timestamp"]
    assert isinstance(moment, float)
    return moment


REPLAYED = (
    _door((READER, "diego after ana"), "an old token of before", brings(_old), must=ANA_GOES),
    _door((READER, "diego is back"), "an old token of before, later", brings(_old), must=ANA_GOES),
    _door(
        (READER, "forgotten"),
        "an old token after the log out",
        brings(_old),
        must=Must(look_up="missing"),
    ),
    _door(
        (READER, "forgotten"),
        "a new token after the log out",
        brings(token("ana")),
        must=Must(look_up="missing"),
    ),
    _door(
        (WRITER, "run out, at hand"),
        "the seal wiped, so that the token that came in time is asked about again",
        seals(None, None),
        must=Must("bruno", look_up="ok", asks="bruno"),
    ),
    _door(
        (CHANNEL, "ana"),
        "her own contextId in no token",
        brings(CONTEXT_IDS["ana"]),
        must=ANA_GOES,
    ),
    _door(
        (CHANNEL, "run out, at hand"),
        "his own contextId in no token, after its time",
        brings(CONTEXT_IDS["bruno"]),
        must=ANA_GOES,
    ),
    _door(
        (WRITER, "stranger"),
        "a contextId in no token, as what opened the session",
        _in_session(CONTEXT_IDS["diego"]),
        must=NOTHING_FOUND,
    ),
    _door(
        (WRITER, "stranger"),
        "a token for another conversation, as what opened the session",
        _in_session(_elsewhere),
        must=NOTHING_FOUND,
    ),
    _door(
        (WRITER, "stranger"),
        "a good token, as what opened the session that goes on",
        _in_session(token("diego")),
        must=NOTHING_FOUND,
    ),
    _door(
        (WRITER, "ana is back"),
        "a token for another conversation, as what opened the session",
        _in_session(_elsewhere),
        must=STILL_ANA,
    ),
    _door(
        (WRITER, "diego after ana"),
        "an old token in a message that claims an earlier time",
        happens(
            "user",
            metadata=lambda talk, world: {
                "contextId": token("ana", made=_newest(talk) - 200 - now())(talk, world)
            },
            timestamp=lambda talk, _: _newest(talk) - 150,
        ),
        must=ANA_GOES,
    ),
    _door(
        (WRITER, "stranger"),
        "a contextId in no token, in an event",
        happens("user", metadata={"contextId": CONTEXT_IDS["diego"]}),
        must=NOT_LET_IN,
    ),
    _door(
        (CHANNEL, "stranger"),
        "encoded beside a good token",
        _beside(encoded="0"),
        must=_LOOKED_UP,
    ),
    _door(
        (CHANNEL, "stranger"),
        "another contextId beside a good token",
        _beside(contextid=CONTEXT_IDS["ana"], context={"contextId": CONTEXT_IDS["ana"]}),
        must=_LOOKED_UP,
    ),
    _door(
        (CHANNEL, "stranger"),
        "the contextId as the correlation id",
        _beside(correlationId=CONTEXT_IDS["diego"], flowId=CONTEXT_IDS["diego"]),
        must=_LOOKED_UP,
    ),
    _door(
        (CHANNEL, "stranger"),
        "the sender id as the correlation id",
        _beside(correlationId=lambda talk, _: talk.sender_id),
        must=_LOOKED_UP,
    ),
    _door(
        (CHANNEL, "stranger"),
        "the token as the correlation id",
        _beside(correlationId=token("diego")),
        must=_LOOKED_UP,
    ),
)
GENUINE = (
    _door((NOBODY, "stranger"), "a good token", brings(token("diego")), must=_LOOKED_UP),
    _door(
        (NOBODY, "stranger"),
        "a good token of an older key that is in use",
        brings(token("diego", key=OLDER_ARRIVAL_KEY)),
        must=_LOOKED_UP,
    ),
    _door(
        (NOBODY, "stranger"),
        "a good token of a clock that is a little ahead",
        brings(token("diego", made=5.0)),
        must=_LOOKED_UP,
    ),
    _door(
        (NOBODY, "stranger"),
        "a good token with claims of its own",
        brings(token("diego", jti="1", iss="bank")),
        must=_LOOKED_UP,
    ),
    _door(
        (NOBODY, "ana"),
        "a good token for another customer",
        brings(token("diego")),
        must=Must("diego", "missing", "ok", "diego"),
    ),
    _door(
        (NOBODY, "ana"),
        "her good token once more",
        brings(token("ana")),
        must=Must("ana", "ok", "ok"),
    ),
    _door(
        (NOBODY, "diego after ana"),
        "the token of before, which is not over",
        brings(token("ana")),
        must=Must("ana", "missing", "ok", "ana"),
    ),
    _door(
        (NOBODY, "ana"),
        "her token once more, when it is over",
        brings(_old),
        must=Must("ana", "ok", "ok"),
    ),
    _door(
        (NOBODY, "run out, at hand"),
        "the token of a context that ran out, when it is over too",
        must=Must("bruno", "expired", "ok", "bruno"),
    ),
)
"""No attacks: what must go on working, so that nothing passes by refusing everything."""
