"""What stands in events beside messages, and what comes and goes in a bot's domain."""

from __future__ import annotations

from tests.security.attack import At, Attacker, Must
from tests.security.attacks_channel import (
    ANA,
    ANA_GOES,
    DIEGO,
    NOTHING_FOUND,
    STILL_ANA,
    STILL_DIEGO,
)
from tests.security.moves import (
    brings,
    claims,
    comes_back,
    drops,
    happens,
    says,
    seals,
    stolen,
    writes,
)
from tests.security.planted import FORGED
from tests.security.talk import SEAL, SESSION_METADATA, STATUS

CHANNEL, READER = Attacker.CHANNEL, Attacker.READER
WRITER, BUILDER = Attacker.WRITER, Attacker.BUILDER
_open = At()

EVENTS = (
    *(
        _open(
            (WRITER, "stranger"),
            f"a contextId with an event that is no message: {event}",
            happens(event, metadata={"contextId": ANA}, value={"contextId": ANA}, name=name),
            must=NOTHING_FOUND,
        )
        for event, name in (
            ("bot", None),
            ("action", "action_listen"),
            ("slot", SESSION_METADATA),
            ("user_featurization", None),
            ("USER", None),
            ("", None),
        )
    ),
    _open(
        (CHANNEL, "ana"),
        "another contextId, and a message without any after it",
        brings(DIEGO),
        says(),
        must=Must("diego", "missing", "ok", "diego"),
    ),
    _open(
        (CHANNEL, "ana"),
        "something unusable, and a message without any after it",
        brings([DIEGO]),
        says(),
        must=ANA_GOES,
    ),
    _open(
        (CHANNEL, "stranger"),
        "a contextId of the session before",
        brings(ANA),
        comes_back,
        says(),
        must=NOTHING_FOUND,
    ),
    _open(
        (CHANNEL, "stranger"),
        "a contextId of the session before, which Rasa still sends along",
        brings(ANA),
        happens("session_started"),
        says(),
        must=NOTHING_FOUND,
    ),
    _open(
        (CHANNEL, "stranger"),
        "a contextId before the tracker was restarted",
        brings(ANA),
        happens("restart"),
        says(),
        must=NOTHING_FOUND,
    ),
    _open(
        (WRITER, "diego after ana"),
        "slot events that say another customer",
        happens("slot", name="cpf", value=FORGED),
        happens("slot", name=STATUS, value="ok"),
        must=STILL_DIEGO,
    ),
    _open(
        (WRITER, "diego after ana"),
        "Diego's turn is taken back",
        happens("rewind"),
        must=STILL_DIEGO,
    ),
)

DOMAIN = (
    _open(
        (BUILDER, "ana"),
        "slots taken out of the domain",
        drops("cpf", "account", "ps7_expires_at", "u_cpf"),
        must=STILL_ANA,
    ),
    _open(
        (BUILDER, "ana is back"),
        "slots taken out and put in again with values",
        drops("cpf", "account"),
        writes(cpf=FORGED, account=FORGED),
        must=STILL_ANA,
    ),
    _open(
        (BUILDER, "ana is back"),
        "a slot of the wire put in with a value",
        writes(u_ag=FORGED),
        must=STILL_ANA,
    ),
    _open(
        (BUILDER, "ana"),
        "the seal taken out of the domain",
        claims("diego"),
        drops(SEAL),
        must=Must("ana", "tampered", "ok", "ana"),
    ),
    _open(
        (BUILDER, "ana is back"),
        "the seal taken out of the domain, no contextId at hand",
        claims("diego"),
        drops(SEAL),
        must=Must(None, "tampered", "tampered"),
    ),
    _open(
        (BUILDER, "ana is back"),
        "the status taken out of the domain",
        claims("diego"),
        drops(STATUS),
        must=Must("ana"),
    ),
    _open(
        (READER, "stranger"),
        "a copied seal, the status taken out of the domain",
        claims("ana"),
        seals(stolen("ana")),
        drops(STATUS),
        must=Must(),
    ),
)
