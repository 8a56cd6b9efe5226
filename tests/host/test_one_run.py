"""One run of each action, in rasa_sdk's executor, against the simulator: the slots that it sets.

The tables of `Turn` have their own tests; here stands what a decision means for the slots, the
requests and the log.
"""

from __future__ import annotations

import json
import logging
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import (
    ActionPS7Context,
    ActionPS7Forget,
    ActionPS7Verify,
    Outcome,
    verified_context,
)
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS, Conversation, Persona
from tests.support.clock import Clock
from tests.support.dialogue import FORGET, LOOK_UP, SLOTS, VERIFY

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator

# The simulator lives in the session's event loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

ANA, BRUNO = PERSONAS["ana"], PERSONAS["bruno"]
CUSTOMER_SLOTS = [slot for slot in SLOTS if slot not in ("ps7_status", "ps7_context")]
OWN_SLOTS = ("balance", "note")
EVERY_TURN = {"type": "custom", "action": LOOK_UP}
DOMAIN: dict[str, Any] = {
    "actions": [LOOK_UP, VERIFY, FORGET],
    "slots": {
        name: {
            "type": "any",
            "mappings": [EVERY_TURN if name == "ps7_status" else {"type": "custom"}],
        }
        for name in (*SLOTS, "u_ion", *OWN_SLOTS)
    },
}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the clock."""
    return Clock(monkeypatch)


@pytest.fixture
def environment(ps7: Simulator, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Point the plugin at the simulator."""
    for name, value in ps7.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode()]))
    return monkeypatch


def converse(domain: dict[str, Any] | None = None, sender_id: str = "sender-1") -> Conversation:
    actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
    return Conversation(domain or deepcopy(DOMAIN), actions, sender_id=sender_id)


@pytest.fixture
def bot(environment: pytest.MonkeyPatch, clock: Clock) -> Conversation:  # noqa: ARG001
    """Give a conversation in which `action_ps7_context` runs on every turn."""
    return converse()


@pytest.fixture
def plain_bot(bot: Conversation) -> Conversation:
    """Give a conversation in which no action runs by itself."""
    bot.domain["slots"]["ps7_status"]["mappings"] = [{"type": "custom"}]
    return bot


async def come_back_without_context_id(bot: Conversation) -> None:
    """Open a new session that carries the slots over and whose channel says nothing."""
    bot.expire_session()
    await bot.user("oi de novo")
    await bot.set_slot("session_started_metadata", None)


async def set_slots(bot: Conversation, **values: object) -> None:
    for name, value in values.items():
        await bot.set_slot(name, value)


async def arrive(bot: Conversation, context_id: object = None, **beside: object) -> list[Any]:
    """Say something, with a contextId if there is one; give the slots that the turn set."""
    metadata = {} if context_id is None else {"contextId": context_id, **beside}
    return changed((await bot.user("oi", metadata=metadata)).events)


def changed(events: list[dict[str, Any]]) -> list[Any]:
    return sorted(
        event["name"]
        for event in events
        if event["event"] == "slot" and event["name"] != "session_started_metadata"
    )


def shown(bot: Conversation) -> dict[str, Any]:
    """What the slots of ours show, the seal left out."""
    slots = bot.slots
    return {name: slots[name] for name in ("ps7_status", *CUSTOMER_SLOTS)}


def nobody(status: str) -> dict[str, Any]:
    return {"ps7_status": status, **dict.fromkeys(CUSTOMER_SLOTS)}


def showing(bot: Conversation, persona: Persona) -> bool:
    """Tell whether every slot shows this persona."""
    slots = bot.slots
    fits = all(slots[name] == value for name, value in persona.slots.items())
    return fits and slots["ps7_payload"] == persona.payload and slots["ps7_expires_at"] is not None


# -- looking up -----------------------------------------------------------------------------------


@pytest.mark.parametrize("persona", PERSONAS.values(), ids=PERSONAS)
async def test_each_persona_fills_the_slots(
    environment: pytest.MonkeyPatch, persona: Persona
) -> None:
    """Every slot of the table, as the persona says it must be."""
    del environment
    bot = converse()
    await arrive(bot, persona.context_id)
    assert showing(bot, persona)


async def test_a_turn_with_nothing_new_sets_nothing_and_asks_nobody(
    bot: Conversation, ps7: Simulator
) -> None:
    """The contextId came on the first turn; the second one finds it held."""
    await arrive(bot, "ana")
    assert await arrive(bot) == []
    assert await arrive(bot, "ana") == []
    assert len(ps7.requests) == 1


