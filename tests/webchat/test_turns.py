"""What the page's server makes of a tracker and of the desk's log: everything masked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from examples.webchat.turns import turn


def said(correlation_id: str) -> dict[str, Any]:
    """Make the event of a user's message."""
    return {"event": "user", "metadata": {"correlationId": correlation_id}}


def slot(name: str, value: object) -> dict[str, Any]:
    """Make the event of a slot that is set."""
    return {"event": "slot", "name": name, "value": value}


def shown(events: list[Any], which: str = "one", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Make what is shown of a turn."""
    made = turn(events, **{"requests": [], "log": "", **more}, correlation_id=which)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("name", "value", "seen", "masked"),
    [
        ("cpf", "52998224725", "***.982.247-**", True),
        *(
            ("cpf", cpf, "•••", True)
            for cpf in ("CPF", "5299822472", "529982247250", "５２９９８２２４７２５")
        ),
        ("account", "00123456", "••••••56", True),
        ("account", "42", "•••", True),
        ("cpf_masked", "***.982.247-**", "***.982.247-**", False),
        ("agency", "0341", "0341", False),
        ("balance_offered", True, "True", False),
        ("segment", "52998224725", "•••", True),
        ("segment", "é 529.982.247-25.", "•••", True),
        ("segment", "5299822472", "5299822472", False),
        ("channel", "+55 11 90000-0001", "•••", True),
        *(
            (name, "x", "x", False)
            for name in ("token_status", "identification", "security_device", "ivr_option")
        ),
        ("ps7_expires_at", "2026-01-01T12:00Z", "2026-01-01T12:00Z", False),
        ("ps7_context", "gAAAAA", "•••", True),
        ("phone_number", "5511900000001", "•••", True),
        ("ps7_payload", {"u_cpf": "52998224725"}, "•••", True),
        ("a_slot_of_the_bot", "52998224725", "•••", True),
    ],
)
def test_personal_slots_are_masked(name: str, value: object, seen: str, masked: bool) -> None:
    """Personal data are masked, what is not listed is hidden, and either says so."""
    made = shown([said("one"), slot(name, value)])
    assert made["slots"] == [{"name": name, "value": seen, "masked": masked, "changed": True}]


def test_a_turn_shows_only_slots_that_changed() -> None:
    """A slot that stays as it was is no news; one that was emptied is, once. Rasa's are hidden."""
    events = [
        *(said("one-more"), said("one"), slot("session_started_metadata", {"contextId": "ana"})),
        *(slot("requested_slot", "cpf"), slot("handed_over", value=False)),
        *(slot("agency", "0341"), slot("segment", "Private")),
        *(said("two"), slot("agency", None)),
        said("three"),
    ]

    slots = [
        [(each["name"], each["value"], each["changed"]) for each in shown(events, which)["slots"]]
        for which in ("one", "two", "three")
    ]
    assert slots == [
        [("segment", "Private", True), ("agency", "0341", True)],
        [("segment", "Private", False), ("agency", None, True)],
        [("segment", "Private", False)],
    ]


@pytest.mark.parametrize("event", ["restart", "reset_slots", "session_started"])
def test_slots_that_rasa_resets_are_gone(event: str) -> None:
    """They stand in no event of their own then."""
    assert shown([slot("segment", "Private"), {"event": event}, said("one")])["slots"] == []


def test_a_lookup_that_ps7_did_not_answer_is_shown() -> None:
    """Its line in the log has no HTTP status; what another turn asked is left out."""
    line = "PS7 lookup: outcome={} reason={} status={} attempts=3 ms=2004 correlation={}\n"
    log = line.format("unavailable", "connect", "-", "one") + line.format("ok", "ok", 200, "one.2")
    call = {"method": "POST", "path": "/contextos", "status": 200}
    requests = [{**call, "correlationId": each, "body": "ana"} for each in ("one", "one.2")]
    events = [said("one"), slot("ps7_status", "unavailable")]
    events[0]["metadata"]["contextId"] = "ana"
    made = shown(events, requests=requests, log=log)
    assert (made["contextId"], made["status"]) == ("ana", "unavailable")
    assert made["requests"] == [call]
    assert made["lookups"] == [
        {"outcome": "unavailable", "reason": "connect", "status": None, "attempts": 3, "ms": 2004}
    ]


def test_a_hand_over_is_masked_like_slots() -> None:
    """The turn's own, masked like slots."""
    of_another: dict[str, Any] = {
        "conversation": "r2S0",
        "reason": "denied",
        "correlation_id": "two",
    }
    context = {**of_another, "correlation_id": "one", "reason": "asked", "channel": "socketio"}
    context |= {"account": "00123456", "segment": None, "phone_number": "1"}
    log = "\n".join(map(json.dumps, (of_another, context)))
    made = shown([said("one")], desk_log=log)["handedOver"]
    assert [(each["name"], each["value"], each["masked"]) for each in made] == [
        ("reason", "asked", False),
        ("channel", "socketio", False),
        ("account", "••••••56", True),
        ("phone_number", "•••", True),
    ]
