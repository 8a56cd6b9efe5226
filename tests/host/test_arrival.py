"""Signed arrival and `PS7_MAX_CONTEXTS`: what a refusal means for slots, requests and the log.

Which tokens are good is tested in plain values (`tests/unit/test_arrival.py`).
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from actions.ps7 import Reason, verified_context
from actions.ps7.dialogue import runtime
from actions.ps7.dialogue.turn import ARRIVAL_REFUSED
from actions.ps7.testing import PERSONAS, Conversation, sign_arrival
from tests.support.bots import arrive, asked, converse, run
from tests.support.clock import Clock, now
from tests.support.dialogue import FORGET, VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from actions.ps7.testing import Simulator

# The simulator lives in the session's event loop.
pytestmark = [
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("settings", "clock"),
]

KEY, OLDER, FOREIGN = "new-key-" * 4, "old-key-" * 4, "foreign-" * 4
SENDER = "sender-1"
ANA = PERSONAS["ana"].slots["account"]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Conversation:
    """Return a conversation whose contextIds must come in a token."""
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    monkeypatch.setenv("PS7_ENCODED", "0")
    return converse(now=now)


async def status_after(bot: Conversation, value: object = None, **beside: object) -> str:
    """Send a message with this under the key; return the status, with which the seal agrees."""
    await arrive(bot, value, **beside)
    customer = verified_context(bot.tracker)
    status: str = bot.slots["ps7_status"]
    assert (status == "ok") == (customer is not None)
    assert bot.slots["account"] == (customer.account if customer else None)
    return status


# -- signed arrival -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, OLDER])
async def test_a_signed_context_id_is_looked_up(
    guarded: Conversation, ps7: Simulator, clock: Clock, key: str
) -> None:
    """PS7 is asked about what the token says alone, and again when the token is long over."""
    token = sign_arrival(key, "ana", SENDER)
    assert await status_after(guarded, token, encoded=1) == "ok"
    assert guarded.slots["account"] == ANA
    clock.move(2 * 3600)
    for again in (None, token):
        assert await status_after(guarded, again) == "ok"
    assert [request.json for request in ps7.requests] == [{"contextId": "ana", "encoded": "0"}] * 2


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
    """No call, one line with the reason and one warning, once; and no value as correlation id."""
    with caplog.at_level(logging.INFO):
        for again in (value, value, None):
            assert await status_after(guarded, again, correlationId=value) == "invalid"
    assert asked(ps7) == []
    ours = [record for record in caplog.records if record.name.startswith("actions")]
    assert [record.levelname for record in ours] == ["INFO", "WARNING"]
    assert f"outcome=invalid reason={reason} status=- attempts=0" in ours[0].getMessage()
    assert ours[1].getMessage() == f"Arrival refused: {ARRIVAL_REFUSED[Reason(reason)]}"
    assert all(text not in caplog.text for text in ("ana", SENDER, "sender-2", value))


async def test_a_forged_arrival_does_not_keep_the_customer(guarded: Conversation) -> None:
    """Nor in the check without the network; the customer's next token brings them back."""
    await arrive(guarded, sign_arrival(KEY, "ana", SENDER))
    assert await status_after(guarded, "ana") == "invalid"
    assert await status_after(guarded, sign_arrival(KEY, "ana", SENDER)) == "ok"
    guarded.domain["slots"]["ps7_status"]["mappings"] = [{"type": "custom"}]
    await arrive(guarded, "ana")
    assert verified_context(guarded.tracker) is None
    assert "ps7_status" in await run(guarded, VERIFY)
    assert (guarded.slots["ps7_status"], guarded.slots["account"]) == ("missing", None)


async def test_an_old_token_does_not_bring_an_earlier_customer_back(
    guarded: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """After another customer came, or a log-out, the first one has to arrive anew, or stays out."""
    token = sign_arrival(KEY, "ana", SENDER)
    await arrive(guarded, token)
    clock.move(60)
    await arrive(guarded, sign_arrival(KEY, "diego", SENDER))
    clock.move(60)
    assert await status_after(guarded, token) == "invalid"
    assert await status_after(guarded, sign_arrival(KEY, "ana", SENDER)) == "ok"
    assert asked(ps7) == ["ana", "diego", "ana"]
    await guarded.run(FORGET)
    for again in (token, sign_arrival(KEY, "ana", SENDER)):
        assert await status_after(guarded, again) == "missing"
    assert len(asked(ps7)) == 3


async def test_arrivals_that_no_key_signs_are_said_once_at_start(
    fresh_warnings: None,  # noqa: ARG001 - before
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One warning for all the actions of a process, and none where there are keys."""
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    converse()
    assert "PS7_ARRIVAL_KEYS" not in caplog.text
    monkeypatch.delenv("PS7_ARRIVAL_KEYS")
    converse()
    converse()
    assert caplog.text.count("PS7_ARRIVAL_KEYS is not set") == 1


@pytest.fixture
def fresh_warnings() -> Iterator[None]:
    """Let this process warn of unsigned arrivals as if it had just started."""
    runtime._warn_of_open_arrival.cache_clear()
    yield
    runtime._warn_of_open_arrival.cache_clear()


# -- how many -------------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", [False, True])
async def test_a_session_asks_about_so_many_context_ids_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
    ps7: Simulator,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    *,
    signed: bool,
) -> None:
    """Whoever tries one after another is stopped, also after a while, or with the seal wiped.

    What is refused or not usable counts for nothing; those of before may come again, and a
    customer who comes back in another session is served.
    """
    monkeypatch.setenv("PS7_MAX_CONTEXTS", "3")
    if signed:
        monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    bot = converse(now=now)

    def brings(name: str) -> str:
        return sign_arrival(KEY, name, SENDER) if signed else name

    for refused in ("not usable", "nor this", "nor that", "nor those"):
        assert await status_after(bot, refused) == "invalid"
    for name in ("ana", "bruno", "diego"):
        assert await status_after(bot, brings(name)) == "ok"
    caplog.clear()
    with caplog.at_level(logging.INFO):
        for value in (brings("carla"), None):
            assert await status_after(bot, value) == "rejected"
    assert caplog.text.count("outcome=rejected reason=too_many_context_ids") == 1
    assert caplog.text.count("this session has asked about too many others") == 1
    clock.move(3600)
    assert await status_after(bot) == "rejected"
    await bot.set_slot("ps7_context", None)
    assert await status_after(bot, brings("carla")) == "rejected"
    assert await status_after(bot, brings("ana")) == "ok"
    bot.expire_session()
    assert await status_after(bot, brings("carla")) == "ok"
    assert asked(ps7) == ["ana", "bruno", "diego", "ana", "carla"]
