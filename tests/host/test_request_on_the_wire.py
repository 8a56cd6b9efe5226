"""The request that PS7 gets from real actions; `tests/unit/test_wire.py` has each part of it."""

from __future__ import annotations

from uuid import UUID

import pytest

from actions.ps7 import runtime
from actions.ps7.testing import Simulator
from tests.host.conftest import seal_keys
from tests.support.bots import converse
from tests.support.simulator_client import PATH, own_simulator

pytestmark = pytest.mark.versions

ps7 = pytest.fixture(own_simulator)


async def test_the_requests_of_two_bots_with_every_setting_and_all_metadata(
    ps7: Simulator, isolated: pytest.MonkeyPatch
) -> None:
    """Method, path, every header by its exact name, and the body.

    Without ids in the metadata, a conversation has a correlation id of its own, and each lookup a
    flow id, which its attempts share. Neither shows who is talking: the sender id may be a phone
    number.
    """
    ps7.username, ps7.password = "bot-user", "bot-password"
    ps7.api_key, ps7.app_key = "an-api-key", "an-app-key"
    more = {"PS7_SEAL_KEYS": seal_keys(), "PS7_ENCODED": "1"}
    for name, value in (ps7.environment | more).items():
        isolated.setenv(name, value)
    await converse().arrives("C1", encoded=0, correlationId="trail-1", flowId="flow.1")
    ps7.script("diego", ["reset", "diego"])
    bot = converse(sender_id="5511900000001")
    for context_id in ("ana", "diego"):
        await bot.arrives(context_id)
    await runtime.current().client.close()

    request, *others = ps7.requests
    assert (request.method, request.path) == ("POST", PATH)
    of_http = ("Host", "User-Agent", "Content-Length")
    assert {name: request.headers[name] for name in request.headers if name not in of_http} == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "userName": "bot-user",
        "password": "bot-password",
        "x-itau-apikey": "an-api-key",
        "x-app-key": "an-app-key",
        "x-itau-correlationID": "trail-1",
        "x-itau-flowID": "flow.1",
    }
    assert request.json == {"contextId": "C1", "encoded": "0"}
    sent = [dict(each.headers) for each in others]
    first, second, retry = (headers["x-itau-flowID"] for headers in sent)
    assert first != second == retry
    assert UUID(first).version == 4
    (correlation_id,) = {headers["x-itau-correlationID"] for headers in sent}
    assert str(UUID(correlation_id)) == correlation_id
    assert "5511900000001" not in str(sent)
