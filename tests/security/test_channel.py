"""What comes with a message counts where it is documented, as it is documented, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.security.attacks_channel import MESSAGES
from tests.security.attacks_events import DOMAIN, EVENTS
from tests.security.fight import Fight

if TYPE_CHECKING:
    from tests.security.attack import Attack
    from tests.security.ledger import Ledger
    from tests.security.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("attack", [*MESSAGES, *EVENTS, *DOMAIN], ids=lambda attack: attack.name)
async def test_messages_events_and_the_domain(world: World, ledger: Ledger, attack: Attack) -> None:
    """ContextIds of no use, in the wrong place, of before; slots that come and go."""
    assert await Fight(world, ledger, "messages, events, domain").got_anywhere([attack]) == []
