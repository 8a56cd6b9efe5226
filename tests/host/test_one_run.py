"""One run of each action, in rasa_sdk's executor, against the simulator: the public contract.

The tables of `Turn` have their own tests, and `tests/model` plays whole conversations; here stands
what a bot builder relies on: the slots that a run sets, the requests that it sends, and the log.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from actions.ps7 import ActionPS7Context, telemetry
from actions.ps7.testing import PERSONAS
from tests.support.bots import TYPED, PluginConversation, converse, no_customer
from tests.support.clock import Clock
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY

# The simulator lives in the session's event loop.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("settings")]

ANA = PERSONAS["ana"]


@pytest.fixture
def bot(clock: Clock) -> PluginConversation:  # noqa: ARG001 - it stands still
    """Return a conversation in which `action_ps7_context` runs on every turn."""
    return converse()


async def test_every_run_is_counted_by_what_the_status_says(
    bot: PluginConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each, also where nothing changes, and in a series that begins at 0, for alerts."""
    counted: list[str] = []
    known = [dict(series) for series in telemetry.turns.known]

    def add(number: int, said: dict[str, str]) -> None:
        assert said in known or said["action"] == FORGET
        counted.append(":".join([str(number), *said.values()]))

    monkeypatch.setattr(telemetry, "turns", SimpleNamespace(add=add))
    await bot.arrives()
    await bot.user("oi", metadata={"customData": {"contextId": "C-1"}})
    for fault in ("two words", "not-found", "http-403", "http-404", "ana"):
        await bot.arrives(fault)
    await bot.arrives()
    await bot.set_slots(ps7_status=TYPED)
    await bot.run(VERIFY)
    await bot.run(FORGET)
    monkeypatch.setattr(ActionPS7Context, "decide", broken)
    await bot.run(LOOK_UP)
    assert [each.replace("action_ps7_", "") for each in counted] == [
        *("1:context:missing:none", "1:context:missing:brought", "1:context:invalid"),
        *(f"1:context:{each}:looked_up" for each in ("rejected", "denied", "unavailable", "ok")),
        *("1:context:ok:held", "1:verify:ok:held", "1:forget:missing", "1:context:unavailable"),
    ]


async def test_at_most_64_sets_of_metadata_keys_are_named(
    bot: PluginConversation, caplog: pytest.LogCaptureFixture
) -> None:
    """A client may make up any number of them."""
    for number in range(65):
        await bot.user("oi", metadata={f"from_{'abcdefgh'[number // 8 % 8]}{number}": 1})
    said = [line for line in caplog.messages if "brought metadata without" in line]
    assert len(said) == len({*said}) == 64


@pytest.mark.parametrize("at", ["decide", "read"])
async def test_a_bug_is_an_outcome_too(
    at: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing leaves `run`: everything null, `unavailable`, and an error line without values.

    So it is too if the tracker cannot even be read.
    """
    monkeypatch.setenv("PS7_CLEAR_SLOTS", '["balance", "undeclared"]')
    bot = converse()
    await bot.arrives("ana")
    await bot.set_slots(balance=0, colour="red")
    if at == "decide":
        monkeypatch.setattr(ActionPS7Context, "decide", broken)
    else:
        monkeypatch.setattr("actions.ps7.actions.State", broken)
    await bot.run(LOOK_UP)
    assert bot.shown == no_customer("unavailable")
    slots = bot.slots
    assert (slots["ps7_context"], slots["balance"], slots["colour"]) == (None, None, "red")
    (error,) = (record for record in caplog.records if record.levelname == "ERROR")
    assert error.getMessage().startswith("ZeroDivisionError at test_one_run.py:")
    assert error.exc_info is None


async def test_what_breaks_before_the_slots_are_known_sets_the_status_alone(
    bot: PluginConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No slot may be trusted beside that status."""
    await bot.arrives("ana")
    monkeypatch.setattr("actions.ps7.conversation.state.Bot.slots_of", broken)
    assert (await bot.run(LOOK_UP)).slots == {"ps7_status": "unavailable"}


def broken(*_: object) -> None:
    """Fail as no one foresaw."""
    raise ZeroDivisionError("52998224725")
