"""Attacks as data, and how they are tried: many at a time over few connections."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from tests.security.conversation import SEAL, SESSION_START, STATUS, WITNESS, Conversation
from tests.security.oracle import violations
from tests.security.planted import CONTEXT_IDS
from tests.security.servers import Servers
from tests.security.steps import Step, brings, comes_back
from tests.security.values import UNSIGNED, genuine
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

_COMES_BACK, _ALL_AGAIN = "the user comes back", "all arrive again"
_AT_ONCE = 8


class Must(NamedTuple):
    """What must come of an attack, beside what must hold whatever is tried: see `oracle`."""

    truth: str | None = None
    """Whom PS7 names for the contextId that the channel brought last: no other may appear."""
    verify: str | None = None
    """The status that `action_ps7_verify` leaves; None: any that is safe."""
    look_up: str | None = None
    """The status that `action_ps7_context` leaves; None: any that is safe."""
    asks: str | None = None
    """About whose contextId `action_ps7_context` must ask PS7, once; nothing else ever asks."""


@dataclass(frozen=True)
class Attack:
    """One row of the tables."""

    name: str
    setup: str
    """The conversation it begins in."""
    steps: tuple[Step, ...]
    must: Must
    server: str = UNSIGNED
    set_up_on: str = ""
    """Where the setup was played, if that is another server."""

    async def begun(self, servers: Servers) -> Conversation:
        """Return a conversation in which it was tried."""
        conversation = servers.set_up(self.setup, self.server, self.set_up_on)
        for step in self.steps:
            await step(conversation)
        return conversation


def rows(
    setup: str,
    must: Must,
    attacks: Mapping[str, Step | tuple[Step, ...]],
    server: str = UNSIGNED,
    set_up_on: str = "",
) -> list[Attack]:
    """Return the rows that begin in one conversation and end in one way, by name."""
    return [
        Attack(
            name=f"{setup}, {server}: {name}",
            setup=setup,
            steps=tried if isinstance(tried, tuple) else (tried,),
            must=must,
            server=server,
            set_up_on=set_up_on,
        )
        for name, tried in attacks.items()
    ]


def each(attacks: Iterable[Attack]) -> pytest.MarkDecorator:
    """Make a test of each row."""
    return pytest.mark.parametrize("attack", attacks, ids=lambda attack: attack.name)


class Plan(NamedTuple):
    """What a bot runs after an attack, as if nothing else had run."""

    actions: tuple[str, ...]
    asks: bool = False
    """Whether PS7 may be asked."""


WHOLE = (
    Plan((WITNESS,)),
    Plan((VERIFY, WITNESS)),
    Plan((LOOK_UP, VERIFY, WITNESS), asks=True),
    Plan((VERIFY, _COMES_BACK, LOOK_UP, WITNESS)),
    Plan((FORGET, _ALL_AGAIN)),
)
"""An action of the bot's own, a sensitive step, a turn; the next session, and after a log-out."""
OURS = (Plan((VERIFY,)), Plan((LOOK_UP,), asks=True))
A_NEW_SESSION = (Plan((SESSION_START, WITNESS), asks=True),)


async def succeeded(
    servers: Servers, attacks: Iterable[Attack], plans: Iterable[Plan] = WHOLE
) -> list[str]:
    """Try these attacks; return what came of them that must not."""
    begun = [(attack, await attack.begun(servers)) for attack in attacks]
    turns = asyncio.Semaphore(_AT_ONCE)
    wrong = []
    for plan in plans:
        servers.ps7.requests.clear()
        tried = (_one(attack, talk.copy(), plan.actions, turns) for attack, talk in begun)
        wrong += [line for lines in await asyncio.gather(*tried) for line in lines]
        wrong += _wrongly_asked(servers, [attack for attack, _ in begun if plan.asks])
    return wrong


async def _one(
    attack: Attack, conversation: Conversation, actions: tuple[str, ...], turns: asyncio.Semaphore
) -> list[str]:
    must = attack.must
    truth = must.truth
    due = {VERIFY: must.verify, LOOK_UP: must.look_up, SESSION_START: must.look_up}
    wrong = []
    for number, action in enumerate(actions):
        if action == _ALL_AGAIN:
            wrong += await _all_again(attack, conversation, turns)
            continue
        if action == _COMES_BACK:
            await comes_back(conversation)
            truth = None
            continue
        if action == FORGET:
            truth = None
        before = dict(conversation.slots)
        async with turns:
            await conversation.run(action)
        found = list(violations(before, conversation, action, truth))
        status = conversation.slots.get(STATUS)
        if number == 0 and due.get(action) not in (None, status):
            found.append(f"the status is {status!r}")
        ran = " > ".join(actions[: number + 1])
        wrong += [f"{attack.name}, {ran}: {it}" for it in found]
    return wrong


async def _all_again(
    attack: Attack, conversation: Conversation, turns: asyncio.Semaphore
) -> list[str]:
    """Let each customer arrive whom a log-out has logged out."""
    wrong: list[str] = []
    remembers = SEAL in conversation.slots
    for who in sorted(conversation.logged_out if remembers else ()):
        before = dict(conversation.slots)
        await brings(genuine(who))(conversation)
        for action in (LOOK_UP, WITNESS):
            async with turns:
                await conversation.run(action)
            found = violations(before, conversation, action, None)
            wrong += [f"{attack.name}, logged out, {who} again, {action}: {it}" for it in found]
    return wrong


def _wrongly_asked(servers: Servers, attacks: Iterable[Attack]) -> Iterator[str]:
    asked = Counter(_customer(request.json) for request in servers.ps7.requests)
    due = Counter(attack.must.asks for attack in attacks if attack.must.asks is not None)
    for who in asked | due:
        if asked[who] != due[who]:
            yield f"PS7 was asked about {who} {asked[who]} times, not {due[who]}"


def _customer(body: object) -> str:
    """Return whom a request is about: one with anything but a known contextId is of a stranger."""
    whose = (who for who, context_id in CONTEXT_IDS.items() if body == {"contextId": context_id})
    return next(whose, "a stranger")
