"""Attacks that need a real Rasa: payloads, rewinds, restarts, sessions, and Rasa's own API.

The attacker wants to be served as Ana, whom the bot knows in a conversation of her own, or knew in
this one. All other attacks are tried in memory.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import BALANCES, CUSTOMER_SLOTS, NOBODY, of_the_customer
from tests.conversation.talking import Chat, RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

Step = Callable[[Chat], Awaitable[object]]

BALANCE = "qual meu saldo"
VICTIM = PERSONAS["ana"]
SENSITIVE = ("R$", str(VICTIM.slots["account"]), str(VICTIM.slots["agency"]))
"""What no attacker may be told; only the victim has a balance here."""
CLAIMS: dict[str, Any] = {
    name: VICTIM.slots.get(name, "2099-12-31T00:00:00+00:00")
    for name in ("ps7_status", *CUSTOMER_SLOTS)
}
"""Every slot of `domain.yml` as it is for the victim, the seal left out."""
SAID: dict[str, Any] = {
    "event": "user",
    "text": "qual meu saldo",
    "parse_data": {"intent": {"name": "ask_balance", "confidence": 1.0}, "entities": []},
}


def says(text: str, who: str | None = None) -> Step:
    """Write a message; the bank's own channel may bring somebody with it."""
    return lambda chat: chat.say(text, {"contextId": who} if who else None)


def means(intent: str, **entities: object) -> Step:
    """Write a message that names its intent and entities itself."""
    return says(f"/{intent}{json.dumps(entities) if entities else ''}")


def posts(*events: Mapping[str, object]) -> Step:
    """Add events to the tracker, as who reaches Rasa's API can."""
    return lambda chat: chat.happens(*events)


def sets(slots: Mapping[str, object]) -> tuple[dict[str, object], ...]:
    """Return the events that set these slots."""
    return tuple({"event": "slot", "name": name, "value": slots[name]} for name in slots)


async def pauses(chat: Chat) -> None:
    """Write nothing for so long that the next message opens a session."""
    await chat.expire_session()


def attack(name: str, *tried: Step, truth: str | None = None) -> Any:  # noqa: ANN401 - pytest's own
    """Return an attack, by name.

    `truth` is whom the bank's own channel brought last: no other may be shown.
    """
    return pytest.param(tried, truth, id=name)


ANA = {"contextId": "ana"}
COMES, BRUNO, LEAVES, BACK = says("oi", "ana"), says("oi", "bruno"), says("tchau"), means("back")
VERIFIED = {"event": "action", "name": "action_ps7_verify"}
EVERY_SLOT = posts({"event": "reset_slots"}, *sets(CLAIMS))
ATTACKS = [
    attack("every slot in a payload", means("ask_balance", **CLAIMS)),
    attack("metadata in one", means("session_start", session_started_metadata=ANA, **ANA)),
    attack("a log-out and her arrival rewound", COMES, LEAVES, BACK, BACK, BACK),
    attack("a new session after her log-out", COMES, LEAVES, pauses, COMES),
    attack("every slot, over a customer's", BRUNO, EVERY_SLOT, truth="bruno"),
    attack(
        "events as if all had been verified",
        *(posts(*sets(CLAIMS), SAID, VERIFIED), lambda chat: chat.run("action_answer_balance")),
    ),
]


@pytest.mark.parametrize(("tried", "truth"), ATTACKS)
async def test_no_attack_is_answered_as_the_victim(
    oss_bot: RunningBot, tried: tuple[Step, ...], truth: str | None
) -> None:
    """Neither on that turn nor after a verify: the slots say what PS7 said of who arrived."""
    chat = oss_bot.chat()
    heard = [await step(chat) for step in tried]
    heard.append(await chat.say(BALANCE))
    after_the_turn = await chat.slots()
    await chat.run("action_ps7_verify")

    assert [value for value in SENSITIVE if value in str(heard)] == []
    for slots in (after_the_turn, await chat.slots()):
        shown, known = of_the_customer(slots), slots["ps7_status"] == "ok"
        said = PERSONAS[truth].slots if truth and known else NOBODY
        assert {name: said.get(name, value) for name, value in shown.items()} == shown
        assert truth or not known


async def test_a_restart_after_a_log_out_is_served(oss_bot: RunningBot) -> None:
    """A restart after a log-out, with Rasa's own session start: what stops it is in front of Rasa.

    A bot that answers nobody would pass all others.
    """
    chat = oss_bot.chat()
    for step in (COMES, LEAVES, means("restart"), COMES):
        await step(chat)
    assert await chat.say(BALANCE) == BALANCES["ana"]
