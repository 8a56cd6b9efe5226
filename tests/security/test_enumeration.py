"""One session asks about so many contextIds (`PS7_MAX_CONTEXTS`), whatever is done in between."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.security.moves import Move, brings, happens, own, says, seals, writes
from tests.security.oracle import violations
from tests.security.planted import CONTEXT_IDS, CUSTOMERS
from tests.security.talk import SESSION_METADATA, STATUS, WITNESS, Talk
from tests.security.world import OPEN
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

if TYPE_CHECKING:
    from tests.security.ledger import Ledger
    from tests.security.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

_MOST = 5
"""What `PS7_MAX_CONTEXTS` is, unless it is set."""

Bring = Callable[[str], Move]


def _nothing(_talk: Talk, _world: World) -> None:
    """Go on as it is."""


WAYS: dict[str, tuple[Move, Bring, str]] = {
    "one after the other": (_nothing, brings, VERIFY),
    "the seal wiped": (seals(None, None), brings, VERIFY),
    "the seal broken": (seals("broken"), brings, VERIFY),
    "the first seal put back": (seals(own("rejected")), brings, VERIFY),
    "the turn taken back": (happens("rewind"), brings, VERIFY),
    "something unusable in between": (brings(["ctx"]), brings, LOOK_UP),
    "a message without any in between": (says(), brings, LOOK_UP),
    "a log out in between": (_nothing, brings, FORGET),
}
"""What is done between two guesses, how a guess comes, and what the bot runs in between."""


async def guess(world: World, talk: Talk, context_id: str, way: tuple[Move, Bring, str]) -> None:
    """Try a contextId."""
    between, bring, action = way
    if talk.seals:
        between(talk, world)
        await world.run(talk, OPEN, action)
    bring(context_id)(talk, world)
    await world.run(talk, OPEN, LOOK_UP)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_the_next_guess_is_not_asked_about(
    world: World, ledger: Ledger, way: tuple[Move, Bring, str]
) -> None:
    """However right it is, and again."""
    talk = Talk()
    world.ps7.requests.clear()
    for _ in range(_MOST):
        await guess(world, talk, f"ctx-{secrets.token_hex(8)}", way)
        assert talk.slots[STATUS] == "rejected"
    assert len(world.ps7.requests) == _MOST

    for who in CUSTOMERS:
        before = dict(talk.slots)
        await guess(world, talk, CONTEXT_IDS[who], way)
        wrong = [*violations(before, talk, LOOK_UP, None)]
        await world.run(talk, OPEN, WITNESS)
        wrong += violations(before, talk, WITNESS, None)
        asked = len(world.ps7.requests) - _MOST
        ledger.tried("contextIds, one guess too many", 1, int(bool(wrong or asked)))
        assert (wrong, asked, talk.slots[STATUS]) == ([], 0, "rejected")


async def test_what_is_written_where_rasa_keeps_what_opened_the_session_is_not_asked_about(
    world: World, ledger: Ledger
) -> None:
    """It counts in no session that goes on, so nobody can guess by that slot."""
    talk = Talk()
    world.ps7.requests.clear()
    for context_id in (f"ctx-{secrets.token_hex(8)}", *CONTEXT_IDS.values()):
        before = dict(talk.slots)
        writes(**{SESSION_METADATA: {"contextId": context_id}})(talk, world)
        await world.run(talk, OPEN, LOOK_UP)
        wrong = [*violations(before, talk, LOOK_UP, None)]
        asked = len(world.ps7.requests)
        ledger.tried("contextIds, in the session's slot", 1, int(bool(wrong or asked)))
        assert (wrong, asked, talk.slots[STATUS]) == ([], 0, "missing")


async def test_who_came_first_may_come_again(world: World) -> None:
    """The limit is one of contextIds, not of turns."""
    talk = Talk()
    guesses = [CONTEXT_IDS["ana"], *(f"ctx-{secrets.token_hex(8)}" for _ in range(_MOST))]
    for context_id in (*guesses, CONTEXT_IDS["ana"]):
        await guess(world, talk, context_id, WAYS["one after the other"])
    assert talk.slots[STATUS] == "ok"
