"""What the page's server makes of a tracker, of requests and of a log: everything masked."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.testing import PERSONAS
from examples.webchat.cards import _ENGLISH, CARDS
from examples.webchat.turns import turn

PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
LOG = """\
2026-11-25 10:00:00 INFO     actions.ps7.api.telemetry  - PS7 lookup: outcome=ok reason=ok \
status=200 attempts=1 ms=12 correlation=one context=3f2a
2026-11-25 10:00:01 INFO     actions.ps7.api.telemetry  - PS7 lookup: outcome=unavailable \
reason=read_timeout status=- attempts=2 ms=4001 correlation=two context=3f2a
"""


def said(correlation_id: str | None, **metadata: object) -> dict[str, Any]:
    """Make the event of a user's message."""
    return {"event": "user", "metadata": {**metadata, "correlationId": correlation_id}}


def slot(name: str, value: object) -> dict[str, Any]:
    """Make the event of a slot that is set."""
    return {"event": "slot", "name": name, "value": value}


def asked(correlation_id: str, status: int) -> dict[str, Any]:
    """Make an entry of the simulator's record."""
    return {"method": "POST", "path": PATH, "status": status, "correlationId": correlation_id}


def shown(*events: dict[str, Any], turn_of: str = "one") -> list[tuple[str, str | None, bool]]:
    """Return the slots that the panel shows."""
    made = turn(events, [], "", turn_of)
    assert made is not None
    return [(one["name"], one["value"], one["changed"]) for one in made["slots"]]


def test_every_customer_has_a_card_in_both_languages() -> None:
    """No customer is without a card, and no card without its English line."""
    assert set(CARDS) == set(_ENGLISH) > set(PERSONAS)


def test_a_turn_meets_its_requests_and_its_lookup() -> None:
    """Tracker, record and log are joined by the correlation id of the message."""
    events = [
        {"event": "action", "name": "action_session_start"},
        {"event": "session_started"},
        said("one", contextId="ana", model_id="m"),
        slot("ps7_status", "ok"),
        slot("segment", "Private"),
        {"event": "bot", "text": "O saldo da conta 00123456 é de R$ 15.230,75."},
        said("two", contextId="ana"),
        slot("ps7_status", "unavailable"),
        slot("segment", None),
    ]
    requests = [asked("one", 200), asked("two", 503), asked("two", 503), asked("three", 200)]
    request = {"method": "POST", "path": PATH}

    desk = '{"reason": "asked", "correlation_id": "%s", "account": "00123456", "phone_number": "1"}'
    log = "\n".join(desk % which for which in ("two", "one"))

    assert turn(events, requests, LOG, "one", log) == {
        "number": 1,
        "contextId": "ana",
        "status": "ok",
        "slots": [
            {"name": "ps7_status", "value": "ok", "masked": False, "changed": True},
            {"name": "segment", "value": "Private", "masked": False, "changed": True},
        ],
        "lookups": [{"outcome": "ok", "reason": "ok", "status": 200, "attempts": 1, "ms": 12}],
        "requests": [{**request, "status": 200}],
        "handedOver": [
            {"name": "reason", "value": "asked", "masked": False},
            {"name": "account", "value": "••••••56", "masked": True},
            {"name": "phone_number", "value": "•••", "masked": True},
        ],
    }
    second = turn(events, requests, LOG, "two")
    assert second is not None
    failed = {"outcome": "unavailable", "reason": "read_timeout", "status": None}
    assert second["lookups"] == [{**failed, "attempts": 2, "ms": 4001}]
    assert second["requests"] == [{**request, "status": 503}] * 2
    assert second["slots"][1] == {
        "name": "segment",
        "value": None,
        "masked": False,
        "changed": True,
    }


@pytest.mark.parametrize(
    ("name", "value", "seen", "masked"),
    [
        ("cpf", "52998224725", "***.982.247-**", True),
        ("cpf", "CPF", "•••", True),
        ("account", "00123456", "••••••56", True),
        ("account", "42", "•••", True),
        ("cpf_masked", "***.982.247-**", "***.982.247-**", False),
        ("agency", "0341", "0341", False),
        ("balance_offered", True, "True", False),
        ("token_status", "valid", "valid", False),
        ("ps7_context", "gAAAAA", "•••", True),
        ("phone_number", "5511900000001", "•••", True),
        ("id_document", "RG", "•••", True),
        ("ps7_payload", {"u_cpf": "52998224725"}, "•••", True),
        ("a_slot_of_the_bot", "52998224725", "•••", True),
    ],
)
def test_what_may_be_seen_of_a_slot(name: str, value: object, seen: str, masked: bool) -> None:
    """Personal data are masked, what is not listed is hidden, and either says so."""
    made = turn([said("one"), slot(name, value)], [], "", "one")
    assert made is not None
    assert made["slots"] == [{"name": name, "value": seen, "masked": masked, "changed": True}]


def test_what_a_turn_changes() -> None:
    """A slot that stays as it was is no news; one that was emptied is, once. Rasa's are hidden."""
    events = [
        *(said("one"), slot("session_started_metadata", {"contextId": "ana"})),
        *(slot("segment", "Private"), slot("agency", "0341")),
        *(said("two"), slot("agency", None)),
        said("three"),
    ]

    assert shown(*events, turn_of="two") == [("segment", "Private", False), ("agency", None, True)]
    assert shown(*events, turn_of="three") == [("segment", "Private", False)]
