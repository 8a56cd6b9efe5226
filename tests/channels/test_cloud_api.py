"""What a post of Meta says: pywa without a bot."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pywa_async import WhatsApp

from examples.channels.cloud_api import failure, read, split
from examples.channels.try_it import post_of
from tests.channels.updates import (
    CODE,
    CONTACT,
    NOTHING_SAID,
    NUMBER_ID,
    PHONE,
    SAID,
    UNREADABLE,
    USER,
    WITHOUT_TEXT,
    message,
    post,
    text,
)

WA = WhatsApp(NUMBER_ID, "made up", app_secret="made up", verify_token="made up")


def values(content: object) -> list[dict[str, Any]]:
    return [*split(json.loads(json.dumps(content)), NUMBER_ID)]


def said(content: Any, **value: Any) -> Any:  # noqa: ANN401
    (one,) = values(post(message(content), **value))
    return read(WA, one)


@pytest.mark.parametrize("name", SAID)
def test_each_kind_of_message_has_its_text(name: str) -> None:
    """A text, a caption or what was pressed; a typed slash is no command, a code is no text."""
    content, expected = SAID[name]
    found = said(content)
    assert found is not None
    assert (found.text, found.phone, found.user_id) == (expected, PHONE, USER)
    assert found.code == (CODE if "code" in name else None)
    assert (found.delivery, found.sent_at) == ("wamid.1", 1764374400.0)


@pytest.mark.parametrize(
    "metadata",
    [{"phone_number_id": NUMBER_ID}, {"phone_number_id": NUMBER_ID, "something_new": 1}],
)
def test_what_meta_says_of_the_banks_number_may_change(metadata: dict[str, object]) -> None:
    """Its id is enough."""
    assert said(text("Oi"), metadata=metadata).text == "Oi"


def test_the_trial_without_meta_is_read() -> None:
    """`try_it.py` posts what Meta would."""
    written = {"from": PHONE, **text("Oi")}
    (one,) = values(json.loads(post_of(NUMBER_ID, **written)))
    found = read(WA, one)
    assert found is not None
    assert (found.text, found.phone, time.time() - found.sent_at < 60) == ("Oi", PHONE, True)


@pytest.mark.parametrize("name", WITHOUT_TEXT)
def test_what_is_no_text_is_still_a_message(name: str) -> None:
    """The bot answers it in its own way."""
    found = said(WITHOUT_TEXT[name])
    assert found is not None
    assert found.text is None


@pytest.mark.parametrize("name", NOTHING_SAID)
def test_reactions_edits_and_groups_get_no_answer(name: str) -> None:
    """And what others in a group can read."""
    assert said(NOTHING_SAID[name]) is None


@pytest.mark.parametrize("name", UNREADABLE)
def test_one_that_cannot_be_read_costs_no_other(name: str) -> None:
    """Each message of a post is read alone."""
    first, broken, last = values(post(*map(message, (text("1"), UNREADABLE[name], text("2")))))
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        read(WA, broken)
    assert [getattr(read(WA, one), "text", None) for one in (first, last)] == ["1", "2"]


@pytest.mark.parametrize(
    ("writer", "contacts", "phone", "user_id"),
    [
        ({"from_user_id": USER}, [{"user_id": USER, "profile": {"username": "ana"}}], None, USER),
        ({"from_user_id": USER}, [], None, USER),
        ({"from": PHONE}, [CONTACT], PHONE, USER),
        ({"from": PHONE}, [{"wa_id": "5521900000000", "user_id": "BR.2"}, CONTACT], PHONE, USER),
        ({"from": PHONE}, [{"wa_id": "5521900000000", "user_id": "BR.2"}], PHONE, ""),
        ({"from": PHONE}, [{"wa_id": PHONE, "profile": None}], PHONE, ""),
        ({"from": PHONE}, [None, 1], PHONE, ""),
        ({"from": PHONE}, None, PHONE, ""),
    ],
)
def test_a_writer_is_known_by_number_or_user_id(
    writer: dict[str, str], contacts: object, phone: str | None, user_id: str
) -> None:
    """With a number, a user id, or both; never the contact of another message of the post."""
    written = text("Oi", **{"from": None, "from_user_id": None, **writer})
    (one,) = values(post(message(written), contacts=contacts))
    found = read(WA, one)
    assert found is not None
    assert (found.phone, found.user_id) == (phone, user_id)


@pytest.mark.parametrize(
    "content",
    [
        *(None, [], 1, {}, {"entry": 1}, {"entry": [1, None, {}]}, {"entry": [{"changes": [1]}]}),
        {"entry": [{"changes": [{"field": "messages", "value": None}]}]},
        {"entry": [{"changes": [{"field": "account_update", "value": {"event": "X"}}]}]},
        {"entry": [{"changes": [{"value": {"metadata": [], "messages": [1]}}]}]},
        post(message(text("Oi")), metadata={"phone_number_id": "15559999"}),
        post(messages=None),
    ],
)
def test_a_post_of_something_else_has_no_message(content: object) -> None:
    """Another field, another number of the bank, or nothing that Meta documents."""
    assert values(content) == []


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"id": "wamid.1", "status": "read", "timestamp": "1", "recipient_id": PHONE}, None),
        ({"id": "wamid.1", "status": "failed", "errors": [{"code": 131047}]}, 131047),
        ({"status": "failed", "errors": []}, None),
    ],
)
def test_a_failed_delivery_is_named_by_metas_code(status: dict[str, Any], code: int | None) -> None:
    """Meta says so later, by its code."""
    first, other = values(post(message(text("Oi")), statuses=[status]))
    assert "messages" in first
    assert failure(other) == code
