"""The CALM example in conversation: its flows walked, its actions run, its customers and attackers.

What picks a flow is a language model, and not here; a test says which flow starts. From there on
the bot's own files decide, with rasa_sdk's executor and PS7's simulator.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

import actions.ps7
from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.testing import PERSONAS, Conversation
from tests.examples.calm_project import BOT, load, walk
from tests.support.clock import Clock

if TYPE_CHECKING:
    from actions.ps7.testing import Simulator

# The simulator lives in the session's event loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

PROJECT = load()
SENSITIVE = "action_answer_balance"
CLAIM = {"ps7_status": "ok", "identification": "authenticated", "token_status": "valid"}


def answer(name: str) -> str:
    """Give the words of an answer."""
    text: str = PROJECT.domain["responses"][name][0]["text"]
    return text


SIGN_IN = [answer("utter_ask_sign_in")]
ASK_TOKEN = [answer("utter_ps7_ask_token")]
NO_DEVICE = [answer("utter_no_device")]
HANDOVER = answer("utter_handover")
TAMPERED = [answer("utter_ps7_tampered"), HANDOVER]
ANAS_BALANCE = ["O saldo da conta 00123456 é de R$ 15.230,75."]


@pytest.fixture(scope="module")
def own_actions() -> list[Any]:
    """Load the bot's own modules on the plugin under test, instead of on the link beside them."""
    package = ModuleType("calm_bot")
    package.__path__ = [str(BOT / "actions")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "calm_bot", package)
        patch.setitem(sys.modules, "calm_bot.ps7", actions.ps7)
        names = ("balance", "registration", "session")
        balance, registration, session = (import_module(f"calm_bot.{name}") for name in names)
        for name in names:
            patch.delitem(sys.modules, f"calm_bot.{name}")
    return [
        balance.ActionAnswerBalance,
        registration.ActionAnswerRegistration,
        session.ActionSessionStart,
    ]


@pytest.fixture
def bot(ps7: Simulator, own_actions: list[Any]) -> Conversation:
    """Give a conversation with the bot, in which nobody has said anything."""
    del ps7
    return converse(own_actions)


def converse(own_actions: list[Any]) -> Conversation:
    plugin = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
    return Conversation(BOT / "domain", [*plugin, *own_actions])


async def ask(bot: Conversation, flow: str, context_id: str | None = None) -> list[str]:
    """Let the user say something that starts this flow; give what the bot answers."""
    await bot.user("…", metadata={} if context_id is None else {"contextId": context_id})
    return await play(bot, flow)


async def play(bot: Conversation, flow: str) -> list[str]:
    """Run what a flow says, as it says it."""
    said: list[str] = []
    for action in walk(PROJECT.flows, flow, lambda: bot.slots):
        said += (await bot.run(action)).texts
    return said


@pytest.mark.parametrize(
    ("persona", "said"),
    {
        "exemplo": SIGN_IN,
        "ana": ANAS_BALANCE,
        "bruno": SIGN_IN,
        "carla": SIGN_IN,
        "diego": ["O saldo da conta 00900019 é de R$ 1.048.576,00."],
        "elisa": SIGN_IN,
        "fabio": [answer("utter_balance_unknown")],
        "gisele": NO_DEVICE,
        "heitor": SIGN_IN,
        "iara": ["O saldo da conta 10203040 é de -R$ 12,30."],
        "joao": SIGN_IN,
    }.items(),
)
async def test_the_balance_is_for_the_authenticated_whose_token_is_valid(
    bot: Conversation, persona: str, said: list[str]
) -> None:
    """Every customer of the simulator asks; whoever is not both hears what is missing."""
    assert await ask(bot, "check_balance", PERSONAS[persona].context_id) == said


@pytest.mark.parametrize(
    ("context_id", "status"),
    [
        (None, "missing"),
        ("with blanks", "invalid"),
        ("http-400", "invalid"),
        ("not-found", "rejected"),
        ("http-401", "denied"),
        ("http-503", "unavailable"),
    ],
)
async def test_each_failure_is_answered_and_opens_nothing(
    bot: Conversation, context_id: str | None, status: str
) -> None:
    """In the words of that outcome; a person takes over where our own access is refused."""
    said = await ask(bot, "check_balance", context_id)
    assert said == [answer(f"utter_ps7_{status}"), *([HANDOVER] if status == "denied" else [])]
    assert said == await ask(bot, "show_registration", context_id)
    assert bot.slots["ps7_status"] == status