async def test_only_the_slots_that_change_are_set(bot: Conversation) -> None:
    """Every SlotSet is an event: one that changes nothing is one too many."""
    set_by_ana = await arrive(bot, "ana")
    assert set_by_ana == sorted(
        [name for name, value in bot.slots.items() if value is not None and name in SLOTS]
    )


async def test_another_customer_leaves_no_value_of_the_first(
    bot: Conversation, ps7: Simulator
) -> None:
    """Also where the second has no value of their own."""
    await arrive(bot, "123123213")
    await arrive(bot, "carla")
    assert showing(bot, PERSONAS["carla"])
    assert len(ps7.requests) == 2


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("not-found", "rejected"),
        ("no-payload", "rejected"),
        ("http-500", "rejected"),
        ("http-400", "invalid"),
        ("http-401", "denied"),
        ("http-403", "denied"),
        ("http-404", "unavailable"),
        ("http-503", "unavailable"),
        ("unreadable", "unavailable"),
        ("too-large", "unavailable"),
    ],
)
async def test_a_failure_leaves_every_slot_null(bot: Conversation, fault: str, status: str) -> None:
    """Whatever a customer before had left there."""
    await arrive(bot, "ana")
    await arrive(bot, fault)
    assert shown(bot) == nobody(status)
    assert bot.slots["u_ion"] is None


