"""What a customer does in a cell, and how many cells run at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from actions.ps7.testing import PERSONAS
from tests.host.conftest import seal_keys
from tests.matrix.environments import interpreter
from tests.matrix.hosts import HOSTS
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from actions.ps7.testing import Simulator
    from tests.matrix.cells import Cell
    from tests.support.dialogue import Send

AT_ONCE = 4
"""Cells that run at the same time: with more, two cores are not done sooner."""
ANA = PERSONAS["ana"]
PAYLOAD = {**ANA.payload, "visits": {"count": 3, "minutes": [1, 2.5, None, True]}}
"""Numbers too: over gRPC they all come back as floats."""


class Visits:
    """A customer for each of some cells; all begin at once."""

    def __init__(self, ps7: Simulator, folder: Path, cells: Iterable[Cell]) -> None:
        self._ps7 = ps7
        self._folder = folder
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._tasks = {cell: asyncio.create_task(self._visit(cell)) for cell in cells}

    async def end(self, cell: Cell) -> None:
        """Wait for the visit to a cell, and raise what went wrong there."""
        await self._tasks[cell]

    async def end_all(self) -> None:
        """Wait for all of them."""
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def log(self, cell: Cell) -> str:
        """Return all that the server of a cell said."""
        files = (self._folder / str(cell)).iterdir()
        return "\n".join(file.read_text("utf-8", "replace") for file in files)

    async def _visit(self, cell: Cell) -> None:
        python = interpreter(cell.sdk, cell.python)
        assert python is not None, "its environment does not stand"
        folder = self._folder / str(cell)
        folder.mkdir()
        settings = {**self._ps7.environment, "PS7_SEAL_KEYS": seal_keys()}
        async with self._at_once, HOSTS[cell.transport](python, folder, settings) as send:
            await _come_and_go(send, self._ps7, f"visit-{cell}")


async def _come_and_go(send: Send, ps7: Simulator, context_id: str) -> None:
    """Be looked up, held, verified and forgotten: every answer whole, and one request to PS7."""
    ps7.answer(context_id, body={**ANA.answer, "payload": PAYLOAD})
    metadata = {"contextId": context_id}
    user = Dialogue()
    unknown: dict[str, Any] = dict(user.slots)

    await user.turn(send, metadata=metadata)
    found = dict(user.slots)
    assert found.pop("ps7_context")
    assert found.pop("ps7_expires_at")
    assert found.pop("ps7_payload") == PAYLOAD
    assert found == ANA.slots

    for action in (LOOK_UP, VERIFY):
        for given in (metadata, {}):
            assert await user.turn(send, action, given) == {}
    user.slots["account"] = "00000000"
    assert await user.turn(send, VERIFY) == {"account": ANA.slots["account"]}

    await user.turn(send, FORGET)
    assert await user.turn(send, metadata=metadata) == {}
    assert user.slots.pop("ps7_context"), "the seal says that this contextId was forgotten"
    assert {**user.slots, "ps7_context": None} == {**unknown, "ps7_status": "missing"}

    bodies = [request.json for request in ps7.requests if request.json["contextId"] == context_id]
    assert bodies == [metadata]
