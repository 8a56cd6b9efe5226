"""A session that starts with its customer known starts with the right one, or with none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.attacks_session import GENUINE, SESSIONS
from tests.security.fight import A_NEW_SESSION, Fight
from tests.security.ledger import Ledger

if TYPE_CHECKING:
    from tests.security.attack import Attack
    from tests.security.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("attack", SESSIONS, ids=lambda attack: attack.name)
async def test_what_did_not_open_the_session(world: World, ledger: Ledger, attack: Attack) -> None:
    """Messages, metadata and slots of before, in the wrong place, or not let in."""
    fight = Fight(world, ledger, "sessions that start")
    assert await fight.got_anywhere([attack], A_NEW_SESSION) == []


@pytest.mark.parametrize("row", GENUINE, ids=lambda row: row.name)
async def test_what_opens_the_session(world: World, row: Attack) -> None:
    """The customer is there before the first turn."""
    assert await Fight(world, Ledger(), "none").got_anywhere([row], A_NEW_SESSION) == []
