"""One session asks about so many contextIds (`PS7_MAX_CONTEXTS`), whatever is done in between."""

from __future__ import annotations

import secrets

import pytest

from tests.security.conversation import STATUS, WITNESS, Conversation
from tests.security.oracle import violations
from tests.security.planted import CONTEXT_IDS, CUSTOMERS
from tests.security.servers import Servers
from tests.security.steps import Step, brings, happens, runs, says, seals
from tests.security.values import UNSIGNED, kept
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

pytestmark = pytest.mark.asyncio(loop_scope="session")

_MOST = 5
"""What `PS7_MAX_CONTEXTS` is, unless it is set."""
WAYS: dict[str, tuple[Step, ...]] = {
    "one after the other": (runs(VERIFY),),
    "the seal wiped": (seals(None, None), runs(VERIFY)),
    "the seal broken": (seals("broken"), runs(VERIFY)),
    "the first seal restored": (seals(kept("rejected")), runs(VERIFY)),
    "the turn rewound": (happens("rewind"), runs(VERIFY)),
    "something unusable in between": (brings(["ctx"]), runs(LOOK_UP)),
    "a message without any in between": (says(), runs(LOOK_UP)),
    "a log-out in between": (runs(FORGET),),
}
"""What is done between two guesses."""


@pytest.mark.parametrize("between", WAYS.values(), ids=WAYS)
async def test_the_next_guess_is_not_asked_about(
    servers: Servers, between: tuple[Step, ...]
) -> None:
    """However right it is, and again."""
    conversation = Conversation(servers, UNSIGNED)
    servers.ps7.requests.clear()
    guesses = [f"ctx-{secrets.token_hex(8)}" for _ in range(_MOST)]
    for guess in (*guesses, *(CONTEXT_IDS[who] for who in CUSTOMERS)):
        for step in between if conversation.seals else ():
            await step(conversation)
        before = dict(conversation.slots)
        await brings(guess)(conversation)
        for action in (LOOK_UP, WITNESS):
            await conversation.run(action)
            assert [*violations(before, conversation, action, None)] == []
        assert conversation.slots[STATUS] == "rejected"
    assert [request.json["contextId"] for request in servers.ps7.requests] == guesses
