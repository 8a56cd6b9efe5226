"""Attacks that succeed, and what each of them takes: what no plugin can keep from an attacker.

Each is run, so that this list is true. What it takes is what a bank has to look after.
"""

from __future__ import annotations

from tests.security.attack import Attacker, succeeds
from tests.security.moves import (
    brings,
    comes_back_with_nothing,
    happens,
    own,
    poses_as,
    says,
    sealed_by,
    seals,
    stolen,
)
from tests.security.planted import CONTEXT_IDS, OLDER_SEAL_KEY, SEAL_KEY
from tests.security.tokens import token
from tests.security.world import DOOR

CHANNEL, WRITER = Attacker.CHANNEL, Attacker.WRITER
HOLDER, NETWORK = Attacker.HOLDER, Attacker.NETWORK

_ANA = CONTEXT_IDS["ana"]
_copied = stolen("ana")
_by_older_key = sealed_by(OLDER_SEAL_KEY, _copied, opened_with=OLDER_SEAL_KEY)
_by_newest_key = sealed_by(SEAL_KEY, _copied, opened_with=OLDER_SEAL_KEY)

_AN_ID = "the customer's contextId, and a channel that is open while PS7_ARRIVAL_KEYS is not set"
_A_SENDER = "the sender id of a conversation that goes on, and a channel that takes it from anybody"
_A_WAY = "a way to write ps7_context: Rasa's API, or an action of the bot"
_A_KEY = "a key of PS7_SEAL_KEYS, and a way to write ps7_context"
_A_PORT = "a way to the action server's port, a copied seal, and the sender id beside it"

SUCCESSES = (
    succeeds(
        (CHANNEL, "stranger"), "sends the contextId of somebody else", brings(_ANA), takes=_AN_ID
    ),
    succeeds(
        (CHANNEL, "diego is back"),
        "sends another contextId into a conversation",
        brings(_ANA),
        takes=_AN_ID,
    ),
    succeeds(
        (CHANNEL, "ana is back"),
        "goes on with the conversation of a customer",
        says(),
        takes=_A_SENDER,
    ),
    succeeds(
        (CHANNEL, "ana is back"),
        "goes on with a conversation that began with a token",
        says(),
        takes=_A_SENDER,
        server=DOOR,
    ),
    succeeds(
        (CHANNEL, "stranger"),
        "uses a token before its customer does",
        brings(token("ana")),
        takes="a token within its 120 seconds, and the sender id that it was made for",
        server=DOOR,
    ),
    succeeds(
        (WRITER, "stranger"),
        "adds a message with a contextId",
        happens("user", metadata={"contextId": _ANA}),
        takes="Rasa's API, the customer's contextId, and no PS7_ARRIVAL_KEYS",
    ),
    succeeds(
        (WRITER, "diego after ana"),
        "puts back the seal of before, in a session to which nothing was carried over",
        comes_back_with_nothing,
        seals(own("ana")),
        takes=_A_WAY,
    ),
    succeeds(
        (WRITER, "forgotten"),
        "puts back the seal of before the log out, in such a session",
        comes_back_with_nothing,
        seals(own("ana")),
        takes=_A_WAY,
    ),
    succeeds(
        (CHANNEL, "forgotten"),
        "sends the contextId again that was logged out, in such a session",
        comes_back_with_nothing,
        brings(_ANA),
        takes=_AN_ID,
    ),
    succeeds((HOLDER, "stranger"), "makes a seal of their own", seals(_by_older_key), takes=_A_KEY),
    succeeds(
        (HOLDER, "stranger"),
        "makes a seal with the newest key",
        seals(_by_newest_key),
        takes=_A_KEY,
        server=DOOR,
    ),
    succeeds(
        (HOLDER, "stranger"),
        "makes a seal with an older key that is still listed",
        seals(_by_older_key),
        takes=_A_KEY,
        server=DOOR,
    ),
    succeeds(
        (HOLDER, "stranger"),
        "signs a token for the contextId of somebody else",
        brings(token("ana")),
        takes="a key of PS7_ARRIVAL_KEYS, and the customer's contextId",
        server=DOOR,
    ),
    succeeds(
        (NETWORK, "stranger"),
        "lets the action server open a copied seal",
        poses_as("ana"),
        seals(_copied),
        takes=_A_PORT,
    ),
    succeeds(
        (NETWORK, "stranger"),
        "lets the action server open one, behind a door",
        poses_as("ana"),
        seals(_copied),
        takes=_A_PORT,
        server=DOOR,
    ),
)
