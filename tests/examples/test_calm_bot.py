"""The CALM example: its files fit together, and its flows tell a balance to its owner alone.

The bot's own tests (examples/calm-bot/tests) run its actions. Here its flows decide which ones.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import product
from types import ModuleType
from typing import Any

import pytest

import actions.ps7
from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.cli.command import main
from actions.ps7.testing import PERSONAS, BackgroundSimulator, CustomerConversation, pytest_plugin
from actions.ps7.testing.rasa_in_memory import load_domain
from tests.examples.calm_flows import BOT, FLOWS, read, steps_of, terms, walk
from tests.support.dialogue import LOOK_UP
from tests.support.processes import ROOT

DOMAIN = load_domain([BOT / "domain"])
ACTIONS = [next(iter(each)) if isinstance(each, dict) else each for each in DOMAIN["actions"]]
END_TO_END = {file.name: read(file) for file in sorted(BOT.glob("e2e_tests/*.yml"))}
BALANCE = "action_answer_balance"
CLAIM = {"ps7_status": "ok", "identification": "authenticated", "token_status": "valid"}
SENSITIVE = {
    BALANCE: CLAIM,
    "action_answer_registration": {"ps7_status": "ok", "identification": "authenticated"},
}
"""The actions that tell a customer's data, and what must hold wherever a flow runs one."""


def test_the_doctor_finds_nothing() -> None:
    """Not even a warning; and an assistant beside the flows sees the plugin's slots as well."""
    assert main(["doctor", "--bot", str(BOT), "--only-bot", "--strict"]) == 0
    assert [
        name for name, slot in DOMAIN["slots"].items() if not slot["shared_for_coexistence"]
    ] == []


def test_the_answers_of_the_plugin_are_those_of_its_own_domain() -> None:
    """They stand in two files, since Rasa Pro's slots are not Rasa Open Source's."""
    original = read(ROOT / "domain.yml")["responses"]
    assert read(BOT / "domain" / "ps7.yml")["responses"] == original


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_names_what_is_there(flow: str) -> None:
    """Actions, answers and flows; it compares slots with values that they can have."""
    for step in steps_of(flow):
        assert step.get("action") in {None, *ACTIONS, *DOMAIN["responses"]}
        assert step.get("link") in {None, *FLOWS}
        for branch in step["next"] if isinstance(step.get("next"), list) else ():
            for term in terms(branch.get("if", "slots.ps7_status")):
                values = DOMAIN["slots"][term["slot"]].get("values", [])
                assert term["value"] in {None, *values}


def customers() -> Iterator[Mapping[str, Any]]:
    """Yield every combination of what can stand in the slots of the plugin."""
    names = ("ps7_status", "identification", "token_status", "security_device", "segment")
    values = [[None, *DOMAIN["slots"][name].get("values", ["any text"])] for name in names]
    empty = dict.fromkeys(DOMAIN["slots"])
    for row in product(*values):
        yield {**empty, **dict(zip(names, row, strict=True))}


@pytest.mark.parametrize("flow", FLOWS)
def test_whatever_the_slots_hold_a_flow_answers_and_opens_no_account(flow: str) -> None:
    """A sensitive action runs where all that it needs holds; a failure is said by its own name."""
    for slots in customers():
        run = [*walk(flow, lambda slots=slots: slots)]  # type: ignore[misc]
        assert {*run} & {*DOMAIN["responses"], *SENSITIVE}, slots
        for action in SENSITIVE.keys() & run:
            assert SENSITIVE[action].items() <= slots.items()
        statuses = DOMAIN["slots"]["ps7_status"]["values"]
        said = {name.removeprefix("utter_ps7_") for name in run} & {*statuses}
        if flow == "explain_ps7_status" and slots["ps7_status"] != "ok":
            assert said == {slots["ps7_status"] or "unavailable"}


