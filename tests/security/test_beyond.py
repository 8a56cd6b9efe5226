"""What the plugin cannot prevent: each attack succeeds, so that the list of them stays true.

The name of each says what it takes, and so what a bank has to look after.
"""

from __future__ import annotations

import secrets

import pytest

from tests.security.conversation import SESSION_START, STATUS, WITNESS, Conversation
from tests.security.oracle import is_served
from tests.security.planted import CONTEXT_IDS, OLDER_SEAL_KEY, SEAL_KEY
from tests.security.runner import Attack, Must, each, rows
from tests.security.servers import Servers
from tests.security.steps import (
    brings,
    carries_nothing_over,
    comes_back,
    happens,
    notes,
    poses_as,
    runs,
    says,
    seals,
    shows,
)
from tests.security.values import SIGNED, UNSIGNED, kept, sealed_by, stolen, token
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ANA = Must("ana")
_ID = CONTEXT_IDS["ana"]
_copied = stolen("ana")
_by_older_key, _by_newest_key = (sealed_by(key, _copied) for key in (OLDER_SEAL_KEY, SEAL_KEY))

SUCCESSES = [
    *rows(
        "stranger",
        _ANA,
        {
            "a contextId, and no PS7_ARRIVAL_KEYS": brings(_ID),
            "a contextId, Rasa's API, and no PS7_ARRIVAL_KEYS": happens(
                "user", metadata={"contextId": _ID}
            ),
            "the same, right before a session starts": (
                happens("action", name="action_listen"),
                notes(_ID),
                runs(SESSION_START),
            ),
            "a seal key, and a way to write ps7_context": seals(_by_older_key),
            "a way to the action server's port, a tracker and its sender id": (
                poses_as("ana"),
                seals(_copied),
            ),
            "the seal of before a log-out, and a host that shows no events": (
                *(shows(0), brings(_ID), runs(LOOK_UP), runs(FORGET), says()),
                seals(kept("ana")),
            ),
        },
    ),
    *rows("diego after ana", _ANA, {"a contextId, and no PS7_ARRIVAL_KEYS": brings(_ID)}),
    *rows("ana", _ANA, {"the sender id of a conversation that goes on": says()}),
    *rows("ana", _ANA, {"the sender id of a conversation that goes on": says()}, SIGNED),
    *rows(
        "logged out",
        _ANA,
        {
            "the contextId, and a session that Rasa starts and carries nothing over": (
                *(carries_nothing_over, comes_back),
                brings(_ID),
            )
        },
    ),
    *rows(
        "stranger",
        _ANA,
        {
            "a token within its 120 s and its sender id, or an arrival key": brings(token("ana")),
            "the newest seal key, and a way to write ps7_context": seals(_by_newest_key),
            "an older seal key that is still listed": seals(_by_older_key),
            "a way to the action server's port, a tracker and its sender id": (
                poses_as("ana"),
                seals(_copied),
            ),
        },
        SIGNED,
    ),
]


@each(SUCCESSES)
async def test_who_has_what_it_takes_is_served_as_the_customer(
    servers: Servers, attack: Attack
) -> None:
    """With the slots, the status, and in the eyes of the bot's own actions."""
    conversation = await attack.begun(servers)
    for action in (LOOK_UP, VERIFY, WITNESS):
        await conversation.run(action)
        assert is_served(conversation, action, str(attack.must.truth))
    assert conversation.slots[STATUS] == "ok"


async def test_who_takes_away_every_trace_can_go_on_guessing(servers: Servers) -> None:
    """By Rasa's API, which replaces all events: neither messages nor seals are left to count by."""
    conversation = Conversation(servers, UNSIGNED)
    servers.ps7.requests.clear()
    for guess in (*(f"ctx-{secrets.token_hex(8)}" for _ in range(7)), _ID):
        await seals(None, None)(conversation)
        del conversation.events[2:]
        await brings(guess)(conversation)
        await conversation.run(LOOK_UP)
    assert len(servers.ps7.requests) == 8
    assert conversation.slots[STATUS] == "ok"
