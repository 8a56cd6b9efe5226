"""Attacks on a bot in a real Rasa, in conversation: who is answered, and what the slots say.

The attacker wants to be served as the victim, whom the bot knows in a conversation of her own, or
knew in this one. After each attack the example bots are asked for the balance, the kiosk who is
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import CUSTOMER_SLOTS, NOBODY, of_the_customer
from tests.conversation.talking import RunningBot
from tests.security.rasa.steps import (
    Attempt,
    Step,
    arrives,
    arrives_again,
    copies_the_token,
    executes,
    means,
    pauses,
    posts,
    restores_the_slots_after,
    says,
    slot_events,
    takes_the_victims_place,
)

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

VICTIM = PERSONAS["ana"]
BALANCE = ["O saldo da conta 00123456 é de R$ 15.230,75."]
SENSITIVE = ("R$", str(VICTIM.slots["account"]), str(VICTIM.slots["agency"]))
"""What no attacker may be told; only the victim has a balance here."""
ANA = {"contextId": VICTIM.context_id}
CLAIMS: dict[str, Any] = {
    name: VICTIM.slots.get(name, "2099-12-31T00:00:00+00:00")
    for name in ("ps7_status", *CUSTOMER_SLOTS)
}
"""Every slot of `domain.yml` as it is for the victim, the seal left out."""
LOG_OUT = (arrives("ana"), says("tchau"))
SAID: dict[str, Any] = {
    "event": "user",
    "text": "qual meu saldo",
    "parse_data": {"intent": {"name": "ask_balance", "confidence": 1.0}, "entities": []},
}
NEVER_SENT = posts({**SAID, "metadata": ANA})
VERIFIED = {"event": "action", "name": "action_ps7_verify"}
ANSWER = "action_answer_balance"
BOTH_RECIPES = ("oss_bot", "start_bot")


def rows(
    bots: str | tuple[str, ...],
    attacks: Mapping[str, Step | tuple[Step, ...]],
    truth: str | None = None,
) -> list[Any]:
    """Return the attacks on each bot, by name.

    `truth` is whom the bank's own channel brought last: that customer may be shown, and no other.
    """
    return [
        pytest.param(
            *(bot, tried if isinstance(tried, tuple) else (tried,), truth), id=f"{bot}: {name}"
        )
        for bot in ((bots,) if isinstance(bots, str) else bots)
        for name, tried in attacks.items()
    ]


TYPED = [
    *rows(
        "oss_bot",
        {
            "every slot in a payload": means("ask_balance", **CLAIMS),
            "metadata in a payload": means("session_start", session_started_metadata=ANA, **ANA),
        },
    ),
    *rows(
        "kiosk",
        {
            "another CPF that a form wants, by a customer": (
                arrives("bruno"),
                means("order_card", cpf=VICTIM.slots["cpf"]),
            )
        },
        "bruno",
    ),
]
"""By a user in the chat."""
NEXT_USER = [
    *rows(
        BOTH_RECIPES,
        {
            "her contextId after her log-out": (*LOG_OUT, arrives_again),
            "the same, in a new session": (*LOG_OUT, pauses, arrives_again),
            "`undefined` comes with the log-out": (
                *(arrives("ana"), says("tchau", contextId="undefined")),
                arrives_again,
            ),
            "a new session that carries slots over": (arrives("ana"), pauses),
            "a restart": (arrives("ana"), means("restart")),
        },
    ),
    *rows(
        "start_bot", {"a restart after her log-out": (*LOG_OUT, means("restart"), arrives_again)}
    ),
    *rows(
        "guarded_bot",
        {
            "another's token comes with the log-out": (
                *(arrives("ana"), copies_the_token),
                arrives_again,
            )
        },
    ),
    *rows("oss_bot", {"a log-out and the arrival rewound": (*LOG_OUT, *[means("back")] * 3)}),
    *rows(
        "oss_bot",
        {
            "the arrival of another customer rewound": (
                *(arrives("ana"), arrives("bruno")),
                means("back"),
            )
        },
        "bruno",
    ),
]
"""By the next user of the same conversation."""
METADATA = [
    *rows("guarded_bot", {"a bare contextId": (arrives("bruno"), says("oi", **ANA))}, "bruno"),
    *rows(
        "guarded_bot",
        {
            "the token of another conversation": copies_the_token,
            "metadata of a session start": says("/session_start", **ANA),
        },
    ),
]
"""By anyone who can post to the channel."""
WRITTEN = [
    *rows(
        "oss_bot",
        {
            "every slot, over those of a customer": (
                *(arrives("bruno"), posts({"event": "reset_slots"}, *slot_events(**CLAIMS))),
            ),
            "the seal of the customer before, over that of this one": (
                *(arrives("ana"), restores_the_slots_after(arrives("bruno"))),
            ),
        },
        "bruno",
    ),
    *rows(
        "oss_bot",
        {
            "the seal of before the log-out": (
                *(arrives("ana"), restores_the_slots_after(says("tchau"))),
            ),
            "events as if all had been verified": (
                posts(
                    *slot_events(**CLAIMS), SAID, {"event": "action", "name": "action_ps7_verify"}
                ),
                executes(ANSWER),
            ),
        },
    ),
    *rows("guarded_bot", {"a message that was never sent": NEVER_SENT}),
]
"""By anyone who reaches Rasa's API."""
SUCCEEDS = [
    *rows(
        "oss_bot",
        {
            "a contextId that was guessed or overheard": says("oi", **ANA),
            "a restart after a log-out, with Rasa's own session start": (
                *(*LOG_OUT, means("restart")),
                arrives_again,
            ),
        },
        "ana",
    ),
    *rows(
        "guarded_bot",
        {"the victim's sender id": takes_the_victims_place, "no attack: she": arrives("ana")},
        "ana",
    ),
]
"""What stops them is in front of Rasa, and the bank's. A bot that answers nobody would pass all
others."""


