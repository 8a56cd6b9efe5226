"""Behind a door, nobody is let in without a token of the bank's for this conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.attacks_arrivals import GENUINE, REPLAYED
from tests.security.attacks_tokens import TOKENS, cut, flipped
from tests.security.fight import OURS, Fight
from tests.security.ledger import Ledger
from tests.security.tokens import token
from tests.security.world import DOOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.security.attack import Attack
    from tests.security.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("attack", [*TOKENS, *REPLAYED], ids=lambda attack: attack.name)
async def test_a_token_that_is_none_of_ours(world: World, ledger: Ledger, attack: Attack) -> None:
    """Not signed, signed by somebody else, for somebody else, too old, or badly made."""
    assert await Fight(world, ledger, "tokens").got_anywhere([attack]) == []


@pytest.mark.parametrize("row", GENUINE, ids=lambda row: row.name)
async def test_a_genuine_token_lets_in(world: World, row: Attack) -> None:
    """In its own conversation and its own time; a contextId that was here before, at any time."""
    assert await Fight(world, Ledger(), "none").got_anywhere([row]) == []


@pytest.mark.parametrize("damage", [cut, flipped])
async def test_every_single_damage(
    world: World, ledger: Ledger, damage: Callable[[str], list[Attack]]
) -> None:
    """Cut at every length, and with a bit flipped at every place."""
    fight = Fight(world, ledger, f"tokens, {damage.__name__} everywhere")
    good = str(token()(world.scene(DOOR, "stranger"), world))
    assert await fight.got_anywhere(damage(good), OURS) == []
