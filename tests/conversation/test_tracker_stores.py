"""What outlives a session, where Rasa keeps conversations in its memory and in a database.

A database hands out a session from `session_started` on, the memory from the action before it.
"""

from __future__ import annotations

import asyncio
import re

import pytest

from actions.ps7.testing import PERSONAS, Simulator
from tests.conversation.cast import signed_arrival
from tests.conversation.spoken import NOBODY, of_the_customer
from tests.conversation.talking import Chat, RunningBot

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

AN_HOUR = 61.0  # minutes: after 60, Rasa opens a new session
ANA, DIEGO, IARA = "00123456", "00900019", "10203040"  # their accounts
VOUCHED_FOR = re.compile(r"(?:Conta|Você fala da agência \d+, conta) (\d+)")
TOKEN_HOLDS = 3  # seconds, one of which the signing may cost: tokens count in whole ones


async def who(chat: Chat, metadata: dict[str, object] | None = None) -> str:
    """Return the account that PS7 vouches for, by an action of the bot and by its slot.

    Where the action knows of none, no slot shows anything of a customer: the status. Both bots
    understand the question.
    """
    *_, told = await chat.say("você sabe quem eu sou?", metadata)
    slots = await chat.slots()
    account = VOUCHED_FOR.match(told)
    if account is None:
        assert of_the_customer(slots) == NOBODY
        return str(slots["ps7_status"])
    assert (slots["account"], slots["ps7_status"]) == (account[1], "ok")
    return account[1]


async def log_out(chat: Chat) -> None:
    """Forget the customer, and wait for the next message, as a rule would."""
    await chat.execute("action_ps7_forget")
    await chat.execute("action_listen")


async def test_a_token_that_is_over_opens_no_later_session(any_store: RunningBot) -> None:
    """It was good once; when the context has run out it takes a new one to be known again."""
    chat = any_store.chat()
    token = signed_arrival(chat, "iara", TOKEN_HOLDS)
    assert await who(chat, token) == IARA
    await asyncio.sleep(TOKEN_HOLDS)  # longer than PS7 lets this context live
    await chat.let_pass(AN_HOUR)

    assert await who(chat, token) == "invalid"
    assert await who(chat) == "invalid"
    assert await who(chat, signed_arrival(chat, "iara")) == IARA


async def test_a_customer_who_logged_out_at_a_terminal_stays_out(
    any_greeter: RunningBot, ps7: Simulator
) -> None:
    """Eight customers log out: a new session knows nobody, and refuses the first contextId."""
    chat = any_greeter.chat()
    for number in range(8):
        context_id, account = f"{chat.sender}-{number}", f"{number:08}"
        answer = PERSONAS["ana"].answer
        ps7.answer(context_id, body=answer | {"payload": answer["payload"] | {"u_cc": account}})
        assert await who(chat, signed_arrival(chat, context_id)) == account
        await log_out(chat)
    await chat.let_pass(AN_HOUR)

    assert await who(chat) == "missing"
    assert await who(chat, signed_arrival(chat, f"{chat.sender}-0")) == "missing"
    assert len(ps7.requests) == 8


@pytest.mark.parametrize(("failures", "status"), [(1, "ok"), (2, "unavailable")])
async def test_a_session_start_that_ps7_did_not_answer_is_asked_again(
    any_greeter: RunningBot, ps7: Simulator, failures: int, status: str
) -> None:
    """`/session_start` asks for the session that ends, and for the new one; then a turn does."""
    chat = any_greeter.chat()
    assert await who(chat, signed_arrival(chat, "diego")) == DIEGO
    ps7.script("flaky", [*["http-404"] * failures, "ana"])

    await chat.say("/session_start", signed_arrival(chat, "flaky"))
    assert (await chat.slots())["ps7_status"] == status
    assert await who(chat) == ANA
    assert len(ps7.requests) == 1 + failures + 1


async def test_a_log_out_that_was_rewound_holds_in_the_next_session(any_store: RunningBot) -> None:
    """`/back` takes the log-out out of the slots, and a new session carries those over."""
    chat = any_store.chat()
    assert await who(chat, signed_arrival(chat, "ana")) == ANA
    assert await who(chat) == ANA
    await log_out(chat)
    await chat.say("/back")
    assert (await chat.slots())["account"] == ANA, "Rasa did not rewind: this test shows nothing"
    await chat.let_pass(AN_HOUR)

    assert await who(chat) in {"expired", "missing"}, "by the slots, or by a session start"
    assert await who(chat) == "missing"
    assert await who(chat, signed_arrival(chat, "ana")) == "missing"


async def test_a_session_that_starts_with_a_greeting_knows_its_customer(
    any_greeter: RunningBot, ps7: Simulator
) -> None:
    """The greeting is between the action and `session_started`; later turns know her too."""
    chat = any_greeter.chat()
    assert await who(chat, signed_arrival(chat, "ana")) == ANA
    await chat.let_pass(AN_HOUR)

    assert "Bem-vindo ao terminal (expired)." in await chat.say("/session_start")
    token = signed_arrival(chat, "ana")
    assert "Bem-vindo ao terminal (00123456)." in await chat.say("/session_start", token)
    assert await who(chat) == ANA
    assert await who(chat) == ANA
    assert len(ps7.requests) == 3, "asked for the session that ends, and for the new one"