async def attempted(bot: RunningBot, name: str, tried: tuple[Step, ...]) -> Attempt:
    """Try it, and ask the sensitive question."""
    attempt = Attempt(name, bot, bot.chat())
    for step in tried:
        await step(attempt)
    attempt.heard += await attempt.chat.say(attempt.asks)
    return attempt


def violations(bot: str, slots: dict[str, Any], truth: str | None) -> Iterator[str]:
    """Return what slots show that they must not, without a value of it."""
    shown = of_the_customer(slots)
    if bot == "kiosk":
        del shown["cpf"]  # a form of the bot's own fills it: it says nothing of the customer
    known = slots["ps7_status"] == "ok"
    said = PERSONAS[truth].slots if known and truth else NOBODY
    wrong = [name for name, value in shown.items() if value != said.get(name, value)]
    if wrong or (known and not truth):
        yield f"{slots['ps7_status']}, and wrong: {wrong}"


@pytest.mark.parametrize(("bot", "tried", "truth"), [*TYPED, *NEXT_USER, *METADATA, *WRITTEN])
async def test_no_attack_is_answered_as_the_victim(
    rasa_bots: dict[str, RunningBot], bot: str, tried: tuple[Step, ...], truth: str | None
) -> None:
    """Neither on that turn nor after a verify: the slots say what PS7 said of who arrived."""
    attempt = await attempted(rasa_bots[bot], bot, tried)
    after_the_turn = await attempt.chat.slots()
    await attempt.chat.execute("action_ps7_verify")
    verified = await attempt.chat.slots()

    told = [text for text in attempt.heard if any(value in text for value in SENSITIVE)]
    wrong = (*violations(bot, after_the_turn, truth), *violations(bot, verified, truth))
    assert [*told, *wrong] == []


@pytest.mark.parametrize(("bot", "tried", "truth"), SUCCEEDS)
async def test_what_is_left_to_the_bank_does_succeed(
    rasa_bots: dict[str, RunningBot], bot: str, tried: tuple[Step, ...], truth: str | None
) -> None:
    """It is not stopped here: as far as a bot can see, this is the customer."""
    attempt = await attempted(rasa_bots[bot], bot, tried)
    assert attempt.heard[-1:] == BALANCE
    assert [*violations(bot, await attempt.chat.slots(), truth)] == []
