"""What a webhook takes and what it refuses; what a channel makes of what its service documents."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from actions.ps7.conversation.arrival import sign
from tests.channels import services
from tests.channels.customers import Customer, customer, said_by
from tests.channels.services import (
    ARRIVAL_KEY,
    CODE,
    SECRET,
    WRITES,
    Post,
    Services,
    sender_of,
)
from tests.conversation import spoken
from tests.conversation.harness import Stage
from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("channels"),
]


def forged(post: Post) -> Iterator[Post]:
    """Yield what is not the service's: unsigned, or signed with something else."""
    signed_by = {name for name in post.headers if name.startswith("X-")}
    kept = {name: value for name, value in post.headers.items() if name not in signed_by}
    yield replace(post, headers=kept)
    no_text = "sha256=\udcff é".encode("utf-8", "surrogateescape").decode("latin-1")
    for value in ("", no_text, SECRET.upper()):
        yield replace(post, headers=post.headers | dict.fromkeys(signed_by, value))
    if post.channel != "telegram":  # which signs no body
        yield replace(post, body=post.body + b" ")


@pytest.mark.parametrize("channel", WRITES)
async def test_a_stranger_does_not_become_ana(
    channel_bot: RunningBot, stub: Services, rasa_stage: Stage, channel: str
) -> None:
    """Posts with her number, but not of the service: 403, no tracker, nobody is asked."""
    number = f"55119{uuid4().int % 10**8:08}"
    stub.numbers.add(number)
    address = f"whatsapp:+{number}" if channel == "twilio" else number
    write = WRITES[channel]
    of_another = write(address, "qual meu saldo", "the secret of somebody else")
    for post in (*forged(write(address, "qual meu saldo")), of_another):
        assert await post.to(channel_bot.http, channel_bot.url) == (403, "")
    assert await said_by(channel_bot, sender_of(channel, address)) == []
    assert stub.asked == []
    assert stub.heard[address] == []
    assert number not in rasa_stage.whole_logs()


@pytest.mark.parametrize("channel", WRITES)
async def test_a_delivery_is_answered_once(
    channel_bot: RunningBot, stub: Services, channel: str
) -> None:
    """A service that repeats until it hears a 200 hears one; of any other it is a replay, 403."""
    ana = customer(channel, channel_bot, stub)
    await ana.arrive()
    post = ana.write(ana.address, "que horas o banco abre?")
    assert await ana.send(post) == spoken.HOURS
    repeats = channel in {"whatsapp_cloud", "facebook", "telegram"}
    for _ in range(3):
        again, _ = await post.to(channel_bot.http, channel_bot.url)
        assert again == (200 if repeats else 403)
    assert await ana.say("obrigado") == spoken.THANKED
    assert len(await said_by(channel_bot, ana.sender)) == 3


async def test_a_replay_of_twilios_has_no_second_name(
    channel_bot: RunningBot, stub: Services
) -> None:
    """What is signed has no bounds between names and values: another MessageSid, same signature."""
    ana = customer("twilio", channel_bot, stub)
    post = ana.write(ana.address, "que horas o banco abre?", MessageSid="SM1", NumMedia="0")
    assert await ana.send(post) == spoken.HOURS
    body = post.body.replace(b"MessageSid=SM1", b"MessageSid=SM1NumMedia0")
    renamed = replace(post, body=body.replace(b"&NumMedia=0", b""))
    assert renamed.body != post.body
    assert await renamed.to(channel_bot.http, channel_bot.url) == (403, "")
    assert len(await said_by(channel_bot, ana.sender)) == 1


LONG_AGO = time.time() - 90_000
OLD: dict[str, dict[str, Any]] = {
    "whatsapp_cloud": {"timestamp": str(int(LONG_AGO))},
    "facebook": {"timestamp": int(LONG_AGO * 1000)},
    "telegram": {"message": {"date": LONG_AGO, "chat": {"id": 7, "type": "private"}, "text": "oi"}},
    "callback": {"at": LONG_AGO},
}


@pytest.mark.parametrize("channel", OLD)
async def test_an_old_post_is_a_replay(channel_bot: RunningBot, channel: str) -> None:
    """Where the service says when it was sent, what is older than what is remembered is refused."""
    post = WRITES[channel](account := str(uuid4().int)[:12], "oi", **OLD[channel])
    assert (await post.to(channel_bot.http, channel_bot.url))[0] == 403
    assert await said_by(channel_bot, sender_of(channel, account)) == []


MALFORMED = (
    *(b"", b"null", b"[]", b"{}", b"{", b"\xff", b"[" * 100_000, b'{"entry": 1}'),
    *(b'{"entry": [{"changes": [{}]}]}', b'{"entry": [{"messaging": [1]}]}'),
    *(b'{"update_id": 1, "message": {"text": "oi"}}', b'{"sender": 1}'),
)
SIGNED: dict[str, Callable[[bytes], Post]] = {
    "whatsapp_cloud": lambda body: services.meta_post("whatsapp_cloud", body),
    "facebook": lambda body: services.meta_post("facebook", body),
    "telegram": lambda body: replace(services.telegram("1", "oi"), body=body),
    "callback": services.signed_callback,
}


@pytest.mark.parametrize("channel", SIGNED)
async def test_what_is_malformed_is_answered(
    channel_bot: RunningBot, rasa_stage: Stage, channel: str
) -> None:
    """No traceback, no 500, and no turn."""
    for body in MALFORMED:
        status, said = await SIGNED[channel](body).to(channel_bot.http, channel_bot.url)
        assert status in {200, 400, 403}, said
    assert "Traceback" not in rasa_stage.whole_logs("channel_bot-rasa")


