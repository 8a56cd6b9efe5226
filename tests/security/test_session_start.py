"""A session that starts with its customer known starts with the right one, or with none."""

from __future__ import annotations

import json

import pytest

from tests.security.conversation import SESSION_METADATA
from tests.security.planted import CONTEXT_IDS
from tests.security.runner import A_NEW_SESSION, Attack, Must, each, rows, succeeded
from tests.security.servers import Servers
from tests.security.steps import (
    Step,
    brings,
    carries_nothing_over,
    claims,
    happens,
    notes,
    says,
    seals,
    writes,
)
from tests.security.values import SIGNED, sender_of, stolen, token

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANA = CONTEXT_IDS["ana"]
_METADATA = {"contextId": ANA}
_NO_CUSTOMER, _REFUSED = Must(look_up="missing"), Must(look_up="invalid")
_TAMPERED = Must(look_up="tampered")
_ANA, _DIEGO = (Must(who, look_up="ok", asks=who) for who in ("ana", "diego"))
_waits = happens("action", name="action_listen")


def _noted(metadata: object) -> tuple[Step, ...]:
    """Let the bot wait, and Rasa note these metadata of the message that opens the session."""
    return _waits, writes(**{SESSION_METADATA: metadata})


def _text(text: str, metadata: object = None) -> Step:
    return happens("user", text=text, metadata=metadata)


SESSIONS = [
    *rows(
        "stranger",
        _NO_CUSTOMER,
        {
            "the message before": brings(ANA),
            "the note of before": (notes(ANA), _waits),
            "a contextId as the note": _noted(ANA),
            "a text as the note": _noted(json.dumps(_METADATA)),
            "a list as the note": _noted([_METADATA]),
            "metadata in the note": _noted({"metadata": _METADATA}),
            "another event in place of the note": (
                _waits,
                happens("bot", name=SESSION_METADATA, value=_METADATA),
            ),
            "the note, before an action ran": (*_noted(_METADATA), _waits),
            "the note, before a session": (*_noted(_METADATA), happens("session_started")),
            "the note, before a message without metadata": (*_noted(_METADATA), says()),
            "a contextId in a text": _text(f'/session_start{{"contextId": "{ANA}"}}', {}),
            "the same, without metadata": _text(f"/session_start {ANA}"),
            "a text that nearly starts a session": _text("/session_start_later", _METADATA),
            "a text about starting a session": _text("say /session_start", _METADATA),
        },
    ),
    *rows(
        "ana",
        _NO_CUSTOMER,
        {
            "a customer of before, where nothing is carried over": carries_nothing_over,
            "forged slots, where nothing is carried over": (claims("diego"), carries_nothing_over),
        },
    ),
    *rows(
        "ana",
        Must(look_up="expired"),
        {"a customer of before is carried over": (), "so are forged slots": claims("diego")},
    ),
    *rows(
        "logged out",
        _NO_CUSTOMER,
        {
            "the contextId of before opens it": _noted(_METADATA),
            "the same, where nothing is carried over": (carries_nothing_over, *_noted(_METADATA)),
        },
    ),
    *rows("stranger", _TAMPERED, {"forged slots are carried over": claims("ana")}),
    *rows("stranger", _TAMPERED, {"a copied seal": (claims("ana"), seals(stolen("ana")))}),
    *rows(
        "stranger",
        _REFUSED,
        {
            "no token": _noted(_METADATA),
            "another's token": (_waits, notes(token("ana", sub=sender_of("ana")))),
            "a token that is over": (_waits, notes(token("ana", made=-130.0))),
            "no token, by /session_start": _text("/session_start", _METADATA),
        },
        SIGNED,
    ),
    *rows("ana", _REFUSED, {"no token": _noted(_METADATA)}, SIGNED),
]
GENUINE = [
    *rows("stranger", _ANA, {"a contextId": _noted(_METADATA)}),
    *rows("stranger", _ANA, {"a token": (_waits, notes(token("ana")))}, SIGNED),
    *rows("ana", _DIEGO, {"a token for another": (_waits, notes(token("diego")))}, SIGNED),
]


@each(SESSIONS)
async def test_what_did_not_open_the_session(servers: Servers, attack: Attack) -> None:
    """Messages, metadata and slots of before, in the wrong place, or refused."""
    assert await succeeded(servers, [attack], A_NEW_SESSION) == []


@each(GENUINE)
async def test_what_opens_the_session(servers: Servers, attack: Attack) -> None:
    """The customer is there before the first turn."""
    assert await succeeded(servers, [attack], A_NEW_SESSION) == []
