"""What a post of Meta says: pywa without a bot."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from aiohttp import web
from pywa_async import WhatsApp

from examples.channels import try_it
from examples.channels.cloud_api import Said, Sender, failure, moved, read, split, unread
from examples.channels.try_it import headers_of
from tests.channels.updates import (
    CODE,
    CONTACT,
    MOVED,
    NOBODYS,
    NOTHING_SAID,
    NUMBER_ID,
    PHONE,
    PRESSED,
    SAID,
    UNREADABLE,
    USER,
    message,
    post,
    text,
)
from tests.support.answering import answering
from tests.support.processes import free_port

WA = WhatsApp(NUMBER_ID, "made up", app_secret="made up", verify_token="made up")


def values(content: object) -> list[dict[str, Any]]:
    return [*split(json.loads(json.dumps(content)), NUMBER_ID)]


def said(content: Any, **value: Any) -> Any:  # noqa: ANN401
    (one,) = values(post(message(content), **value))
    return read(WA, one)


@pytest.mark.parametrize("name", SAID)
def test_each_kind_of_message_has_its_text(name: str) -> None:
    """A text, a caption or a title, as it is; a code is no text, and the first is the one."""
    content, expected = SAID[name]
    code, pressed = CODE if "code" in name else None, PRESSED.get(name)
    assert said(content) == Said("wamid.1", PHONE, USER, expected, pressed, code, 1764374400.0)


@pytest.mark.parametrize(
    ("before", "length", "taken"),
    [("", 16, True), ("", 64, True), ("", 15, False), ("", 65, False), ("ma", 16, False)],
    ids=["shortest", "longest", "too short", "too long", "in a word"],
)
def test_a_code_is_taken_whole_or_not_at_all(before: str, length: int, *, taken: bool) -> None:
    """A part of one would be another code."""
    code = f"ps7-{'x' * length}"
    assert said(text(f"Oi {before}{code}")).code == (code if taken else None)


def test_what_meta_says_of_the_banks_number_may_change() -> None:
    """Its id is enough."""
    metadata = {"phone_number_id": NUMBER_ID, "something_new": 1}
    assert said(text("Oi"), metadata=metadata).text == "Oi"


async def test_the_trial_without_meta_shows_what_the_bot_sends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`try_it.py` posts what Meta would, and is what a bot then asks: back-end and Graph API."""
    url = f"http://127.0.0.1:{free_port()}"
    variables = {"GRAPH_URL": url, "WHATSAPP_PHONE_NUMBER_ID": NUMBER_ID}
    for name, value in {**variables, "WHATSAPP_APP_SECRET": "made up"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(try_it, "SILENCE", 0.05)
    counted: list[str] = []
    graph = httpx.AsyncClient()
    wa = WhatsApp(NUMBER_ID, "made up", app_secret="made up", verify_token="x", session=graph)
    graph.base_url = httpx.URL(url)

    async def receive(request: web.Request) -> web.Response:
        assert (request.method, request.path) == ("POST", "/webhooks/whatsapp/webhook")
        body = await request.read()
        assert headers_of(body, "made up").items() <= dict(request.headers).items()
        (one,) = values(json.loads(body))
        found = read(wa, one)
        assert found is not None
        assert time.time() - found.sent_at < 60
        context = (await graph.post(f"{url}/contexts", json={})).json()["contextId"]
        await Sender(wa, counted.append).text(str(found.phone), f"{context}: {found.text}")
        return web.Response()

    async with answering(receive) as rasa, graph:
        monkeypatch.setenv("RASA_URL", rasa)
        await try_it.main(PHONE, "Oi", "Saldo")
    assert capsys.readouterr().out.splitlines() == [
        "you: Oi   (Rasa answered 200)",
        'bot: {"body": "ana: Oi", "preview_url": false}',
        "you: Saldo   (Rasa answered 200)",
        'bot: {"body": "ana: Saldo", "preview_url": false}',
    ]
    assert counted == []


@pytest.mark.parametrize("name", NOTHING_SAID)
def test_reactions_edits_and_groups_get_no_answer(name: str) -> None:
    """And what others in a group can read."""
    assert said(NOTHING_SAID[name]) is None


@pytest.mark.parametrize("name", [*UNREADABLE, *NOBODYS])
def test_one_that_cannot_be_read_costs_no_other(name: str) -> None:
    """Each message of a post is read alone. Of what cannot be read, one knows who and when.

    If Meta repeats it, it is the same.
    """
    odd = message({**UNREADABLE, **NOBODYS}[name], number=2)
    first, broken, last = values(post(message(text("1")), odd, message(text("2"))))
    assert [getattr(read(WA, one), "text", None) for one in (first, last)] == ["1", "2"]
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        assert moved(broken) or read(WA, broken)
    found, again, other = map(unread, (broken, broken, last))
    assert (found is None) == (name in NOBODYS)
    if found and again and other:
        assert found == Said(found.delivery, PHONE, USER, None, None, None, found.sent_at)
        assert found.delivery == again.delivery != other.delivery
        assert time.time() - found.sent_at < 60


@pytest.mark.parametrize("name", MOVED)
def test_a_customer_has_another_number_or_user_id(name: str) -> None:
    """Meta says so, and they say nothing."""
    system, now = MOVED[name]
    (value,) = values(post(message({"type": "system", "system": {"body": "…", **system}})))
    assert (moved(value), read(WA, value)) == ((USER, now), None)
    (hidden,) = values(
        post({"id": "1", "type": "system", "from": PHONE, "system": system}, contacts=[])
    )
    assert moved(hidden) == (PHONE, now)


@pytest.mark.parametrize(
    ("writer", "contacts", "phone", "user_id"),
    [
        ({"from_user_id": USER}, [{"user_id": USER, "profile": {"username": "ana"}}], None, USER),
        ({"from": PHONE}, [{"wa_id": "5521900000000", "user_id": "BR.2"}, CONTACT], PHONE, USER),
        ({"from": PHONE}, [{"wa_id": "5521900000000", "user_id": "BR.2"}], PHONE, ""),
        ({"from": PHONE}, [{"wa_id": PHONE, "profile": None}], PHONE, ""),
        ({"from": PHONE}, [None], PHONE, ""),
        ({"from": PHONE}, None, PHONE, ""),
    ],
)
def test_a_writer_is_known_by_number_or_user_id(
    writer: dict[str, str], contacts: object, phone: str | None, user_id: str
) -> None:
    """With a number, a user id, or both; never the contact of another message of the post."""
    written = text("Oi", **{"from": None, "from_user_id": None, **writer})
    found = said(written, contacts=contacts)
    assert (found.phone, found.user_id) == (phone, user_id)


@pytest.mark.parametrize(
    "content",
    [
        *(None, {"entry": 1}, {"entry": [None, {}]}, {"entry": [{"changes": [1]}]}),
        {"entry": [{"changes": [{"field": "messages", "value": None}]}]},
        {"entry": [{"changes": [{"value": {"metadata": [], "messages": [1]}}]}]},
        *(
            post(message(text("Oi")), metadata={"phone_number_id": each})
            for each in ("15559999", NUMBER_ID[:-1], f"{NUMBER_ID}0", f" {NUMBER_ID}", "", None)
        ),
        post(messages=None),
    ],
)
def test_a_post_of_something_else_has_no_message(content: object) -> None:
    """Another field, another number of the bank, or nothing that Meta documents."""
    assert values(content) == []


def test_a_failed_delivery_is_named_by_metas_code() -> None:
    """Meta says so later, perhaps beside a message."""
    read_it = {"id": "wamid.1", "status": "read", "timestamp": "1", "recipient_id": PHONE}
    failed = {"id": "wamid.1", "status": "failed", "errors": [{"code": 131047}]}
    statuses = [read_it, failed, *({"errors": each} for each in ([], [1], [{"code": "x"}], "x"))]
    first, *others = values(post(message(text("Oi")), statuses=statuses))
    assert "messages" in first
    assert [failure(each) for each in others] == [None, 131047, *[None] * 4]