def test_the_end_to_end_tests_name_what_is_there() -> None:
    """Stubs and assertions; and each outcome ends a test case. Rasa Pro alone runs them."""
    ends = set()
    for content in END_TO_END.values():
        cases = {case["test_case"]: case for case in content["test_cases"]}
        for name, stub in content["stub_custom_actions"].items():
            case, _, action = name.rpartition("::")
            assert action in ACTIONS
            assert case in {"", *cases}
            events = [event for event in stub["events"] if event["event"] == "slot"]
            changes = {event["name"]: event["value"] for event in events}
            for slot, value in changes.items():
                assert value in {None, *DOMAIN["slots"][slot].get("values", [value])}
            ends.add(changes.get("ps7_status"))
        for assertion in (
            each for case in cases.values() for step in case["steps"] for each in step["assertions"]
        ):
            assert assertion.get("flow_started", "greet") in FLOWS
            assert assertion.get("action_executed", LOOK_UP) in {*ACTIONS, *DOMAIN["responses"]}
            answer = assertion.get("bot_uttered", {}).get("utter_name", "utter_greet")
            assert answer in DOMAIN["responses"]
    assert {*DOMAIN["slots"]["ps7_status"]["values"]} <= ends


# In conversation: the flows are walked, and the actions run on PS7's simulator.

ps7_settings = pytest.fixture(pytest_plugin.ps7_settings)
ps7 = pytest.fixture(pytest_plugin.ps7)
conversation = pytest.fixture(pytest_plugin.conversation)
bot = pytest.fixture(pytest_plugin.bot)


async def taken(*_: object) -> bool:
    """Let the agents' desk take a conversation."""
    return True


@pytest.fixture(scope="module")
def ps7_bot() -> dict[str, Any]:
    """Load the bot's own modules on the plugin under test, instead of on the link beside them."""
    package = ModuleType("calm_bot")
    package.__path__ = [str(BOT / "actions")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "calm_bot", package)
        patch.setitem(sys.modules, "calm_bot.ps7", actions.ps7)
        names = ("balance", "desk", "hand_over", "registration", "session")
        modules = [import_module(f"calm_bot.{name}") for name in names]
        balance, desk, hand_over, registration, session = modules
        for name in names:
            patch.delitem(sys.modules, f"calm_bot.{name}")
        vars(desk)["hand_over"] = taken
    own = [balance.ActionAnswerBalance, registration.ActionAnswerRegistration]
    own.append(hand_over.ActionHandOver)
    plugin = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget, session.ActionSessionStart]
    return {"domain": BOT / "domain", "actions": [*plugin, *own]}


def answers(*names: str) -> list[str]:
    """Return the words of answers."""
    return [str(DOMAIN["responses"][name][0]["text"]) for name in names]


SIGN_IN, TAMPERED = answers("utter_ask_sign_in"), answers("utter_ps7_tampered", "utter_handover")
ANAS_BALANCE = ["O saldo da conta de final 3456 é de R$ 15.230,75."]


async def play(
    bot: CustomerConversation, flow: str, claims: Mapping[str, str] | None = None
) -> list[str]:
    """Run what a flow says; `claims` stand in the slots whenever the flow reads them."""
    said: list[str] = []
    for action in walk(flow, lambda: {**bot.slots, **(claims or {})}):
        said += (await bot.run(action)).texts
    return said