async def test_an_access_that_ran_out_is_said_so(
    bot: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its time is over between the turn's lookup and the flow."""
    clock = Clock(monkeypatch)
    await bot.user("qual é o meu saldo?", metadata={"contextId": "ana"})
    clock.move(3601)
    assert await play(bot, "check_balance") == [answer("utter_ps7_expired")]


async def test_the_first_message_finds_the_customer(bot: Conversation, ps7: Simulator) -> None:
    """The session starts with the lookup, before the message is understood; it asks PS7 once."""
    opened = await bot.user("oi", metadata={"contextId": "ana"})
    before_the_message = [event["event"] for event in bot.events].index("user")
    started = {event.get("name"): event.get("value") for event in bot.events[:before_the_message]}
    assert started["ps7_status"] == "ok"
    assert started["segment"] == "Personnalité"
    assert opened.slots["ps7_status"] == "ok"
    assert len(ps7.requests) == 1


async def test_a_new_session_knows_nobody(bot: Conversation) -> None:
    """Whoever comes back to the device without a contextId starts from nothing."""
    assert await ask(bot, "check_balance", "ana") == ANAS_BALANCE
    bot.expire_session()
    assert await ask(bot, "check_balance") == [answer("utter_ps7_missing")]


@pytest.mark.parametrize(
    ("context_id", "said"),
    [
        ("ana", "Olá! Este é o atendimento Personnalité do banco. Como posso ajudar?"),
        (None, answer("utter_greet")),
        ("http-503", answer("utter_greet")),
    ],
)
async def test_a_greeting_knows_the_segment(
    bot: Conversation, context_id: str | None, said: str
) -> None:
    """And greets everybody else, without an excuse."""
    assert await ask(bot, "greet", context_id) == [said]


@pytest.mark.parametrize(
    ("persona", "said"),
    {
        "ana": "Você está conectado com o CPF ***.982.247-**.",
        "bruno": SIGN_IN[0],
    }.items(),
)
async def test_the_cpf_is_shown_masked_and_to_its_owner(
    bot: Conversation, persona: str, said: str
) -> None:
    """To an authenticated customer alone."""
    assert await ask(bot, "show_registration", persona) == [said]


@pytest.mark.parametrize(
    ("persona", "said"),
    {
        "ana": ASK_TOKEN,
        "diego": [answer("utter_token_help_csi")],
        "carla": NO_DEVICE,
        "joao": [answer("utter_token_help")],
    }.items(),
)
async def test_help_is_about_the_customers_device(
    bot: Conversation, persona: str, said: list[str]
) -> None:
    """Of whatever kind it is."""
    assert await ask(bot, "token_help", persona) == said


async def test_after_logging_out_the_balance_is_closed(bot: Conversation) -> None:
    """And the contextId that the channel still sends does not open it again."""
    assert await ask(bot, "check_balance", "ana") == ANAS_BALANCE
    assert await ask(bot, "log_out", "ana") == [answer("utter_goodbye")]
    assert await ask(bot, "check_balance", "ana") == [answer("utter_ps7_missing")]


async def test_a_person_takes_over(bot: Conversation) -> None:
    """By a flow of the bot, in every version of Rasa; nothing of the customer stays in slots."""
    assert await ask(bot, "talk_to_person", "ana") == [HANDOVER]
    assert (bot.slots["ps7_status"], bot.slots["cpf_masked"]) == ("missing", None)


async def test_no_slot_holds_more_than_a_prompt_may(bot: Conversation) -> None:
    """What the bot knows of the customer is in the seal, and what is shown is masked."""
    await ask(bot, "check_balance", "ana")
    shown = {name: value for name, value in bot.slots.items() if name != "ps7_context"}
    for secret in ("cpf", "account", "phone_number"):
        assert str(PERSONAS["ana"].slots[secret]) not in str(shown)
        assert str(PERSONAS["ana"].slots[secret]) not in bot.slots["ps7_context"]


@pytest.mark.parametrize(
    ("context_id", "said_by_the_action", "said_by_the_flow"),
    [
        (None, SIGN_IN, TAMPERED),
        ("bruno", SIGN_IN, SIGN_IN),
        ("gisele", ASK_TOKEN, NO_DEVICE),
        ("not-found", SIGN_IN, [answer("utter_ps7_rejected")]),
        ("http-503", SIGN_IN, [answer("utter_ps7_unavailable")]),
    ],
)
async def test_claimed_slots_open_no_account(
    bot: Conversation,
    context_id: str | None,
    said_by_the_action: list[str],
    said_by_the_flow: list[str],
) -> None:
    """A user types `/SetSlots(…)`: neither the action alone nor the flow tells a balance."""
    await bot.user("oi", metadata={"contextId": context_id} if context_id else {})
    for name, value in CLAIM.items():
        await bot.set_slot(name, value)
    assert (await bot.run(SENSITIVE)).texts == said_by_the_action
    assert await play(bot, "check_balance") == said_by_the_flow


@pytest.mark.parametrize("context_id", ["bruno", "heitor", "gisele"])
async def test_a_claim_between_verifying_and_acting_opens_no_account(
    bot: Conversation, context_id: str
) -> None:
    """The flow is led to the action, and the action reads the seal."""
    await bot.user("oi", metadata={"contextId": context_id})
    said: list[str] = []
    run: list[str] = []
    for action in walk(PROJECT.flows, "check_balance", lambda: {**bot.slots, **CLAIM}):
        run.append(action)
        said += (await bot.run(action)).texts
    assert run == ["action_ps7_verify", SENSITIVE]
    assert said == (ASK_TOKEN if context_id == "gisele" else SIGN_IN)


async def test_the_seal_of_another_conversation_opens_no_account(
    bot: Conversation, own_actions: list[Any]
) -> None:
    """However it was come by, it holds for the conversation that it was made for."""
    assert await ask(bot, "check_balance", "ana") == ANAS_BALANCE
    other = converse(own_actions)
    await other.user("oi")
    for name in (*CLAIM, "ps7_context", "cpf_masked"):
        await other.set_slot(name, bot.slots[name])
    assert (await other.run(SENSITIVE)).texts == SIGN_IN
    assert await play(other, "check_balance") == TAMPERED


async def test_the_customer_before_opens_no_account(bot: Conversation) -> None:
    """Ana's seal is put back after Bruno has come: that is no seal of his."""
    await bot.user("oi", metadata={"contextId": "ana"})
    seal = bot.slots["ps7_context"]
    await bot.user("oi", metadata={"contextId": "bruno"})
    for name, value in {**CLAIM, "ps7_context": seal}.items():
        await bot.set_slot(name, value)
    assert (await bot.run(SENSITIVE)).texts == SIGN_IN
    assert await play(bot, "check_balance") == [
        answer("utter_ps7_tampered"),
        answer("utter_handover"),
    ]
