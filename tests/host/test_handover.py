"""`handover`: what goes on to the person who takes over, and what never does."""

from __future__ import annotations

import json

import pytest

from actions.ps7 import Outcome, handover
from actions.ps7.slots import CUSTOMER_SLOTS
from actions.ps7.testing import PERSONAS, Conversation
from tests.support.bots import TYPED, arrive, converse, run, set_slots
from tests.support.clock import Clock
from tests.support.dialogue import FORGET
from tests.support.processes import ROOT

# The simulator lives in the session's event loop.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("settings")]

ANA = PERSONAS["ana"]
OF_THE_CUSTOMER = {
    "cpf_masked": "***.982.247-**",
    "segment": "Personnalité",
    "ivr_option": "saldo",
    "identification": "authenticated",
    "security_device": "token",
    "token_status": "valid",
}
SCHEMA = json.loads((ROOT / "examples" / "handover.schema.json").read_text(encoding="utf-8"))
RAW = ("cpf", "agency", "account", "phone_number", "id_document")


@pytest.fixture
def bot(clock: Clock) -> Conversation:  # noqa: ARG001 - it stands still
    """Return a conversation in which `action_ps7_context` runs on every turn."""
    return converse()


async def test_few_fields_go_on(bot: Conversation) -> None:
    """These and no other, from the seal: what else wrote into a slot of ours does not count."""
    await arrive(bot, "ana", correlationId="trail-1")
    await set_slots(bot, ps7_status="denied", segment="Private", cpf_masked=TYPED)
    assert handover(bot.tracker, reason="ask_human") == {
        "reason": "ask_human",
        "ps7_status": "ok",
        "correlation_id": "trail-1",
        **OF_THE_CUSTOMER,
    }


async def test_a_raw_value_goes_on_where_the_bot_names_it(bot: Conversation) -> None:
    """Each of those that tell who a customer is, and it alone."""
    await arrive(bot, "ana", correlationId="trail-1")
    plain = handover(bot.tracker)
    for name in RAW:
        assert handover(bot.tracker, include=(name,)) == {**plain, name: ANA.slots[name]}


@pytest.mark.parametrize(
    "include",
    [
        *((name,) for name in CUSTOMER_SLOTS if name not in RAW),
        ("ps7_context",),
        ("u_cpf",),
        ("cpf", TYPED),
        "cpf",
    ],
)
async def test_what_has_no_such_name_is_the_callers_mistake(
    bot: Conversation, include: tuple[str, ...]
) -> None:
    """The text has the names, and not what was given: that may be a value."""
    with pytest.raises(ValueError, match=f"^include takes .*: {', '.join(RAW)}$"):
        handover(bot.tracker, include=include)


@pytest.mark.parametrize(
    "who", [*(persona.context_id for persona in PERSONAS.values()), "not-found", "two words"]
)
async def test_what_never_goes_on(settings: dict[str, str], who: str) -> None:
    """Raw values, the seal, the contextId, the sender id, keys; a channel may repeat them."""
    bot = converse(sender_id="5511987654321")
    for given in (who, bot.sender_id):
        await arrive(bot, who, correlationId=given)
        said = handover(bot.tracker)
        slots = bot.slots
        told = {slots[name] for name in (*CUSTOMER_SLOTS, "ps7_context") if name != "ps7_payload"}
        told -= {None, *(slots[name] for name in OF_THE_CUSTOMER)}
        secret = {who, bot.sender_id, *settings.values(), *told}
        assert {*said.values()} & secret == set()
        text = json.dumps(said, ensure_ascii=False)
        assert [value for value in secret if len(value) > 4 and value in text] == []


async def test_the_schema_is_what_is_handed_over(bot: Conversation) -> None:
    """Whoever is known, or nobody, with every value that a field can have and no field more."""
    jsonschema = pytest.importorskip("jsonschema", reason="not among the oldest versions")
    takes = jsonschema.Draft202012Validator(SCHEMA)
    takes.check_schema(SCHEMA)
    for who in (None, *(persona.context_id for persona in PERSONAS.values()), "not-found"):
        await arrive(bot, who)
        takes.validate(handover(bot.tracker))
        takes.validate(said := handover(bot.tracker, reason="asked", include=RAW))
    assert SCHEMA["properties"].keys() == said.keys()
    for name, slot in CUSTOMER_SLOTS.items():
        if slot.values is not None:
            assert SCHEMA["properties"][name]["enum"] == [*(v.value for v in slot.values), None]
    assert SCHEMA["properties"]["ps7_status"]["enum"] == [outcome.value for outcome in Outcome]
    assert not takes.is_valid({**said, "ps7_context": "sealed"})
    assert not takes.is_valid({**said, "segment": "Private"}), "nobody is known"


@pytest.mark.parametrize(
    ("context_id", "status"),
    [
        (None, "missing"),
        ("two words", "invalid"),
        ("not-found", "rejected"),
        ("http-403", "denied"),
        ("http-404", "unavailable"),
    ],
)
async def test_where_nobody_is_known_the_status_says_why(
    bot: Conversation, context_id: str | None, status: str
) -> None:
    """All else of a customer is null, also what a bot asks for by name."""
    await arrive(bot, context_id)
    await set_slots(bot, segment="Private", account=TYPED)
    said = handover(bot.tracker, include=("account",))
    assert said.pop("ps7_status") == status
    assert {name: said[name] for name in (*OF_THE_CUSTOMER, "account")} == dict.fromkeys(
        [*OF_THE_CUSTOMER, "account"]
    )


async def test_a_status_that_no_seal_vouches_for_is_not_handed_on(
    bot: Conversation, clock: Clock
) -> None:
    """Forged, over since the look-up, logged out, or no word of ours."""
    await arrive(bot)
    await set_slots(bot, ps7_status="ok")
    assert handover(bot.tracker)["ps7_status"] == "tampered"
    await set_slots(bot, ps7_status=TYPED)
    assert handover(bot.tracker)["ps7_status"] == "missing"
    await arrive(bot, "ana")
    before = bot.slots
    clock.move(3601)
    said = handover(bot.tracker)
    assert (said["ps7_status"], said["segment"]) == ("expired", None)
    assert bot.slots == before, "it sets nothing"
    await arrive(bot, "ana")
    await run(bot, FORGET)
    assert handover(bot.tracker)["ps7_status"] == "missing"