@pytest.mark.parametrize(
    ("flow", "who", "said"),
    [
        ("check_balance", "exemplo", SIGN_IN),
        ("check_balance", "ana", ANAS_BALANCE),
        ("check_balance", "bruno", SIGN_IN),
        ("check_balance", "fabio", answers("utter_balance_unknown")),
        ("check_balance", "gisele", answers("utter_no_device")),
        ("check_balance", "iara", ["O saldo da conta de final 3040 é de -R$ 12,30."]),
        ("check_balance", "with blanks", answers("utter_ps7_invalid")),
        ("check_balance", "http-400", answers("utter_ps7_invalid")),
        ("check_balance", "not-found", answers("utter_ps7_rejected")),
        ("check_balance", "http-401", answers("utter_ps7_denied", "utter_handover")),
        ("show_registration", "http-503", answers("utter_ps7_unavailable")),
        ("show_registration", "ana", ["Você está conectado com o CPF ***.982.247-**."]),
        ("show_registration", "bruno", SIGN_IN),
        ("greet", "ana", ["Olá! Este é o atendimento Personnalité do banco. Como posso ajudar?"]),
        ("greet", "http-503", answers("utter_greet")),
        ("token_help", "ana", answers("utter_ps7_ask_token")),
        ("token_help", "diego", answers("utter_token_help_csi")),
        ("token_help", "carla", answers("utter_no_device")),
        ("token_help", "joao", answers("utter_token_help")),
        ("talk_to_person", "ana", answers("utter_handover")),
    ],
)
async def test_a_flow_answers(
    bot: CustomerConversation, flow: str, who: str, said: list[str]
) -> None:
    """Each customer what is theirs, and each failure in the words of its outcome."""
    await bot.arrives(who)
    assert await play(bot, flow) == said


@pytest.mark.parametrize(
    ("status", "handed_over", "run"),
    [
        ("ok", True, ["action_hand_over", "action_ps7_forget", "utter_handover"]),
        ("missing", True, ["action_hand_over", "utter_handover"]),
        ("ok", False, ["action_hand_over", "utter_desk_away"]),
    ],
)
def test_the_context_is_handed_over_before_it_is_forgotten(
    status: str, run: list[str], *, handed_over: bool
) -> None:
    """Nothing is forgotten if nobody is known, or if the desk is away."""
    slots = {**dict.fromkeys(DOMAIN["slots"]), "ps7_status": status, "handed_over": handed_over}
    assert [action for action in walk("talk_to_person", lambda: slots) if action in run] == run
    assert ("action_ps7_forget" in walk("talk_to_person", lambda: slots)) is (len(run) == 3)


async def test_nothing_is_known_without_a_context_id_or_after_its_time(
    bot: CustomerConversation, ps7: BackgroundSimulator
) -> None:
    """Missing, expired between lookup and flow, and logged out although the channel repeats it."""
    await bot.user("oi")
    assert await play(bot, "check_balance") == answers("utter_ps7_missing")
    await bot.arrives("iara")
    bot.later(seconds=3)  # she is known for two
    assert await play(bot, "check_balance") == answers("utter_ps7_expired")
    await bot.arrives("diego")
    assert await play(bot, "log_out") == answers("utter_goodbye")
    await bot.arrives("diego")
    assert await play(bot, "check_balance") == answers("utter_ps7_missing")
    assert ps7.asked == ["iara", "diego"]


async def test_no_slot_holds_more_than_a_prompt_may(bot: CustomerConversation) -> None:
    """What the bot knows of the customer is in the seal, and what is shown is masked."""
    await bot.arrives("ana")
    assert await play(bot, "check_balance") == ANAS_BALANCE
    for secret in ("cpf", "account", "phone_number"):
        assert str(PERSONAS["ana"].slots[secret]) not in str(bot.slots)


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (None, TAMPERED),
        ("bruno", SIGN_IN),
        ("gisele", answers("utter_no_device")),
        ("http-503", answers("utter_ps7_unavailable")),
    ],
)
async def test_claimed_slots_open_no_account(
    bot: CustomerConversation, who: str | None, said: list[str]
) -> None:
    """A user types `/SetSlots(…)`: the flow verifies first, and tells no balance."""
    await bot.user("oi", metadata={"contextId": who} if who else {})
    for name, value in CLAIM.items():
        await bot.set_slot(name, value)
    assert await play(bot, "check_balance") == said


@pytest.mark.parametrize(
    ("who", "said"),
    [("bruno", SIGN_IN), ("heitor", SIGN_IN), ("gisele", answers("utter_ps7_ask_token"))],
)
async def test_a_claim_between_verifying_and_acting_opens_no_account(
    bot: CustomerConversation, who: str, said: list[str]
) -> None:
    """The flow is led to the action, and the action reads the seal."""
    await bot.arrives(who)
    assert await play(bot, "check_balance", CLAIM) == said
