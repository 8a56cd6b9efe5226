"""What WhatsApp's webhook takes and refuses, in a real Rasa."""

from __future__ import annotations

import time

import pytest

from tests.channels.services import ON_A_REAL_RASA, SECRET, Services, Somebody
from tests.channels.updates import NOBODYS, UNREADABLE, text
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = ON_A_REAL_RASA


async def test_what_cannot_be_read_is_taken_and_costs_no_other(
    ana: Somebody, rasa_stage: Stage
) -> None:
    """It is counted without a word of it. Anything but a 200 would bring it again for a week.

    Its sender hears, in its turn, that the bot only reads texts.
    """
    for body in (b"null", b"{", b"\xff", b"[" * 100_000, b" " * 3 * 1024 * 1024):
        assert await ana.post_bytes(body) == 200
    broken = [ana.message(each) for each in UNREADABLE.values()][:3]
    hours, thanks = (ana.message(text(said)) for said in ("que horas o banco abre?", "obrigado"))
    nobodys = (each if each is None else ana.message(each) for each in NOBODYS.values())
    assert await ana.post(*broken, hours, *nobodys, thanks) == 200
    only_text = spoken.answer("only_text")
    assert await ana.hears(5) == [*only_text * 3, *spoken.HOURS, *spoken.THANKED]
    log = rasa_stage.whole_logs("channel_bot-rasa")
    assert "whatsapp: a post could not be read" in log
    assert "whatsapp: an update could not be read (KeyError)" in log
    assert "Traceback" not in log


async def test_a_stranger_does_not_become_ana(
    ana: Somebody, stub: Services, rasa_stage: Stage
) -> None:
    """Posts that Meta did not sign: 403, no conversation, and nobody is asked.

    Nor is one read that is longer than any of Meta's.
    """
    assert await ana.post(ana.message(text("oi")), secret="of somebody else") == 403
    url = f"{ana.bot.url}/webhooks/whatsapp/webhook"
    for given in ("", SECRET, "é"):
        headers = {"X-Hub-Signature-256": given}
        async with ana.bot.http.post(url, data=b"{}", headers=headers) as answer:
            assert answer.status == 403
    assert await ana.post_bytes(b"1" * (4 * 1024 * 1024 + 1)) == 403
    assert await ana.said() == []
    assert stub.asked == []
    assert ana.phone not in rasa_stage.whole_logs()


async def test_a_delivery_is_answered_once_and_within_an_hour(
    ana: Somebody, rasa_stage: Stage
) -> None:
    """Meta repeats one if it heard no 200 in time, and says later what was not delivered."""
    hours = ana.message(text("que horas o banco abre?"))
    assert await ana.send(hours) == spoken.HOURS
    old, young = (str(int(time.time()) - seconds) for seconds in (3_700, 3_400))
    assert await ana.post(hours, ana.message(text("tchau"), timestamp=old)) == 200
    status = {"id": "wamid.1", "status": "failed", "errors": [{"code": 131026}]}
    assert await ana.post(statuses=[status, {"id": "wamid.2", "status": "read"}]) == 200
    assert await ana.say("obrigado", timestamp=young) == spoken.THANKED
    texts = [each["text"] for each in await ana.said(2)]
    assert texts == ["que horas o banco abre?", "obrigado"]
    log = rasa_stage.whole_logs("channel_bot-rasa")
    assert "whatsapp: a message came too late to be answered" in log
    assert "whatsapp: an answer was not delivered (code 131026), " in log


@pytest.mark.parametrize(("token", "status"), [(SECRET, 200), ("another", 403), ("", 403)])
async def test_meta_verifies_the_webhook(channel_bot: RunningBot, token: str, status: int) -> None:
    """With the token that is set there, and hears its challenge."""
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    url = f"{channel_bot.url}/webhooks/whatsapp/webhook"
    async with channel_bot.http.get(url, params=asked) as answer:
        assert answer.status == status
        assert ("1158201444" in await answer.text()) is (status == 200)
