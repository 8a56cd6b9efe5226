"""What the plugin cannot prevent: each attack succeeds, so that the list of them stays honest."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from tests.security.attack import Attacker
from tests.security.attacks_beyond import SUCCESSES
from tests.security.moves import brings, present, says_of, seals, writes
from tests.security.oracle import violations
from tests.security.planted import CONTEXT_IDS, CUSTOMERS, FORGED, OLDER_SEAL_KEY
from tests.security.talk import SESSION_START, STATUS, VOUCHED, WITNESS, Talk
from tests.security.world import DOOR, OPEN
from tests.support.dialogue import LOOK_UP, VERIFY

if TYPE_CHECKING:
    from tests.security.attack import Success
    from tests.security.ledger import Ledger
    from tests.security.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _is_served_as(world: World, talk: Talk, who: str, server: str = OPEN) -> bool:
    """Tell whether everybody takes this user for that customer."""
    before = dict(talk.slots)
    for action in (LOOK_UP, VERIFY, WITNESS):
        await world.run(talk, server, action)
        assert [*violations(before, talk, action, who)] == []
    return talk.slots[STATUS] == "ok" and talk.slots[VOUCHED] is not None


@pytest.mark.parametrize("attack", SUCCESSES, ids=lambda attack: attack.name)
async def test_who_has_what_it_takes_is_served_as_the_customer(
    world: World, ledger: Ledger, attack: Success
) -> None:
    """With the slots, the status, and in the eyes of the bot's own actions."""
    talk = await world.played(attack.server, attack.scene)
    for move in attack.tried:
        move(talk, world)

    assert await _is_served_as(world, talk, attack.gains, attack.server)
    ledger.succeeded(attack.attacker, attack.name, attack.takes)


@pytest.mark.parametrize("server", [OPEN, DOOR])
async def test_anybody_can_interrupt_a_conversation(
    world: World, ledger: Ledger, server: str
) -> None:
    """A contextId that is not let in, or is none, ends the customer's turn: the safe side."""
    talk = world.scene(server, "ana")
    brings(f"{FORGED} id")(talk, world)
    await world.run(talk, server, LOOK_UP)
    assert talk.slots[STATUS] == "invalid"
    ledger.succeeded(
        Attacker.CHANNEL,
        f"ends the session of a customer, {server}",
        "the sender id of a conversation that goes on, and a channel that takes it from anybody",
    )


async def test_a_limit_for_one_session_is_none_for_the_next(world: World, ledger: Ledger) -> None:
    """Whoever can start sessions, or conversations, can go on guessing."""
    talk = Talk()
    for _ in range(3):
        for guess in (*(f"ctx-{secrets.token_hex(8)}" for _ in range(4)), CONTEXT_IDS["ana"]):
            brings(guess)(talk, world)
            await world.run(talk, OPEN, LOOK_UP)
        assert talk.slots[STATUS] == "ok"
        talk.next_session()
    ledger.succeeded(
        Attacker.CHANNEL,
        "guesses contextIds beyond PS7_MAX_CONTEXTS",
        "a new session or sender id for each five, and a contextId that can be guessed",
    )


async def test_who_takes_away_every_trace_can_go_on_guessing(world: World, ledger: Ledger) -> None:
    """Neither messages nor seals are left to count by."""
    talk = Talk()
    world.ps7.requests.clear()
    for guess in (*(f"ctx-{secrets.token_hex(8)}" for _ in range(7)), CONTEXT_IDS["ana"]):
        seals(None, None)(talk, world)
        talk.events = talk.events[:2]
        brings(guess)(talk, world)
        await world.run(talk, OPEN, LOOK_UP)
    assert len(world.ps7.requests) == 8
    assert talk.slots[STATUS] == "ok"
    ledger.succeeded(
        Attacker.WRITER,
        "guesses contextIds that leave no trace",
        "Rasa's API, which replaces all events of a conversation",
    )


async def test_who_writes_what_opens_a_session_is_served_as_that_customer(
    world: World, ledger: Ledger
) -> None:
    """The slot counts while `action_session_start` runs, and at no other time."""
    talk = Talk()
    talk.happens("action", name="action_listen")
    writes(session_started_metadata={"contextId": CONTEXT_IDS["ana"]})(talk, world)
    await world.run(talk, OPEN, SESSION_START)

    assert await _is_served_as(world, talk, "ana")
    ledger.succeeded(
        Attacker.WRITER,
        "writes a contextId into session_started_metadata right before a session starts",
        "a way to write that slot, the customer's contextId, and no PS7_ARRIVAL_KEYS",
    )


async def test_a_slot_that_is_written_after_the_check_is_not_checked(
    world: World, ledger: Ledger
) -> None:
    """Slots are read when they are read; the seal tells the truth at any time."""
    talk = world.scene(OPEN, "ana is back")
    await world.run(talk, OPEN, VERIFY)
    writes(account=FORGED)(talk, world)
    await world.run(talk, OPEN, WITNESS)
    assert talk.slots["account"] == FORGED
    assert talk.slots[VOUCHED]["account"] == CUSTOMERS["ana"].slots["account"]
    ledger.succeeded(
        Attacker.BUILDER,
        "reads a slot that a form or an entity wrote after action_ps7_verify",
        "an action that reads slots where it should read verified_context",
    )


async def test_slots_of_nobody_are_the_bots_own(world: World, ledger: Ledger) -> None:
    """While no status claims a customer, what a user typed stays in the slot that it filled."""
    talk = Talk()
    writes(identification="authenticated", token_status="valid")(talk, world)
    for action in (LOOK_UP, VERIFY):
        await world.run(talk, OPEN, action)
    assert talk.slots["identification"] == "authenticated"
    assert talk.slots[STATUS] == "missing"
    ledger.succeeded(
        Attacker.BUILDER,
        "branches on identification that a stranger typed",
        "a rule or flow that does not ask for ps7_status ok first",
    )


async def test_who_has_the_key_reads_every_seal(world: World, ledger: Ledger) -> None:
    """It is encrypted with nothing else."""
    talk = world.elsewhere["ana"]
    said = Fernet(OLDER_SEAL_KEY).decrypt(present(talk, world))
    assert str(CUSTOMERS["ana"].slots["cpf"]).encode() in said
    ledger.succeeded(
        Attacker.HOLDER,
        "reads customers out of a stolen tracker store",
        "a key that is or was in PS7_SEAL_KEYS, and the store",
    )


async def test_slots_are_not_encrypted(world: World, ledger: Ledger) -> None:
    """What a domain declares stands in the tracker store as it is; the seal beside it does not."""
    talk = world.elsewhere["ana"]
    kept = {name: talk.slots[name] for name in says_of("ana")}
    assert kept == says_of("ana")
    assert str(kept["cpf"]) not in present(talk, world)
    ledger.succeeded(
        Attacker.READER,
        "reads the slots that the domain declares",
        "a look into the tracker store",
    )
