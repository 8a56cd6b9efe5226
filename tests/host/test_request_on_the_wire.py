"""The request that PS7 gets, from each setting and each form of metadata, through real actions."""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify, verified_context
from actions.ps7.dialogue import runtime
from actions.ps7.testing import PERSONAS, Conversation, Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from actions.ps7.testing import RecordedRequest

pytestmark = pytest.mark.versions

PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
DOMAIN = {
    "slots": {
        "ps7_status": {
            "type": "any",
            "mappings": [{"type": "custom", "action": "action_ps7_context"}],
        },
        "ps7_context": {"type": "any", "mappings": [{"type": "custom"}]},
    },
    "actions": ["action_ps7_context", "action_ps7_verify", "action_ps7_forget"],
}
HTTP_HEADERS = {"Host", "User-Agent", "Content-Length"}
"""What belongs to HTTP itself, and not to the interface."""


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work without what a developer has set, and with a seal key of this test's own."""
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PS7_SEAL_KEYS", f'["{Fernet.generate_key().decode()}"]')


@pytest.fixture
async def ps7() -> AsyncIterator[Simulator]:
    """Return a simulator that takes any contextId for a customer's."""
    async with Simulator(username="bot-user", password="bot-password") as simulator:
        simulator.answer("not-found", body=PERSONAS["ana"].answer)
        yield simulator


@pytest.fixture
async def bot(
    ps7: Simulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., Conversation]]:
    """Return a maker of conversations, whose action server has these settings."""

    def make(sender_id: str | None = None, **settings: str) -> Conversation:
        for name, value in {**ps7.environment, **settings}.items():
            monkeypatch.setenv(name, value)
        actions = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
        return Conversation(DOMAIN, actions, sender_id=sender_id)

    yield make
    await runtime.current().client.close()


def ours(request: RecordedRequest) -> dict[str, str]:
    """Return the headers of the interface, by the names under which they were sent."""
    return {name: value for name, value in request.headers.items() if name not in HTTP_HEADERS}


# The whole of it


async def test_the_request_of_a_bot_with_the_required_settings_alone(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Method, path, every header by its exact name, and the body."""
    await bot().user("oi", metadata={"contextId": "C1"})
    (request,) = ps7.requests
    headers = ours(request)
    flow_id, correlation_id = headers.pop("x-itau-flowID"), headers.pop("x-itau-correlationID")
    assert (request.method, request.path) == ("POST", PATH)
    assert headers == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "userName": "bot-user",
        "password": "bot-password",
    }
    assert request.json == {"contextId": "C1"}
    assert UUID(flow_id).version == 4
    assert str(UUID(correlation_id)) == correlation_id


async def test_the_request_of_a_bot_with_every_setting_and_all_metadata(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Method, path, every header by its exact name, and the body."""
    metadata = {"contextId": "C1", "encoded": 0, "correlationId": "trail-1", "flowId": "flow.1"}
    ps7.api_key, ps7.app_key = "an-api-key", "an-app-key"
    await bot(PS7_ENCODED="1").user("oi", metadata=metadata)
    (request,) = ps7.requests
    assert (request.method, request.path) == ("POST", PATH)
    assert ours(request) == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "userName": "bot-user",
        "password": "bot-password",
        "x-itau-apikey": "an-api-key",
        "x-app-key": "an-app-key",
        "x-itau-correlationID": "trail-1",
        "x-itau-flowID": "flow.1",
    }
    assert request.json == {"contextId": "C1", "encoded": "0"}


# The contextId


