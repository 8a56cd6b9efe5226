"""A lookup through a real action server, as Rasa calls it: newest and oldest rasa-sdk."""

from __future__ import annotations

import aiohttp
import pytest

from actions.ps7.testing import Simulator
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue

pytestmark = [
    pytest.mark.versions,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_exactly_the_three_actions_are_registered(server: ActionServer) -> None:
    """What they are made from is abstract, and is no action of a bot."""
    async with aiohttp.ClientSession() as http, http.get(f"{server.url}/actions") as answer:
        names = [action["name"] for action in await answer.json()]
    assert sorted(names) == sorted((LOOK_UP, VERIFY, FORGET))


async def test_only_declared_slots_are_written_and_a_held_context_costs_nothing(
    server: ActionServer, ps7: Simulator
) -> None:
    """A domain that declares less gets less, and any field of the wire by its own name.

    Later turns set no slot and ask nothing, with the contextId at hand or without.
    """
    user = Dialogue(["ps7_status", "ps7_context", "segment", "u_dest", "balance"])
    changes = await user.turn(server.send, metadata={"contextId": "ana"})
    assert changes.keys() == {"ps7_status", "ps7_context", "segment", "u_dest"}
    assert (user.slots["segment"], user.slots["u_dest"]) == ("Personnalité", "saldo")
    for metadata in ({"contextId": "ana"}, {}):
        for action in (LOOK_UP, VERIFY):
            assert await user.turn(server.send, action, metadata) == {}
    assert len(ps7.requests) == 1
