"""What the report of a failed test tells of a conversation, and what it keeps to itself."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.testing import RecordedRequest, transcript
from actions.ps7.testing.rasa_in_memory.replay import stored

OURS = {"ps7_status": "ps7_status", "agencia": "agency", "segmento": "segment", "u_cpf": "u_cpf"}


def events(*said: dict[str, Any]) -> list[dict[str, Any]]:
    """Give events as a tracker keeps them."""
    return [stored(event, timestamp=1.0, origin={"model_id": "m"}) for event in said]


def slot(name: str, value: object) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value}


def test_a_conversation_is_told_in_order() -> None:
    """What was said, what ran, and which slots changed; what identifies somebody is only set."""
    told = transcript.of_conversation(
        events(
            slot("session_started_metadata", {"contextId": "C-1"}),
            {"event": "action", "name": "action_session_start"},
            {"event": "session_started"},
            slot("session_started_metadata", {"contextId": "C-1"}),
            {"event": "action", "name": "action_listen"},
            {"event": "user", "text": "oi", "metadata": {"contextId": "C-1", "channel": {}}},
            slot("ps7_status", "ok"),
            slot("agencia", "0341"),
            slot("segmento", "Private"),
            slot("u_cpf", None),
            {"event": "user_featurization", "use_text_for_featurization": False},
            {"event": "action", "name": "utter_greet"},
            {"event": "bot", "text": "Olá!"},
            {"event": "bot", "data": {"image": "i"}},
            slot("cpf", "a slot of the bot's own"),
            {"event": "user", "text": "tchau"},
        ),
        OURS,
    )
    assert list(told) == [
        "(action_session_start)",
        "(session_started)",
        "user: oi   [metadata: contextId, channel]",
        "  ps7_status = 'ok', agencia set, segmento = 'Private', u_cpf null",
        "(utter_greet)",
        "bot: Olá!",
        "bot: (no text)",
        '  cpf = "a slot of the bot\'s own"',
        "user: tchau",
    ]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (
            {"json": {"contextId": "ana"}, "status": 200, "upstream_id": "YW5h"},
            "PS7 was asked about ana and answered 200",
        ),
        (
            {"json": {"contextId": "http-503"}, "status": 503, "upstream_id": "…"},
            "PS7 was asked about http-503 and answered 503",
        ),
        (
            {"json": {"contextId": "52998224725"}, "status": 200, "upstream_id": "…"},
            "PS7 was asked about a contextId of the test's own and answered 200",
        ),
        (
            {"json": None, "status": 405, "refusal": "only POST is served here"},
            "PS7 refused a request: only POST is served here",
        ),
    ],
)
def test_requests_are_told_without_a_context_id_that_nobody_knows(
    request_: dict[str, Any], told: str
) -> None:
    """The made-up customers and the faults have names; whatever else a test asks about has none."""
    request = RecordedRequest(method="POST", path="/", headers={}, body=b"", **request_)
    assert list(transcript.of_requests([request])) == [told]
