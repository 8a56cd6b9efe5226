"""Trying attacks, many at a time over few connections, and telling which of them got anywhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tests.security.oracle import violations
from tests.security.planted import CONTEXT_IDS
from tests.security.talk import SESSION_START, STATUS, WITNESS
from tests.support.dialogue import LOOK_UP, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.security.attack import Attack
    from tests.security.ledger import Ledger
    from tests.security.talk import Talk
    from tests.security.world import World

COMES_BACK = "the user comes back"
_AT_ONCE = 8


class Plan(NamedTuple):
    """What a bot runs after an attack, as if nothing else had run."""

    actions: tuple[str, ...]
    asks: bool = False
    """Whether PS7 may be asked."""
    where_nobody_is_left: bool = False
    """Only after those attacks that `action_ps7_verify` ends with nobody there."""


WHOLE = (
    Plan((WITNESS,)),
    Plan((VERIFY, WITNESS)),
    Plan((LOOK_UP, VERIFY, WITNESS), asks=True),
    Plan((VERIFY, COMES_BACK, LOOK_UP, WITNESS), where_nobody_is_left=True),
)
"""An action of the bot's own, a sensitive step, a turn, and what must not come back later."""
OURS = (Plan((VERIFY,)), Plan((LOOK_UP,), asks=True))
VERIFIED = (Plan((VERIFY,)),)
WITNESSED = (Plan((WITNESS,)),)
A_NEW_SESSION = (Plan((SESSION_START, WITNESS), asks=True),)


class Fight:
    """One family of attacks."""

    def __init__(self, world: World, ledger: Ledger, family: str) -> None:
        self._world = world
        self._ledger = ledger
        self._family = family
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def got_anywhere(
        self, attacks: Iterable[Attack], plans: Iterable[Plan] = WHOLE
    ) -> list[str]:
        """Try these attacks; give those that got anywhere, and what gave way."""
        attacked = {self._begun(attack): attack for attack in attacks}
        wrong, accepted = [], set()
        for plan in plans:
            self._world.ps7.requests.clear()
            those = {
                talk: attack
                for talk, attack in attacked.items()
                if not plan.where_nobody_is_left or attack.must.verify not in (None, "ok")
            }
            runs = [self._one(talk, attack, plan.actions) for talk, attack in those.items()]
            found = await asyncio.gather(*runs)
            asked = list(self._asked_too_much(those.values() if plan.asks else []))
            accepted |= {one for one, lines in zip(those, found, strict=True) if lines or asked}
            wrong += [*(line for lines in found for line in lines), *asked]
        self._ledger.tried(self._family, len(attacked), len(accepted))
        return wrong

    def _begun(self, attack: Attack) -> Talk:
        talk = self._world.scene(attack.played_on, attack.scene)
        for move in attack.tried:
            move(talk, self._world)
        return talk

    def _asked_too_much(self, attacks: Iterable[Attack]) -> Iterator[str]:
        asked = Counter(_customer(request.json) for request in self._world.ps7.requests)
        due = Counter(attack.must.asks for attack in attacks if attack.must.asks is not None)
        for who in asked | due:
            if asked[who] != due[who]:
                yield f"PS7 was asked about {who} {asked[who]} times, not {due[who]}"

    async def _one(self, attacked: Talk, attack: Attack, actions: Sequence[str]) -> list[str]:
        talk, must = attacked.copy(), attack.must
        truth = must.truth
        due = {VERIFY: must.verify, LOOK_UP: must.look_up, SESSION_START: must.look_up}
        wrong = []
        for number, action in enumerate(actions):
            if action == COMES_BACK:
                talk.next_session()
                truth = None
                continue
            before = dict(talk.slots)
            async with self._turns:
                await self._world.run(talk, attack.server, action)
            found = list(violations(before, talk, action, truth))
            status = talk.slots.get(STATUS)
            if number == 0 and due.get(action) not in (None, status):
                found.append(f"the status is {status!r}")
            ran = " > ".join(actions[: number + 1])
            wrong += [f"{attack.name}, {ran}: {it}" for it in found]
        return wrong


def _customer(body: object) -> str:
    """Give whom a request is about: one with anything but a known contextId is of somebody else."""
    whose = (who for who, context_id in CONTEXT_IDS.items() if body == {"contextId": context_id})
    return next(whose, "somebody else")
