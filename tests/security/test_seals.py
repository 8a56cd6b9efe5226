"""A seal opens in its own conversation, in its time, as it was made; or nobody is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.attack import At, Attacker
from tests.security.attacks_broken_seals import BROKEN, changed, cut, flipped
from tests.security.attacks_kept_seals import KEPT
from tests.security.attacks_seals import GENUINE, REFUSED, SEALS
from tests.security.fight import VERIFIED, WITNESSED, Fight
from tests.security.ledger import Ledger
from tests.security.moves import present, seals, stolen
from tests.security.tokens import LETTERS
from tests.security.world import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.security.attack import Attack
    from tests.security.fight import Plan
    from tests.security.world import World

    Damage = Callable[[str], Iterator[Attack]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def genuine(world: World) -> str:
    """Give a good seal."""
    return present(world.scene(OPEN, "ana is back"), world)


@pytest.mark.parametrize("attack", [*SEALS, *KEPT, *BROKEN], ids=lambda attack: attack.name)
async def test_a_seal_that_is_not_as_it_was_made(
    world: World, ledger: Ledger, attack: Attack
) -> None:
    """Copied, kept, broken, forged, or by a key that was retired."""
    assert await Fight(world, ledger, "seals").got_anywhere([attack]) == []


@pytest.mark.parametrize("row", GENUINE, ids=lambda row: row.name)
async def test_what_nobody_attacks_goes_on(world: World, row: Attack) -> None:
    """A genuine seal opens and nothing is asked, in every conversation that is attacked here."""
    assert await Fight(world, Ledger(), "none").got_anywhere([row]) == []


@pytest.mark.parametrize(("damage", "plans"), [(cut, VERIFIED), (flipped, WITNESSED)])
async def test_every_single_damage(
    world: World, ledger: Ledger, genuine: str, damage: Damage, plans: tuple[Plan, ...]
) -> None:
    """Cut at every length, and with a bit flipped at every place: for our action, and for another.

    Both read the seal in one way, and there are thousands of these.
    """
    fight = Fight(world, ledger, f"seals, {damage.__name__} everywhere")
    assert await fight.got_anywhere(damage(genuine), plans) == []


_places = st.integers(0, 2000)
_pieces = st.text(st.sampled_from(f"{LETTERS}=+/ \n.é"), max_size=4)
_edits = st.lists(st.tuples(_places, _places, _pieces), min_size=1, max_size=4)
"""From where, until where, and what comes there instead."""
_at_random = settings(
    max_examples=100, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for place, length, piece in edits:
        start = place % (len(text) + 1)
        text = text[:start] + piece + text[start + length % 3 :]
    return text


@_at_random
@given(edits=_edits)
async def test_any_damage(
    world: World, ledger: Ledger, genuine: str, edits: list[tuple[int, int, str]]
) -> None:
    """Some characters taken out, put in or changed: what opens says the same bytes."""
    attack = changed("a seal, edited", _edited(genuine, edits), genuine)
    assert await Fight(world, ledger, "seals, edited at random").got_anywhere([attack]) == []


@_at_random
@given(edits=_edits, at=_places)
async def test_any_mixture_with_a_copied_seal(
    world: World, ledger: Ledger, genuine: str, edits: list[tuple[int, int, str]], at: int
) -> None:
    """The front of one's own seal and the back of another's, some characters changed."""
    copied = str(stolen("diego")(world.scene(OPEN, "stranger"), world))
    seal = _edited(genuine[: at % len(genuine)] + copied[at % len(genuine) :], edits)
    attack = At()((Attacker.READER, "stranger"), "a mixture of seals", seals(seal), must=REFUSED)
    assert await Fight(world, ledger, "seals, mixed at random").got_anywhere([attack]) == []