TOKEN = sign(ARRIVAL_KEY, "ana", "of no one")


def pressed(kind: str, **button: str) -> dict[str, Any]:
    return {"text": "", "type": "interactive", "interactive": {"type": kind, kind: button}}


BUTTON = {"payload": TOKEN, "text": "Ver saldo"}
WRITTEN: list[tuple[str, dict[str, Any], str | None]] = [
    ("whatsapp_cloud", {"text": f"Oi {TOKEN}"}, "Oi"),
    ("whatsapp_cloud", {"text": TOKEN}, "/greet"),
    ("whatsapp_cloud", {"text": "", "type": "button", "button": BUTTON}, "Ver saldo"),
    ("whatsapp_cloud", pressed("button_reply", id="Não", title="x"), "Não"),
    ("whatsapp_cloud", pressed("list_reply", id="/greet", title="x"), "/greet"),
    ("whatsapp_cloud", {"text": "", "type": "image", "image": {"caption": "oi", "id": "1"}}, "oi"),
    ("whatsapp_cloud", {"text": "", "type": "audio", "audio": {"id": "1"}}, None),
    ("whatsapp_cloud", {"text": "", "type": "unsupported", "errors": [{"code": 131051}]}, None),
    ("twilio", {"text": "Quero ver", "ButtonPayload": "Sim", "ButtonText": "Quero ver"}, "Sim"),
    ("twilio", {"text": "Ver", "ButtonPayload": TOKEN, "ButtonText": "Ver saldo"}, "Ver saldo"),
    ("telegram", {"text": "/start"}, "/start"),
    ("telegram", {"text": f"/start {CODE}"}, "/greet"),
    ("facebook", {"text": "", "postback": {"payload": "oi", "mid": "p1"}}, "oi"),
    ("facebook", {"text": "", "referral": {"ref": CODE}}, "/greet"),
    ("facebook", {"text": "", "message": {"mid": "m1", "text": "oi", "is_echo": True}}, None),
]


@pytest.mark.parametrize(("channel", "sent", "text"), WRITTEN)
async def test_what_is_written_pressed_or_opened_becomes_a_message(
    channel_bot: RunningBot, stub: Services, channel: str, sent: dict[str, Any], text: str | None
) -> None:
    """Its text, without a token in it: that is for the plugin, in the metadata."""
    account = str(uuid4().int)[:12]
    address = f"whatsapp:+{account}" if channel == "twilio" else account
    ana = Customer(channel_bot, stub, WRITES[channel], address)
    post = WRITES[channel](address, **sent)
    if text is None:
        assert (await post.to(channel_bot.http, channel_bot.url))[0] == 200
        await asyncio.sleep(0.1)
        assert await said_by(channel_bot, ana.sender) == []
    else:
        await ana.send(post)
        (message,) = await said_by(channel_bot, ana.sender)
        assert message["text"] == text
        token = TOKEN in json.dumps(sent)
        assert (message["metadata"].get("contextId") == TOKEN) is token
        assert ((await ana.slots())["ps7_status"] == "invalid") is token, "made for another sender"


async def test_a_post_may_bring_several_messages(channel_bot: RunningBot, stub: Services) -> None:
    """In their order, beside statuses, and not those to another number of the bank."""
    ana = customer("whatsapp_cloud", channel_bot, stub)
    first, second, other = (
        json.loads(services.whatsapp(ana.address, text).body)["entry"][0]
        for text in ("que horas o banco abre?", "obrigado", "oi")
    )
    value = other["changes"][0]["value"]
    value["metadata"]["phone_number_id"] = "15559999"
    del value["contacts"]
    said = first["changes"][0]["value"]
    statuses = {"metadata": said["metadata"], "statuses": [{"id": "wamid.1", "status": "read"}]}
    first["changes"].insert(0, {"field": "messages", "value": statuses})
    post = services.meta_post("whatsapp_cloud", {"entry": [first, other, second]})
    heard = [*await ana.send(post, turns=2), *await ana.say("tchau")]
    assert heard == [*spoken.HOURS, *spoken.THANKED, *spoken.GOODBYE]


async def test_in_a_group_nobody_is_a_customer(channel_bot: RunningBot, stub: Services) -> None:
    """Anybody in it could go on with the conversation of the one who opened it."""
    group = {
        "date": int(time.time()),
        "chat": {"id": -7, "type": "group"},
        "text": f"/start {CODE}",
    }
    post = services.telegram("7", "oi", message=group)
    assert (await post.to(channel_bot.http, channel_bot.url))[0] == 200
    assert await said_by(channel_bot, sender_of("telegram", "-7")) == []
    assert stub.asked == []
    assert stub.registered["secret_token"] == SECRET


@pytest.mark.parametrize("channel", ["whatsapp_cloud", "facebook"])
@pytest.mark.parametrize(("token", "status"), [(SECRET, 200), ("another", 403), ("", 403)])
async def test_meta_verifies_a_webhook(
    channel_bot: RunningBot, channel: str, token: str, status: int
) -> None:
    """With the token that is set there, and hears its challenge."""
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    url = f"{channel_bot.url}/webhooks/{channel}/webhook"
    async with channel_bot.http.get(url, params=asked) as answer:
        assert (answer.status, await answer.text()) == (
            status,
            asked["hub.challenge"] * (status == 200),
        )
