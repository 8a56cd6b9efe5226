"""What WhatsApp's webhook takes and refuses, in a real Rasa."""

from __future__ import annotations

import time

import pytest

from tests.channels.services import SECRET, Services, Somebody, said_to
from tests.channels.updates import UNREADABLE, text
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]


async def test_one_post_with_everything_in_it(ana: Somebody, rasa_stage: Stage) -> None:
    """What cannot be read costs no other message, and is counted without a word of it."""
    broken = [each for each in UNREADABLE.values() if isinstance(each, dict)]
    hours, thanks = (ana.message(text(said)) for said in ("que horas o banco abre?", "obrigado"))
    assert await ana.post(*map(ana.message, broken[:2]), hours, None, *broken, thanks) == 200
    assert await ana.hears(2) == [*spoken.HOURS, *spoken.THANKED]
    log = rasa_stage.whole_logs("channel_bot-rasa")
    assert "whatsapp: an update could not be read (KeyError)" in log
    assert "Traceback" not in log


async def test_a_stranger_does_not_become_ana(
    channel_bot: RunningBot, ana: Somebody, stub: Services, rasa_stage: Stage
) -> None:
    """Posts that Meta did not sign: 403, no conversation, and nobody is asked.

    Nor is one read that is longer than any of Meta's.
    """
    assert await ana.post(ana.message(text("oi")), secret="of somebody else") == 403
    url = f"{channel_bot.url}/webhooks/whatsapp/webhook"
    for given in ("", "sha256=", "é", SECRET, "sha256=\udcff".encode("utf-8", "surrogateescape")):
        header = given if isinstance(given, str) else given.decode("latin-1")
        headers = {"X-Hub-Signature-256": header}
        async with channel_bot.http.post(url, data=b"{}", headers=headers) as answer:
            assert answer.status == 403
    assert await ana.post_bytes(b"1" * (4 * 1024 * 1024 + 1)) == 403
    assert await said_to(channel_bot, ana) == []
    assert stub.asked == []
    assert ana.phone not in rasa_stage.whole_logs()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b" " * 3 * 1024 * 1024],
    ids=range(7),
)
async def test_what_is_malformed_is_taken(ana: Somebody, rasa_stage: Stage, body: bytes) -> None:
    """Or Meta would repeat it for a week."""
    assert await ana.post_bytes(body) == 200
    assert "Traceback" not in rasa_stage.whole_logs("channel_bot-rasa")


async def test_a_delivery_is_answered_once(channel_bot: RunningBot, ana: Somebody) -> None:
    """Meta repeats one if it heard no 200 in time."""
    message = ana.message(text("que horas o banco abre?"))
    assert await ana.send(message) == spoken.HOURS
    assert [await ana.post(message) for _ in range(3)] == [200] * 3
    assert await ana.say("obrigado") == spoken.THANKED
    assert len(await said_to(channel_bot, ana, 2)) == 2


async def test_an_old_message_is_taken_and_not_answered(
    channel_bot: RunningBot, ana: Somebody, rasa_stage: Stage
) -> None:
    """It is genuine: anything but a 200 would bring it again for a week. Old is above an hour."""
    old, young = (str(int(time.time()) - seconds) for seconds in (3_700, 3_400))
    assert await ana.post(ana.message(text("tchau"), timestamp=old)) == 200
    assert await ana.say("obrigado", timestamp=young) == spoken.THANKED
    assert [each["text"] for each in await said_to(channel_bot, ana, 1)] == ["obrigado"]
    assert "whatsapp: a message came too late to be answered" in rasa_stage.whole_logs("rasa")


async def test_a_delivery_that_fails_is_counted_by_its_code(
    ana: Somebody, rasa_stage: Stage
) -> None:
    """Meta says so in a status, some seconds later."""
    status = {"id": "wamid.1", "status": "failed", "errors": [{"code": 131026}]}
    assert await ana.post(statuses=[status, {"id": "wamid.2", "status": "read"}]) == 200
    assert "whatsapp: an answer was not delivered (code 131026), " in rasa_stage.whole_logs("rasa")


@pytest.mark.parametrize(("token", "status"), [(SECRET, 200), ("another", 403), ("", 403)])
async def test_meta_verifies_the_webhook(channel_bot: RunningBot, token: str, status: int) -> None:
    """With the token that is set there, and hears its challenge."""
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    url = f"{channel_bot.url}/webhooks/whatsapp/webhook"
    async with channel_bot.http.get(url, params=asked) as answer:
        assert answer.status == status
        assert ("1158201444" in await answer.text()) is (status == 200)