async def test_an_unusable_context_id_is_invalid_without_a_call(
    bot: Conversation, ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """With one line in the log; the same again is not even that."""
    with caplog.at_level(logging.INFO):
        await arrive(bot, ["C1"])
        assert await arrive(bot, ["C1"]) == []
    assert shown(bot) == nobody("invalid")
    assert ps7.requests == []
    lines = [line for line in caplog.messages if "outcome=invalid" in line]
    assert len(lines) == 1
    assert "reason=unusable_context_id status=- attempts=0" in lines[0]


async def test_a_rejected_context_is_asked_for_again_after_30_s(
    bot: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """Not before, so that a wrong contextId costs no call on each turn."""
    await arrive(bot, "not-found")
    clock.move(29)
    assert await arrive(bot) == []
    assert len(ps7.requests) == 1
    clock.move(1)
    assert await arrive(bot) == ["ps7_context"]
    assert len(ps7.requests) == 2


@pytest.mark.parametrize("fault", ["http-401", "http-503"])
async def test_a_passing_failure_is_asked_again_on_the_next_turn(
    bot: Conversation, ps7: Simulator, fault: str
) -> None:
    """What is wrong is not the contextId: the next answer may be another."""
    context_id = f"passing-{fault}"
    ps7.answer(context_id, status=int(fault.removeprefix("http-")))
    await arrive(bot, context_id)
    assert bot.slots["ps7_status"] != "ok"
    ps7.answer(context_id, body=ANA.answer)
    await arrive(bot)
    assert bot.slots["cpf"] == ANA.slots["cpf"]


async def test_an_answer_of_400_is_final_for_its_context_id(
    bot: Conversation, ps7: Simulator
) -> None:
    """The same contextId cannot become valid."""
    await arrive(bot, "http-400")
    assert await arrive(bot) == []
    assert len(ps7.requests) == 1


# -- time -----------------------------------------------------------------------------------------


async def test_a_context_that_is_too_old_is_looked_up_again(
    bot: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """Where its contextId is still at hand."""
    await arrive(bot, "iara")
    clock.move(1.9)
    await arrive(bot)
    assert len(ps7.requests) == 1
    clock.move(0.1)
    assert await arrive(bot) == ["ps7_context", "ps7_expires_at"]
    assert len(ps7.requests) == 2


async def test_a_context_that_is_too_old_expires_without_its_context_id(
    plain_bot: Conversation, clock: Clock
) -> None:
    """It is `expired` for the rest of the turn, and `missing` from the next message on."""
    await arrive(plain_bot, "iara")
    await plain_bot.run(LOOK_UP)
    await set_slots(plain_bot, balance=10)
    await come_back_without_context_id(plain_bot)
    clock.move(2)
    await plain_bot.run(LOOK_UP)
    assert shown(plain_bot) == nobody("expired")
    assert plain_bot.slots["balance"] == 10
    assert (await plain_bot.run(LOOK_UP)).events == []
    await arrive(plain_bot)
    assert changed((await plain_bot.run(LOOK_UP)).events) == ["ps7_status"]
    assert shown(plain_bot) == nobody("missing")


async def test_a_context_that_is_good_needs_no_context_id(plain_bot: Conversation) -> None:
    """The seal alone keeps the customer through a session that carries its slots over."""
    await arrive(plain_bot, "ana")
    await plain_bot.run(LOOK_UP)
    await come_back_without_context_id(plain_bot)
    assert (await plain_bot.run(LOOK_UP)).events == []
    assert showing(plain_bot, ANA)


async def test_a_failure_is_missing_where_its_context_id_is_gone(plain_bot: Conversation) -> None:
    """What failed about a contextId says nothing about a user without one."""
    await arrive(plain_bot, "http-503")
    await plain_bot.run(LOOK_UP)
    await come_back_without_context_id(plain_bot)
    await plain_bot.run(LOOK_UP)
    assert plain_bot.slots["ps7_status"] == "missing"


async def test_max_age_limits_what_ps7_allows(
    environment: pytest.MonkeyPatch, ps7: Simulator, clock: Clock
) -> None:
    """`expireIn` says an hour, `PS7_MAX_AGE` a minute."""
    environment.setenv("PS7_MAX_AGE", "60")
    bot = converse()
    await arrive(bot, "ana")
    assert bot.slots["ps7_expires_at"] == "2026-11-24T12:01:00+00:00"
    clock.move(60)
    await arrive(bot)
    assert len(ps7.requests) == 2


# -- one customer after another, over sessions -----------------------------------------------------


async def two_customers_and_a_new_session(bot: Conversation, second: str) -> None:
    """Let a session that Ana opened go on with somebody else, and end.

    Rasa keeps Ana's contextId in `session_started_metadata`, and carries it into the next session.
    """
    await arrive(bot, "ana")
    await arrive(bot, second)
    bot.expire_session()


async def test_a_new_session_does_not_go_back_to_an_earlier_customer(
    bot: Conversation, ps7: Simulator
) -> None:
    """The one who was here last stays, as the bot asked for by carrying its slots over."""
    await two_customers_and_a_new_session(bot, "bruno")
    assert await arrive(bot) == []
    assert showing(bot, BRUNO)
    assert len(ps7.requests) == 2


async def test_nor_after_the_last_one_expired(
    bot: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """What is cleared leaves a trace of those before, and no customer in it."""
    await two_customers_and_a_new_session(bot, "iara")
    clock.move(2)
    await arrive(bot)
    assert shown(bot) == nobody("expired")
    assert await arrive(bot) == ["ps7_status"]
    assert shown(bot) == nobody("missing")
    assert verified_context(bot.tracker) is None
    assert len(ps7.requests) == 2
    await arrive(bot, "iara")
    assert showing(bot, PERSONAS["iara"])


async def test_nor_after_a_failure(bot: Conversation, ps7: Simulator) -> None:
    """Somebody came whom PS7 did not know: nobody else is there instead."""
    await two_customers_and_a_new_session(bot, "not-found")
    await arrive(bot)
    assert shown(bot) == nobody("missing")
    assert len(ps7.requests) == 2


async def test_nor_after_the_customer_left(bot: Conversation, ps7: Simulator) -> None:
    """Forgetting the second one does not bring the first one back."""
    await two_customers_and_a_new_session(bot, "bruno")
    await bot.run(FORGET)
    await arrive(bot)
    assert shown(bot) == nobody("missing")
    assert len(ps7.requests) == 2


async def test_an_earlier_customer_who_comes_back_is_looked_up(bot: Conversation) -> None:
    """Their contextId in a message counts, whoever was here in between."""
    await two_customers_and_a_new_session(bot, "bruno")
    await arrive(bot, "ana")
    assert showing(bot, ANA)
    await arrive(bot, "bruno")
    assert showing(bot, BRUNO)


async def test_a_context_id_that_nobody_asked_about_is_not_of_the_next_session(
    plain_bot: Conversation, ps7: Simulator
) -> None:
    """Rasa carries what opened a session into the next one, long after its customer left."""
    await arrive(plain_bot, "ana")
    plain_bot.expire_session()
    await arrive(plain_bot)
    await plain_bot.run(LOOK_UP)
    assert plain_bot.slots["session_started_metadata"] == {"contextId": "ana"}
    assert shown(plain_bot) == nobody("missing")
    assert ps7.requests == []


async def test_what_opened_the_session_counts_as_a_message_of_it(
    plain_bot: Conversation, ps7: Simulator
) -> None:
    """A bot that runs the action late in a session finds the contextId that opened it."""
    await arrive(plain_bot, "ana")
    await arrive(plain_bot)
    await plain_bot.run(LOOK_UP)
    assert showing(plain_bot, ANA)
    assert len(ps7.requests) == 1


# -- what else may have touched the slots ---------------------------------------------------------


async def test_overwritten_slots_are_restored_with_a_warning(
    bot: Conversation, ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The warning names the slots and no value, neither the old nor the new one."""
    await arrive(bot, "ana")
    caplog.clear()
    await set_slots(bot, cpf="11144477735", token_status=None, ps7_status="missing")
    assert await arrive(bot) == ["cpf", "ps7_status", "token_status"]
    assert showing(bot, ANA)
    assert caplog.messages == ["Slots restored from the seal: cpf, token_status"]
    assert len(ps7.requests) == 1


async def test_a_rewound_turn_is_put_right_on_the_next(bot: Conversation, ps7: Simulator) -> None:
    """A fallback brings the first customer's slots back; the second is the one who is there."""
    await arrive(bot, "ana")
    await arrive(bot, "not-found")
    await bot.rewind()
    assert bot.slots["cpf"] == ANA.slots["cpf"]
    await arrive(bot)
    assert shown(bot) == nobody("rejected")
    assert [request.json["contextId"] for request in ps7.requests if request.json] == [
        "ana",
        "not-found",
        "not-found",
    ]


@pytest.mark.parametrize(
    "claim",
    [
        {"ps7_status": "ok"},
        {"ps7_status": "ok", "cpf": "11144477735", "token_status": "valid"},
        {"ps7_context": "gAAAAABnot-a-seal"},
        {"ps7_context": {"cpf": "11144477735"}, "cpf": "11144477735"},
        {"ps7_context": ""},
    ],
)
async def test_a_claim_without_a_seal_is_tampered(
    bot: Conversation, claim: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Everything is cleared, and security hears of it; the turn after is an anonymous one."""
    await arrive(bot)
    await set_slots(bot, **claim)
    await arrive(bot)
    assert shown(bot) == nobody("tampered")
    assert bot.slots["ps7_context"] is None
    assert "The slots claimed a customer with no seal of ours behind them: cleared" in caplog.text
    assert "11144477735" not in caplog.text
    await arrive(bot)
    assert shown(bot) == nobody("missing")


async def test_a_seal_of_another_conversation_is_tampered(
    bot: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    """Copied from the tracker of a customer into that of an attacker."""
    await arrive(bot, "ana")
    attacker = converse(sender_id="sender-2")
    await arrive(attacker)
    await set_slots(attacker, ps7_context=bot.slots["ps7_context"], ps7_status="ok")
    await arrive(attacker)
    assert shown(attacker) == nobody("tampered")
    assert "A seal was refused" in caplog.text


async def test_an_anonymous_users_slots_are_the_bots_own(bot: Conversation) -> None:
    """A form that asks for the CPF keeps working while nothing of ours is held."""
    assert await arrive(bot) == ["ps7_status"]
    await set_slots(bot, cpf="11144477735", segment="typed")
    assert await arrive(bot) == []
    assert (bot.slots["cpf"], bot.slots["segment"]) == ("11144477735", "typed")


async def test_a_failed_lookup_leaves_later_slots_to_the_bot(bot: Conversation) -> None:
    """After `rejected` the user is anonymous, and a form may ask what PS7 did not know."""
    await arrive(bot, "not-found")
    await set_slots(bot, cpf="11144477735")
    assert await arrive(bot) == []
    assert bot.slots["cpf"] == "11144477735"


# -- the bot's own slots --------------------------------------------------------------------------


async def test_the_bots_own_slots_go_with_the_customer(
    environment: pytest.MonkeyPatch, ps7: Simulator
) -> None:
    """`PS7_CLEAR_SLOTS` are nulled where another customer replaces this one, not before."""
    del ps7
    environment.setenv("PS7_CLEAR_SLOTS", '["balance", "undeclared"]')
    bot = converse()
    await set_slots(bot, balance=1, note="n")
    await arrive(bot, "ana")
    assert bot.slots["balance"] == 1
    await set_slots(bot, balance=10)
    await arrive(bot)
    assert bot.slots["balance"] == 10
    await arrive(bot, "bruno")
    assert (bot.slots["balance"], bot.slots["note"]) == (None, "n")
    assert showing(bot, BRUNO)


async def test_clearing_takes_the_bots_own_slots_along(environment: pytest.MonkeyPatch) -> None:
    """Whatever the reason: here, a claim without a seal."""
    environment.setenv("PS7_CLEAR_SLOTS", '["balance"]')
    bot = converse()
    await set_slots(bot, balance=10, ps7_status="ok")
    await arrive(bot)
    assert bot.slots["balance"] is None


async def test_a_seal_that_cannot_be_opened_may_have_been_another_customers(
    environment: pytest.MonkeyPatch,
) -> None:
    """After a change of keys nobody can tell, so the bot's own slots go."""
    environment.setenv("PS7_CLEAR_SLOTS", '["balance"]')
    bot = converse()
    await set_slots(bot, balance=10, ps7_context="sealed by a key that is gone")
    await arrive(bot, "ana")
    assert bot.slots["balance"] is None
    assert showing(bot, ANA)


async def test_renamed_slots_and_the_defaults_they_leave(environment: pytest.MonkeyPatch) -> None:
    """The bot's name is written, the default name is the bot's own and not touched."""
    environment.setenv(
        "PS7_SLOT_NAMES", '{"agency": "note", "ps7_status": "balance", "ps7_context": "u_ion"}'
    )
    bot = converse()
    await set_slots(bot, agency="mine", ps7_status="mine", ps7_context="mine")
    await arrive(bot, "ana")
    slots = bot.slots
    assert (slots["note"], slots["balance"]) == (ANA.slots["agency"], "ok")
    assert [slots[name] for name in ("agency", "ps7_status", "ps7_context")] == ["mine"] * 3
    assert await arrive(bot) == []


# -- a domain that leaves something out -----------------------------------------------------------


@pytest.mark.usefixtures("clock")
async def test_without_the_slot_of_the_seal_every_run_looks_up(
    environment: pytest.MonkeyPatch, ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """With one warning, and the slots are right all the same."""
    del environment
    domain = deepcopy(DOMAIN)
    del domain["slots"]["ps7_context"]
    bot = converse(domain)
    await arrive(bot, "ana")
    assert await arrive(bot) == []
    assert showing(bot, ANA)
    assert len(ps7.requests) == 2
    warnings = [text for text in caplog.messages if "does not declare the slot" in text]
    assert len(warnings) == 1
    assert "ps7_context: nothing can be kept, and every run looks the customer up" in warnings[0]


async def test_a_slot_that_is_not_declared_is_not_written(
    environment: pytest.MonkeyPatch,
) -> None:
    """The test kit, as Rasa, would complain about one."""
    del environment
    few = {name: DOMAIN["slots"][name] for name in ("ps7_status", "ps7_context", "segment")}
    bot = converse({**DOMAIN, "slots": few})
    assert await arrive(bot, "ana") == ["ps7_context", "ps7_status", "segment"]


# -- verifying ------------------------------------------------------------------------------------


async def test_verify_puts_the_slots_right_and_asks_nobody(
    bot: Conversation, ps7: Simulator
) -> None:
    """Right before a sensitive step, after a form or an entity wrote a slot in the same turn."""
    await arrive(bot, "bruno")
    await set_slots(bot, identification="authenticated", token_status="valid")
    assert changed((await bot.run(VERIFY)).events) == ["identification", "token_status"]
    assert showing(bot, BRUNO)
    assert (await bot.run(VERIFY)).events == []
    assert len(ps7.requests) == 1


async def test_verify_clears_what_is_too_old(bot: Conversation, clock: Clock) -> None:
    """Although the contextId is at hand: asking PS7 is the other action's part."""
    await arrive(bot, "iara")
    clock.move(2)
    await bot.run(VERIFY)
    assert shown(bot) == nobody("expired")


async def test_verify_clears_where_another_context_id_has_come(plain_bot: Conversation) -> None:
    """The customer of the seal is no longer the one who writes."""
    await arrive(plain_bot, "ana")
    await plain_bot.run(LOOK_UP)
    await arrive(plain_bot, "bruno")
    await plain_bot.run(VERIFY)
    assert shown(plain_bot) == nobody("missing")
    assert verified_context(plain_bot.tracker) is None


async def test_verify_clears_a_claim_without_a_seal(plain_bot: Conversation) -> None:
    """Typed into slots by whoever could."""
    await arrive(plain_bot)
    await set_slots(plain_bot, ps7_status="ok", cpf="11144477735", token_status="valid")
    await plain_bot.run(VERIFY)
    assert shown(plain_bot) == nobody("tampered")


async def test_verify_takes_back_a_claim_that_the_seal_denies(
    plain_bot: Conversation, ps7: Simulator
) -> None:
    """The seal says that the lookup failed; it stays, so that nothing is asked or forgotten."""
    await arrive(plain_bot, "not-found")
    await plain_bot.run(LOOK_UP)
    await set_slots(plain_bot, ps7_status="ok", cpf="11144477735")
    seal = plain_bot.slots["ps7_context"]
    await plain_bot.run(VERIFY)
    assert shown(plain_bot) == nobody("rejected")
    assert plain_bot.slots["ps7_context"] == seal
    assert (await plain_bot.run(LOOK_UP)).events == []
    assert len(ps7.requests) == 1


async def test_verify_leaves_an_anonymous_user_alone(plain_bot: Conversation) -> None:
    """Nothing is held and nothing claimed."""
    await arrive(plain_bot, "ana")
    await set_slots(plain_bot, cpf="11144477735")
    assert (await plain_bot.run(VERIFY)).events == []


# -- forgetting -----------------------------------------------------------------------------------


async def test_forget_nulls_everything_and_the_context_id_stays_forgotten(
    bot: Conversation, ps7: Simulator, clock: Clock
) -> None:
    """However often the channel sends it again in this conversation."""
    await arrive(bot, "ana")
    await bot.run(FORGET)
    assert shown(bot) == nobody("missing")
    assert bot.slots["u_ion"] is None
    clock.move(7200)
    assert await arrive(bot) == []
    assert await arrive(bot, "ana") == []
    assert shown(bot) == nobody("missing")
    assert len(ps7.requests) == 1


async def test_another_context_id_after_forgetting_is_looked_up(
    bot: Conversation, ps7: Simulator
) -> None:
    """And the forgotten one stays forgotten also after that."""
    await arrive(bot, "ana")
    await bot.run(FORGET)
    await arrive(bot, "bruno")
    assert showing(bot, BRUNO)
    await arrive(bot, "ana")
    assert shown(bot) == nobody("missing")
    assert await arrive(bot, "ana") == []
    await arrive(bot, "bruno")
    assert showing(bot, BRUNO)
    assert [request.json["contextId"] for request in ps7.requests if request.json] == [
        "ana",
        "bruno",
        "bruno",
    ]


async def test_forgetting_before_anything_was_looked_up(
    plain_bot: Conversation, ps7: Simulator
) -> None:
    """A hand-over on the first turn: the contextId that came with it is forgotten too."""
    await arrive(plain_bot, "ana")
    await plain_bot.run(FORGET)
    await plain_bot.run(LOOK_UP)
    assert shown(plain_bot) == nobody("missing")
    assert ps7.requests == []


async def test_forgetting_an_anonymous_user(bot: Conversation) -> None:
    """There is nothing to remember, and what a form filled goes."""
    await arrive(bot)
    await set_slots(bot, cpf="11144477735")
    await bot.run(FORGET)
    assert shown(bot) == nobody("missing")
    assert bot.slots["ps7_context"] is None


async def test_forgetting_takes_the_bots_own_slots_along(environment: pytest.MonkeyPatch) -> None:
    """A log out leaves nothing of the customer."""
    environment.setenv("PS7_CLEAR_SLOTS", '["balance"]')
    bot = converse()
    await arrive(bot, "ana")
    await set_slots(bot, balance=10)
    await bot.run(FORGET)
    assert bot.slots["balance"] is None


@pytest.mark.parametrize("fault", ["http-404", "http-403"])
async def test_a_failure_that_goes_on_is_asked_about_once_a_turn(
    bot: Conversation, ps7: Simulator, fault: str
) -> None:
    """Each turn seals it anew, so that the second run of a turn asks nobody."""
    assert await arrive(bot, fault) == ["ps7_context", "ps7_status"]
    assert (await bot.run(LOOK_UP)).events == []
    assert await arrive(bot) == ["ps7_context"]
    assert await arrive(bot, fault) == ["ps7_context"]
    assert (await bot.run(LOOK_UP)).events == []
    assert len(ps7.requests) == 3
    await bot.set_slot("account", "0001")
    assert await arrive(bot) == ["account", "ps7_context"]


# -- seals that were left behind ------------------------------------------------------------------


@pytest.mark.parametrize("seal", [None, "junk", 5])
async def test_wiping_the_seal_does_not_undo_a_log_out(
    bot: Conversation, ps7: Simulator, seal: object
) -> None:
    """The seal that forgot the customer still stands in the conversation's events."""
    await arrive(bot, "ana")
    await bot.run(FORGET)
    await bot.set_slot("ps7_context", seal)
    await arrive(bot)
    await arrive(bot, "ana")
    assert shown(bot) == nobody("missing")
    assert len(ps7.requests) == 1


async def put_back(bot: Conversation, slots: dict[str, Any]) -> None:
    await set_slots(bot, **{name: slots[name] for name in SLOTS})


@pytest.mark.parametrize("action", [LOOK_UP, VERIFY])
async def test_putting_everything_back_does_not_undo_a_log_out(
    plain_bot: Conversation, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    """Not even where this very state was found in order before."""
    await arrive(plain_bot, "ana")
    await plain_bot.run(LOOK_UP)
    before = plain_bot.slots
    await plain_bot.run(action)
    await plain_bot.run(FORGET)
    await put_back(plain_bot, before)

    assert verified_context(plain_bot.tracker) is None
    await plain_bot.run(action)
    assert shown(plain_bot) == nobody("missing")
    assert "The status claimed a customer; the seal says missing" in caplog.text
    await plain_bot.run(action)
    assert verified_context(plain_bot.tracker) is None
    assert shown(plain_bot) == nobody("missing")


async def test_a_fallback_does_not_undo_a_log_out(bot: Conversation, ps7: Simulator) -> None:
    """Rasa takes back the slots of the turn, the seal that forgot among them."""
    await arrive(bot, "ana")
    await bot.user("tchau")
    await bot.run(FORGET)
    await bot.rewind()
    await arrive(bot)
    assert shown(bot) == nobody("missing")
    assert len(ps7.requests) == 1


async def test_the_seal_of_an_earlier_customer_does_not_bring_them_back(
    bot: Conversation, clock: Clock
) -> None:
    """With no contextId at hand, the customer who came last is the one that counts."""
    await arrive(bot, "ana")
    before = bot.slots
    clock.move(1)
    await arrive(bot, "bruno")
    await come_back_without_context_id(bot)
    await put_back(bot, before)
    await bot.run(LOOK_UP)
    assert shown(bot) == nobody("tampered")


async def test_breaking_the_seal_does_not_bring_back_who_opened_an_earlier_session(
    bot: Conversation, clock: Clock
) -> None:
    """Rasa still keeps that contextId in a slot; the seals in the events know it is left over."""
    await arrive(bot, "ana")
    clock.move(1)
    await arrive(bot, "bruno")
    bot.expire_session()
    await bot.set_slot("ps7_context", "broken")
    await arrive(bot)
    assert shown(bot) == nobody("tampered")
    await arrive(bot)
    assert shown(bot) == nobody("missing")


async def test_an_older_seal_of_the_same_customer_is_as_good(
    bot: Conversation, clock: Clock
) -> None:
    """PS7 vouched for them, and the time of that has not passed."""
    await arrive(bot, "ana")
    await bot.set_slot("ps7_context", None)
    before = bot.slots | {"ps7_context": None}
    clock.move(1)
    await arrive(bot, "ana")
    newer = bot.slots
    await put_back(bot, before)
    clock.move(1)
    await arrive(bot, "ana")
    await come_back_without_context_id(bot)
    await put_back(bot, newer)
    await bot.run(LOOK_UP)
    assert showing(bot, ANA)


# -- the bot's own actions ------------------------------------------------------------------------


async def test_verified_context_gives_the_customer_of_the_seal(bot: Conversation) -> None:
    """Whatever the slots say."""
    await arrive(bot, "ana")
    await set_slots(bot, cpf="11144477735", identification=None, token_status="invalid")
    customer = verified_context(bot.tracker)
    assert customer is not None
    assert (customer.cpf, customer.account) == (ANA.slots["cpf"], ANA.slots["account"])
    assert customer.authenticated
    assert customer.token_valid


async def test_verified_context_is_none_where_verify_would_clear(
    plain_bot: Conversation, clock: Clock
) -> None:
    """Nothing held, a claim, another contextId, too old, failed, forgotten."""
    bot = plain_bot
    await arrive(bot)
    assert verified_context(bot.tracker) is None
    await set_slots(bot, ps7_status="ok", cpf="11144477735")
    assert verified_context(bot.tracker) is None
    await arrive(bot, "iara")
    await bot.run(LOOK_UP)
    assert verified_context(bot.tracker) is not None
    clock.move(2)
    assert verified_context(bot.tracker) is None
    await bot.run(LOOK_UP)
    await arrive(bot, "ana")
    assert verified_context(bot.tracker) is None
    await bot.run(LOOK_UP)
    await bot.run(FORGET)
    assert verified_context(bot.tracker) is None


async def test_verified_context_reads_the_settings_where_no_action_did(
    bot: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process that registered none of our actions."""
    await arrive(bot, "ana")
    monkeypatch.setattr(runtime, "_runtimes", [])
    assert verified_context(bot.tracker) is not None


# -- ids ------------------------------------------------------------------------------------------


def sent(ps7: Simulator, header: str) -> list[str]:
    return [request.headers[header] for request in ps7.requests]


async def test_one_correlation_id_for_a_conversation_and_a_flow_id_for_each_lookup(
    bot: Conversation, ps7: Simulator
) -> None:
    """The correlation id tells nothing about the sender, and differs between conversations."""
    await arrive(bot, "ana")
    await arrive(bot, "bruno")
    await arrive(converse(sender_id="sender-2"), "ana")
    correlation = sent(ps7, "x-itau-correlationID")
    assert correlation[0] == correlation[1] != correlation[2]
    assert "sender" not in "".join(correlation)
    assert len(set(sent(ps7, "x-itau-flowID"))) == 3


async def test_ids_of_the_channel_are_sent_on(bot: Conversation, ps7: Simulator) -> None:
    """So that one audit trail spans the phone menu, the bot and PS7."""
    await arrive(bot, "ana", correlationId="trail-7", flowId="flow-8")
    assert sent(ps7, "x-itau-correlationID") == ["trail-7"]
    assert sent(ps7, "x-itau-flowID") == ["flow-8"]


async def test_an_id_of_the_channel_that_would_leak_is_not_used(
    bot: Conversation, ps7: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A correlation id is logged: the contextId and the sender id must not be."""
    with caplog.at_level(logging.INFO):
        await arrive(bot, "ana", correlationId="ana")
        await arrive(bot, "bruno", correlationId="sender-1")
    assert not {"ana", "sender-1"} & set(sent(ps7, "x-itau-correlationID"))
    assert "=ana" not in caplog.text
    assert "sender-1" not in caplog.text


async def test_a_run_says_which_row_of_the_table_it_went_by(
    bot: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG, for whoever looks for a fault: the row and the names of slots, and no value."""
    with caplog.at_level(logging.DEBUG, logger="actions.ps7.dialogue.actions"):
        await arrive(bot, "ana")
        await bot.run(VERIFY)
        await bot.run(FORGET)
    lines = [text for _, level, text in caplog.record_tuples if level == logging.DEBUG]
    assert [line.partition(" slots=")[0] for line in lines] == [
        "action_ps7_context: rule=look-up",
        "action_ps7_verify: rule=held",
        "action_ps7_forget: rule=forget",
    ]
    assert lines[1].endswith(" slots=[]")
    assert "'cpf'" in lines[0]
    assert str(PERSONAS["ana"].slots["cpf"]) not in caplog.text


# -- what cannot happen ---------------------------------------------------------------------------


async def test_a_bug_is_an_outcome_too(
    bot: Conversation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing leaves `run`: everything null, `unavailable`, and an error line without values."""
    await arrive(bot, "ana")
    monkeypatch.setattr("actions.ps7.dialogue.turn.Turn.context", broken)
    await bot.run(LOOK_UP)
    assert shown(bot) == nobody(Outcome.UNAVAILABLE.value)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].getMessage().startswith("ZeroDivisionError at test_one_run.py:")
    assert errors[0].exc_info is None


def broken(*_: object) -> None:
    """Fail in a way that nobody foresaw."""
    raise ZeroDivisionError("52998224725")


async def test_a_tracker_of_no_known_shape_is_survived(bot: Conversation) -> None:
    """Nothing declared, nothing set."""
    tracker: Any = bot.tracker
    tracker.slots, tracker.events = None, None
    dispatcher: Any = None
    domain: Any = {}
    assert await ActionPS7Context().run(dispatcher, tracker, domain) == []
    del tracker.latest_message
    assert await ActionPS7Context().run(dispatcher, tracker, domain) == []
