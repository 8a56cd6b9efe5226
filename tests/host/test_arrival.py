"""Who may bring a contextId, and how many: what a refusal means for slots, requests and the log."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    verified_context,
)
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS, Conversation, sign_arrival
from tests.support.clock import Clock, now
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actions.ps7.testing import Simulator

# The simulator lives in the session's event loop.
pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

KEY, OLDER, FOREIGN = "new-key-" * 4, "old-key-" * 4, "foreign-" * 4
SENDER = "sender-1"
SHOWN = ("ps7_status", "ps7_context", "cpf", "account", "identification")
DOMAIN: dict[str, Any] = {
    "actions": [LOOK_UP, VERIFY, FORGET],
    "slots": {
        name: {
            "type": "any",
            "mappings": [
                {"type": "custom", **({"action": LOOK_UP} if name == "ps7_status" else {})}
            ],
        }
        for name in SHOWN
    },
    "session_config": {"session_expiration_time": 1440},  # it outlasts the clock that tests move
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock."""
    return Clock(monkeypatch)


@pytest.fixture
def environment(ps7: Simulator, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Point the plugin at the simulator; whatever arrives counts."""
    for name, value in ps7.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode()]))
    return monkeypatch


@pytest.fixture
def guarded(environment: pytest.MonkeyPatch, clock: Clock) -> Conversation:  # noqa: ARG001
    """Give a conversation whose contextIds must come in a token."""
    environment.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    return converse()


@pytest.fixture
def open_bot(environment: pytest.MonkeyPatch, clock: Clock) -> Conversation:  # noqa: ARG001
    """Give a conversation into which anybody may bring contextIds, three in a session."""
    environment.setenv("PS7_MAX_CONTEXTS", "3")
    return converse()


def converse() -> Conversation:
    ours = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
    return Conversation(DOMAIN, ours, sender_id=SENDER, now=now)


async def arrive(bot: Conversation, value: object = None) -> str:
    """Say something, with this under the key if there is anything; give the status."""
    await bot.user("oi", metadata={} if value is None else {"contextId": value})
    return str(bot.slots["ps7_status"])


def knows(bot: Conversation) -> str | None:
    """Give the account that the bot knows; the slots and the seal must agree on it."""
    customer = verified_context(bot.tracker)
    account: str | None = bot.slots["account"]
    assert account == (customer.account if customer else None)
    assert (bot.slots["ps7_status"] == "ok") == (customer is not None)
    return account


def asked(ps7: Simulator) -> list[Any]:
    """Give the contextIds that PS7 was asked about."""
    return [request.json["contextId"] for request in ps7.requests]


ANA, BRUNO, DIEGO = (PERSONAS[name].slots["account"] for name in ("ana", "bruno", "diego"))


# -- signed arrival -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, OLDER])
async def test_a_signed_context_id_is_looked_up(
    guarded: Conversation, ps7: Simulator, key: str
) -> None:
    """PS7 is asked about what stands in the token."""
    assert await arrive(guarded, sign_arrival(key, "ana", SENDER)) == "ok"
    assert knows(guarded) == ANA
    assert asked(ps7) == ["ana"]


WARNINGS = {
    "arrival_signature": "it stands in no token that a key of ours signed",
    "arrival_claims": "claims of its token are missing or cannot be used",
    "arrival_conversation": "its token was made for another conversation",
    "arrival_time": "its token was no longer valid as it came, or not yet",
}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("ana", "arrival_signature"),
        (sign_arrival(FOREIGN, "ana", SENDER), "arrival_signature"),
        (sign_arrival(KEY, "ana", SENDER, seconds=121), "arrival_claims"),
        (sign_arrival(KEY, "ana", "sender-2"), "arrival_conversation"),
        (sign_arrival(KEY, "ana", SENDER), "arrival_time"),  # made when this module was loaded
    ],
    ids=["no token", "a foreign key", "too long", "another conversation", "too old"],
)
async def test_anything_else_is_invalid(
    guarded: Conversation, ps7: Simulator, caplog: pytest.LogCaptureFixture, value: str, reason: str
) -> None:
    """No call, one line with the reason and one warning, and that only once."""
    with caplog.at_level(logging.INFO):
        assert await arrive(guarded, value) == "invalid"
        assert await arrive(guarded, value) == "invalid"
        assert await arrive(guarded) == "invalid"
    assert knows(guarded) is None
    assert asked(ps7) == []
    ours = [record for record in caplog.records if record.name.startswith("actions")]
    assert [record.levelname for record in ours] == ["INFO", "WARNING"]
    assert f"outcome=invalid reason={reason} status=- attempts=0" in ours[0].getMessage()
    assert ours[1].getMessage() == f"Arrival refused: {WARNINGS[reason]}"
    assert all(text not in caplog.text for text in ("ana", SENDER, "sender-2", value))


async def test_a_forged_arrival_does_not_keep_the_customer(guarded: Conversation) -> None:
    """Whoever it is, it is not somebody whom the back-end sent: the customer is gone."""
    await arrive(guarded, sign_arrival(KEY, "ana", SENDER))
    assert await arrive(guarded, "ana") == "invalid"
    assert knows(guarded) is None
    assert await arrive(guarded, sign_arrival(KEY, "ana", SENDER)) == "ok"
    assert knows(guarded) == ANA


async def test_right_before_a_sensitive_step_a_forged_arrival_counts_as_another(
    guarded: Conversation,
) -> None:
    """The check without the network does not go on with the customer of before."""
    await arrive(guarded, sign_arrival(KEY, "ana", SENDER))
    guarded.domain["slots"]["ps7_status"]["mappings"] = [{"type": "custom"}]
    await guarded.user("oi", metadata={"contextId": "ana"})
    assert verified_context(guarded.tracker) is None
    await guarded.run(VERIFY)
    assert guarded.slots["ps7_status"] == "missing"
    assert knows(guarded) is None


async def test_a_context_that_ran_out_is_looked_up_with_the_token_of_its_arrival(
    guarded: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """The token is long over by then; that its contextId came in once is enough."""
    token = sign_arrival(KEY, "ana", SENDER)
    await arrive(guarded, token)
    clock.move(2 * 3600)
    assert await arrive(guarded) == "ok"
    assert await arrive(guarded, token) == "ok"
    assert asked(ps7) == ["ana", "ana"]


async def test_a_lookup_that_failed_is_tried_again_with_the_same_token(
    guarded: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """An outage that outlasts the token costs the customer nothing."""
    ps7.answer("C9", status=404)
    assert await arrive(guarded, sign_arrival(KEY, "C9", SENDER)) == "unavailable"
    ps7.answer("C9", status=200, body=PERSONAS["ana"].answer)
    clock.move(300)
    assert await arrive(guarded) == "ok"
    assert knows(guarded) == ANA


async def test_an_old_token_does_not_bring_an_earlier_customer_back(
    guarded: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """After another customer came, the first one has to arrive anew."""
    token = sign_arrival(KEY, "ana", SENDER)
    await arrive(guarded, token)
    clock.move(60)
    await arrive(guarded, sign_arrival(KEY, "diego", SENDER))
    clock.move(60)
    assert await arrive(guarded, token) == "invalid"
    assert knows(guarded) is None
    assert await arrive(guarded, sign_arrival(KEY, "ana", SENDER)) == "ok"
    assert asked(ps7) == ["ana", "diego", "ana"]


async def test_a_customer_who_was_forgotten_stays_forgotten(
    guarded: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """Neither the token of then nor a new one brings them back."""
    token = sign_arrival(KEY, "ana", SENDER)
    await arrive(guarded, token)
    await guarded.run(FORGET)
    clock.move(300)
    for again in (token, sign_arrival(KEY, "ana", SENDER)):
        assert await arrive(guarded, again) == "missing"
    assert asked(ps7) == ["ana"]


async def test_the_token_that_opened_an_earlier_session_is_left_over_like_its_context_id(
    guarded: Conversation, clock: Clock
) -> None:
    """Rasa carries it on; the customer who came after it stays."""
    await arrive(guarded, sign_arrival(KEY, "ana", SENDER))
    await arrive(guarded, sign_arrival(KEY, "diego", SENDER))
    clock.move(300)
    guarded.expire_session()
    assert await arrive(guarded) == "ok"
    assert knows(guarded) == DIEGO


@pytest.mark.parametrize(
    ("first", "second", "asked"),
    [(0, 1, ["0", "1"]), (1, 1, ["1"]), (None, 0, ["0"]), (1, None, ["1", "0"])],
)
async def test_the_encoded_of_a_token_tells_context_ids_apart(
    environment: pytest.MonkeyPatch,
    ps7: Simulator,
    first: int | None,
    second: int | None,
    asked: list[str],
) -> None:
    """A token that says nothing of it leaves it to `PS7_ENCODED`, whatever stands beside it."""
    environment.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    environment.setenv("PS7_ENCODED", "0")
    bot = converse()
    for encoded in (first, second):
        token = sign_arrival(KEY, "ana", SENDER, encoded=encoded)
        await bot.user("oi", metadata={"contextId": token, "encoded": 1})
        assert bot.slots["ps7_status"] == "ok"
    assert [request.json["encoded"] for request in ps7.requests] == asked


async def test_what_stands_beside_the_token_does_not_change_who_is_looked_up(
    guarded: Conversation, ps7: Simulator
) -> None:
    """`encoded` counts only where the back-end signed it."""
    token = sign_arrival(KEY, "ana", SENDER)
    await guarded.user("oi", metadata={"contextId": token, "encoded": 1})
    await arrive(guarded, sign_arrival(KEY, "diego", SENDER, encoded=1))
    assert [request.json for request in ps7.requests] == [
        {"contextId": "ana"},
        {"contextId": "diego", "encoded": "1"},
    ]


async def test_a_context_id_that_was_refused_is_no_correlation_id(
    guarded: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    """What a channel says twice in one message is not logged for that."""
    with caplog.at_level(logging.INFO):
        await guarded.user("oi", metadata={"contextId": "planted", "correlationId": "planted"})
    assert "reason=arrival_signature" in caplog.text
    assert "planted" not in caplog.text


async def test_a_cpf_is_no_correlation_id(
    open_bot: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be logged with every lookup."""
    cpf = str(PERSONAS["ana"].slots["cpf"])
    with caplog.at_level(logging.INFO):
        await open_bot.user("oi", metadata={"contextId": "ana", "correlationId": cpf})
    assert "outcome=ok" in caplog.text
    assert cpf not in caplog.text


@pytest.fixture
def fresh_warnings() -> Iterator[None]:
    """Let this process warn of unsigned arrivals as if it had just started."""
    runtime._warn_of_open_arrival.cache_clear()
    yield
    runtime._warn_of_open_arrival.cache_clear()


@pytest.mark.usefixtures("fresh_warnings")
async def test_arrivals_that_nobody_signs_are_said_once_at_start(
    environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning for all the actions of a process, and none where there are keys."""
    environment.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    converse()
    assert "PS7_ARRIVAL_KEYS" not in caplog.text
    environment.delenv("PS7_ARRIVAL_KEYS")
    converse()
    converse()
    assert caplog.text.count("PS7_ARRIVAL_KEYS is not set") == 1


# -- how many -------------------------------------------------------------------------------------


async def test_a_session_asks_about_so_many_context_ids_and_no_more(
    open_bot: Conversation, ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever tries contextIds one after another is stopped, and nobody is known then."""
    for name, account in (("ana", ANA), ("bruno", BRUNO), ("diego", DIEGO)):
        assert await arrive(open_bot, name) == "ok"
        assert knows(open_bot) == account
    with caplog.at_level(logging.INFO):
        assert await arrive(open_bot, "carla") == "rejected"
        assert await arrive(open_bot) == "rejected"
    assert knows(open_bot) is None
    assert asked(ps7) == ["ana", "bruno", "diego"]
    assert caplog.text.count("outcome=rejected reason=too_many_context_ids") == 1
    assert "WARNING" in caplog.text
    assert caplog.text.count("this session has asked about too many others") == 1


async def test_the_first_ones_of_a_session_may_come_again(
    open_bot: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """The limit is on different contextIds, not on turns."""
    for name in ("ana", "bruno", "diego", "carla", "ana"):
        await arrive(open_bot, name)
    assert knows(open_bot) == ANA
    clock.move(2 * 3600)
    assert await arrive(open_bot) == "ok"
    assert asked(ps7) == ["ana", "bruno", "diego", "ana", "ana"]


async def test_waiting_does_not_help(open_bot: Conversation, ps7: Simulator, clock: Clock) -> None:
    """Other contextIds that PS7 rejected are asked about again after a while; these are not."""
    for name in ("ana", "bruno", "diego", "carla"):
        await arrive(open_bot, name)
    clock.move(3600)
    assert await arrive(open_bot) == "rejected"
    assert "carla" not in asked(ps7)


async def test_wiping_the_seal_does_not_help(open_bot: Conversation, ps7: Simulator) -> None:
    """The messages of the session still say what came."""
    for name in ("ana", "bruno", "diego", "carla"):
        await arrive(open_bot, name)
        await open_bot.set_slot("ps7_context", None)
    assert "carla" not in asked(ps7)


async def test_what_is_never_looked_up_is_not_counted(
    open_bot: Conversation, ps7: Simulator
) -> None:
    """Text that is no contextId costs PS7 nothing."""
    values: list[object] = ["not usable", "nor this", "nor that", [], "ana", "bruno", "diego"]
    for value in values:
        await arrive(open_bot, value)
    assert knows(open_bot) == DIEGO
    assert asked(ps7) == ["ana", "bruno", "diego"]


async def test_what_was_not_let_in_is_not_counted(guarded: Conversation, ps7: Simulator) -> None:
    """Else whoever writes into a customer's conversation could lock the customer out."""
    for number in range(9):
        await arrive(guarded, f"guess-{number}")
    assert await arrive(guarded, sign_arrival(KEY, "ana", SENDER)) == "ok"
    assert asked(ps7) == ["ana"]


async def test_signed_context_ids_are_counted_too(guarded: Conversation, ps7: Simulator) -> None:
    """Five of them, unless the setting says otherwise."""
    for name in ("ana", "bruno", "carla", "diego", "elisa", "fabio"):
        await arrive(guarded, sign_arrival(KEY, name, SENDER))
    assert guarded.slots["ps7_status"] == "rejected"
    assert asked(ps7) == ["ana", "bruno", "carla", "diego", "elisa"]


async def test_the_next_session_counts_anew(
    open_bot: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """A customer who comes back for years under one sender id is not locked out."""
    for name in ("ana", "bruno", "diego", "carla"):
        await arrive(open_bot, name)
    clock.move(3600)
    open_bot.expire_session()
    assert await arrive(open_bot, "carla") == "ok"
    assert asked(ps7) == ["ana", "bruno", "diego", "carla"]
