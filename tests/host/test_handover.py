"""`handover`: what goes on to the person who takes over, and what never does."""

from __future__ import annotations

import json

import pytest

from actions.ps7 import Outcome, handover, runtime
from actions.ps7.customer import CUSTOMER_SLOTS
from actions.ps7.testing import PERSONAS
from tests.support.bots import TYPED, PluginConversation, converse
from tests.support.clock import Clock
from tests.support.processes import ROOT

# The simulator lives in the session's event loop.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("settings")]

ANA = PERSONAS["ana"].slots
OF_THE_CUSTOMER = {
    "cpf_masked": "***.982.247-**",
    "segment": "Personnalité",
    "ivr_option": "saldo",
    "identification": "authenticated",
    "security_device": "token",
    "token_status": "valid",
}
SCHEMA = json.loads((ROOT / "examples" / "handover.schema.json").read_text(encoding="utf-8"))
SAID = [{"who": "customer", "text": "oi"}]
OF_THE_BOT = {"conversation": "5511987654321", "channel": "whatsapp", "transcript": SAID}
"""What an example bot adds, so that the desk can answer and return the conversation."""
RAW = ("cpf", "agency", "account", "phone_number", "id_document")


@pytest.fixture
def bot(clock: Clock) -> PluginConversation:  # noqa: ARG001 - it stands still
    """Return a conversation with somebody whose sender id is a phone number."""
    return converse(sender_id="5511987654321")


async def test_a_hand_over_has_few_masked_fields(
    bot: PluginConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """These and no other, from the seal: what else wrote into a slot of ours does not count.

    A raw value goes on where the bot names it, and it alone. A process that registered none of our
    actions reads the seal as well.
    """
    await bot.arrives("ana", correlationId="trail-1")
    await bot.set_slots(ps7_status="denied", segment="Private", cpf_masked=TYPED)
    monkeypatch.setattr(runtime, "_runtimes", [])
    said = {"reason": "ask_human", "ps7_status": "ok", "correlation_id": "trail-1"}
    for name in (None, *RAW):
        named = {name: ANA[name]} if name else {}
        told = handover(bot.tracker, reason="ask_human", include=tuple(named))
        assert told == said | OF_THE_CUSTOMER | named


@pytest.mark.parametrize("include", [("segment",), ("cpf", TYPED), "cpf"])
async def test_what_has_no_such_name_is_the_callers_mistake(
    bot: PluginConversation, include: tuple[str, ...]
) -> None:
    """The text has the names, and not what was given: that may be a value."""
    with pytest.raises(ValueError, match=f"^include takes .*: {', '.join(RAW)}$"):
        handover(bot.tracker, include=include)


async def test_the_schema_is_what_is_handed_over(bot: PluginConversation) -> None:
    """Whoever is known, or nobody, with every value that a field can have and no field more."""
    jsonschema = pytest.importorskip("jsonschema", reason="not among the oldest versions")
    takes = jsonschema.Draft202012Validator(SCHEMA)
    takes.check_schema(SCHEMA)
    for who in ("ana", "carla", "not-found"):
        await bot.arrives(who)
        takes.validate({**handover(bot.tracker), **OF_THE_BOT, "channel": None})
        takes.validate(said := handover(bot.tracker, reason="asked", include=RAW) | OF_THE_BOT)
        assert not takes.is_valid({**said, "cpf_masked": ANA["cpf"]})
    fields = SCHEMA["properties"]
    assert (fields.keys(), {*SCHEMA["required"]}) == (said.keys(), said.keys() - {*RAW})
    for name, slot in CUSTOMER_SLOTS.items():
        if slot.values is not None:
            assert fields[name]["enum"] == [*(value.value for value in slot.values), None]
    assert fields["ps7_status"]["enum"] == [outcome.value for outcome in Outcome]
    assert not takes.is_valid({**said, "ps7_context": "sealed"})
    assert not takes.is_valid({**said, "conversation": None}), "nobody could answer"
    for line in ({"who": "agent", "text": "oi"}, {"who": "bot"}, {"who": "bot", "text": "a" * 501}):
        assert not takes.is_valid({**said, "transcript": [line]})
    assert not takes.is_valid({**said, "transcript": SAID * 31})
    for name in (*OF_THE_CUSTOMER, *RAW):
        assert not takes.is_valid({**said, name: ANA[name]}), "nobody is known"


async def test_where_nobody_is_known_the_status_says_why(
    bot: PluginConversation, clock: Clock
) -> None:
    """As a verification would, and it sets nothing. All else of a customer is null."""

    def told() -> str:
        before, said = bot.slots, handover(bot.tracker, include=("account",))
        assert bot.slots == before
        assert {said[name] for name in (*OF_THE_CUSTOMER, "account")} == {None}
        return str(said["ps7_status"])

    assert told() == "missing"
    await bot.arrives("http-403")
    await bot.set_slots(segment="Private", account=TYPED)
    assert told() == "denied"
    await bot.set_slots(ps7_status="ok", ps7_context="forged")
    assert told() == "tampered"
    await bot.arrives("ana")
    clock.move(3601)
    assert told() == "expired"
