"""Slots that somebody else wrote say what PS7 said after the next run, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.attacks_slots import (
    attackable,
    forgery,
    one_at_a_time,
    two_at_a_time,
    values,
)
from tests.security.fight import OURS, Fight
from tests.security.scenes import SCENES
from tests.security.world import DOOR, OPEN

if TYPE_CHECKING:
    from tests.security.attack import Attack
    from tests.security.ledger import Ledger
    from tests.security.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

_PAIRED = ("stranger", "ana", "diego after ana", "refused", "run out")


@pytest.mark.parametrize("scene", SCENES)
async def test_one_slot_with_a_value_of_any_type(world: World, ledger: Ledger, scene: str) -> None:
    """After a good lookup, before any, and after every way in which a customer is gone."""
    fight = Fight(world, ledger, "one slot, any type of value")
    assert await fight.got_anywhere(one_at_a_time(scene, OPEN), OURS) == []


@pytest.mark.parametrize("scene", _PAIRED)
async def test_two_slots_of_another_customer(world: World, ledger: Ledger, scene: str) -> None:
    """Every pair of them, with what would really stand there."""
    fight = Fight(world, ledger, "two slots, every pair")
    assert await fight.got_anywhere(two_at_a_time(scene, OPEN), OURS) == []


@st.composite
def _forgeries(draw: st.DrawFn) -> Attack:
    scene, server = draw(st.sampled_from(list(SCENES))), draw(st.sampled_from([OPEN, DOOR]))
    some = st.lists(st.sampled_from(attackable(server)), min_size=3, unique=True)
    kinds = {slot: draw(st.sampled_from(list(values(slot)))) for slot in draw(some)}
    name = ", ".join(f"{slot} is {kind}" for slot, kind in kinds.items())
    slots = {slot: values(slot)[kind] for slot, kind in kinds.items()}
    return forgery(scene, slots, name, server)


@settings(max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(attack=_forgeries())
async def test_any_slots_with_any_values(world: World, ledger: Ledger, attack: Attack) -> None:
    """Three at least, the seal and the status among them or not, in any conversation."""
    fight = Fight(world, ledger, "more slots at once, at random")
    assert await fight.got_anywhere([attack]) == []