@pytest.mark.parametrize(
    ("sent", "arrives", "status"),
    [
        ("00042", "00042", "ok"),
        ('"}{"', '"}{"', "ok"),
        ("çã€😀", "çã€😀", "ok"),
        (123123213.0, "123123213", "ok"),
        (2**53 + 1, "9007199254740993", "ok"),
        (float(2**53), None, "invalid"),
        ("C\x001", None, "invalid"),
        (["C1"], None, "invalid"),
        (" ", None, "missing"),
        (None, None, "missing"),
    ],
)
async def test_a_usable_context_id_arrives_as_text_and_another_does_not_arrive(
    ps7: Simulator,
    bot: Callable[..., Conversation],
    sent: object,
    arrives: str | None,
    status: str,
) -> None:
    """Whole numbers become their digits, also as floats, which is how gRPC brings them."""
    conversation = bot()
    await conversation.user("oi", metadata={"contextId": sent})
    assert [request.json for request in ps7.requests] == (
        [{"contextId": arrives}] if arrives is not None else []
    )
    assert conversation.slots["ps7_status"] == status


async def test_a_context_id_under_another_path(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """`PS7_METADATA_KEYS` in order; what goes along stands beside the hit."""
    conversation = bot(PS7_METADATA_KEYS='["contextId", "cvg_body.call.id"]')
    call = {"id": 7.0, "encoded": "1", "correlationId": "trail-7", "flowId": "flow-7"}
    metadata = {"contextId": None, "encoded": 0, "flowId": "x", "cvg_body": {"call": call}}
    await conversation.user("oi", metadata=metadata)
    (request,) = ps7.requests
    assert request.json == {"contextId": "7", "encoded": "1"}
    assert request.headers["x-itau-correlationID"] == "trail-7"
    assert request.headers["x-itau-flowID"] == "flow-7"


# encoded


@pytest.mark.parametrize(
    ("setting", "sent", "arrives"),
    [(None, 0, "0"), ("1", 0.0, "0"), ("0", "1", "1"), ("1", "x", "1"), ("0", None, "0")],
)
async def test_encoded_beside_the_context_id_counts_before_the_setting(
    ps7: Simulator,
    bot: Callable[..., Conversation],
    setting: str | None,
    sent: object,
    arrives: str,
) -> None:
    """As text, as the interface documents it; what is neither 0 nor 1 does not count."""
    settings = {} if setting is None else {"PS7_ENCODED": setting}
    await bot(**settings).user("oi", metadata={"contextId": "C1", "encoded": sent})
    (request,) = ps7.requests
    assert request.json == {"contextId": "C1", "encoded": arrives}


def agency(conversation: Conversation) -> str | None:
    customer = verified_context(conversation.tracker)
    return customer.agency if customer else None


def context_id(encoded: object = None, name: str = "C1") -> dict[str, object]:
    return {"contextId": name} | ({} if encoded is None else {"encoded": encoded})


@pytest.mark.parametrize(
    ("setting", "first", "second"),
    [(None, 0, 1), (None, None, 0), (None, 1, None), ("0", None, 1), ("1", "0", "x")],
)
async def test_another_encoded_is_another_context_id(
    ps7: Simulator,
    bot: Callable[..., Conversation],
    setting: str | None,
    first: object,
    second: object,
) -> None:
    """PS7 reads the same text in another way, and may name another customer: it is asked anew."""
    ps7.script("C1", ["ana", "diego"])
    conversation = bot(**({} if setting is None else {"PS7_ENCODED": setting}))
    await conversation.user("oi", metadata=context_id(first))
    assert agency(conversation) == PERSONAS["ana"].slots["agency"]

    await conversation.user("oi", metadata=context_id(second))

    assert len({request.body for request in ps7.requests}) == 2
    assert agency(conversation) == PERSONAS["diego"].slots["agency"]


@pytest.mark.parametrize(("encoded", "known"), [("0", True), (1, False), (None, False)])
async def test_no_customer_is_known_by_another_encoded_before_the_lookup(
    bot: Callable[..., Conversation], encoded: object, known: bool
) -> None:
    """An action that reads the seal in between gets no customer."""
    conversation = bot()
    await conversation.user("oi", metadata=context_id(0))
    tracker = conversation.tracker
    message = {"event": "user", "metadata": context_id(encoded)}
    tracker.events.append(message)
    tracker.latest_message = message
    assert (verified_context(tracker) is not None) is known


async def test_a_session_counts_a_context_id_with_each_encoded(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """`PS7_MAX_CONTEXTS` is about what PS7 is asked; without a seal the messages tell."""
    conversation = bot(PS7_MAX_CONTEXTS="2")
    for encoded in (0, 1, None):
        await conversation.set_slot("ps7_context", None)
        await conversation.user("oi", metadata=context_id(encoded))
    assert conversation.slots["ps7_status"] == "rejected"
    assert len(ps7.requests) == 2


# Correlation and flow


# 529.982.247-25 is made up, like every CPF here.
@pytest.mark.parametrize(
    ("sent", "goes_along"),
    [
        ("A.b_c-9", True),
        ("52998224726", True),
        ("00152998224725", True),
        ("trail\r\nx: y", False),
        (7, False),
        ("52998224725", False),
        ("529.982.247-25", False),
        ("000-52998224725", False),
        ("5-2_9.9-8_2.2-4_7.2-5", False),
        ("_52998224725_", False),
    ],
)
async def test_well_formed_ids_go_along_unless_they_are_a_cpf(
    ps7: Simulator,
    bot: Callable[..., Conversation],
    caplog: pytest.LogCaptureFixture,
    sent: object,
    goes_along: bool,
) -> None:
    """Ours are made instead, the lookup is made, and a CPF stands in no log line."""
    metadata = {"contextId": "C1", "correlationId": sent, "flowId": sent}
    with caplog.at_level(logging.DEBUG, logger="actions"):
        await bot().user("oi", metadata=metadata)
    (request,) = ps7.requests
    for name in ("x-itau-correlationID", "x-itau-flowID"):
        header = request.headers[name]
        assert header == (sent if goes_along else str(UUID(header)))
    assert "PS7 lookup: outcome=ok" in caplog.text
    assert goes_along or sent == 7 or str(sent) not in caplog.text


# 529.982.247-25 is made up, like every CPF here.
async def test_a_conversation_has_one_correlation_id_and_each_lookup_a_flow_id(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Neither shows who is talking: the sender id may be a phone number."""
    for sender_id in ("5511900000001", "5511900000002"):
        conversation = bot(sender_id)
        for context_id in ("C1", "C2"):
            await conversation.user("oi", metadata={"contextId": context_id})
    trails = [request.headers["x-itau-correlationID"] for request in ps7.requests]
    flows = [request.headers["x-itau-flowID"] for request in ps7.requests]
    assert trails[0] == trails[1] != trails[2] == trails[3]
    assert len(set(flows)) == 4
    sent = [value for request in ps7.requests for value in request.headers.values()]
    assert not any("5511900000" in value for value in sent)


async def test_a_correlation_id_depends_on_the_seal_key(
    ps7: Simulator, bot: Callable[..., Conversation]
) -> None:
    """Without the key the phone number is not found by trying them all."""
    for _ in range(2):
        key = f'["{Fernet.generate_key().decode()}"]'
        conversation = bot("5511900000001", PS7_SEAL_KEYS=key)
        await conversation.user("oi", metadata={"contextId": "C1"})
        await runtime.current().client.close()
    first, second = (request.headers["x-itau-correlationID"] for request in ps7.requests)
    assert first != second


async def test_a_whole_turn_says_nothing_of_the_customer_in_the_log(
    bot: Callable[..., Conversation], caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG neither: no sender id, contextId, credential, CPF, account or phone number."""
    caplog.set_level(logging.DEBUG)
    conversation = bot("5511988887777")
    await conversation.user("oi", metadata={"contextId": "planted-context"})
    await conversation.set_slot("ps7_status", "denied")
    await conversation.run("action_ps7_verify")
    await conversation.run("action_ps7_forget")
    said = "\n".join(
        f"{record.getMessage()} {record.args}"
        for record in caplog.records
        if record.name.startswith(("actions.", "aiohttp", "asyncio"))
    )
    assert "outcome=ok" in said
    secrets = "5511988887777|planted-context|bot-user|bot-password|52998224725|982.247|00123456"
    assert not re.search(secrets, said)
    assert conversation.slots["ps7_context"] not in said
