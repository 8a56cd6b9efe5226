"""What the report of a failed test tells of a conversation, and what it keeps to itself."""

from __future__ import annotations

from typing import Any

from actions.ps7.testing import RecordedRequest
from actions.ps7.testing import customer_conversation as transcript
from actions.ps7.testing.rasa_in_memory import stored

SAME = ("ps7_status", "ps7_context", "u_cpf")
OURS = {"agencia": "agency", "segmento": "segment", **{name: name for name in SAME}}


def slot(name: str, value: object) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value}


def test_a_conversation_is_told_in_order() -> None:
    """What was said, what ran, and which slots changed; what identifies a person is only set."""
    events = [
        slot("session_started_metadata", {"contextId": "C-1"}),
        {"event": "action", "name": "action_session_start"},
        {"event": "session_started"},
        {"event": "action", "name": "action_listen"},
        {"event": "user", "text": "oi", "metadata": {"contextId": "C-1", "channel": {}}},
        *(slot("ps7_status", "ok"), slot("ps7_context", "a seal"), slot("agencia", "0341")),
        *(slot("segmento", "Private"), slot("u_cpf", None)),
        {"event": "user_featurization", "use_text_for_featurization": False},
        *({"event": "bot", "text": "Olá!"}, {"event": "bot", "data": {"image": "i"}}),
        slot("cpf", "a slot of the bot's own"),
    ]
    noted = [stored(event, timestamp=1.0, origin={"model_id": "m"}) for event in events]
    assert list(transcript.of_conversation(noted, OURS)) == [
        "(action_session_start)",
        "(session_started)",
        "user: oi   [metadata: contextId, channel]",
        "  ps7_status = 'ok', ps7_context set, agencia set, segmento = 'Private', u_cpf null",
        "bot: Olá!",
        "bot: (no text)",
        '  cpf = "a slot of the bot\'s own"',
    ]


def test_requests_are_told_without_an_unknown_context_id() -> None:
    """The made-up customers and the faults have names; whatever else a test asks about has none."""
    asked = [
        RecordedRequest("POST", "/", {}, b"", {"contextId": context_id}, 200, None, "…")
        for context_id in ("ana", "52998224725")
    ]
    refused = RecordedRequest("GET", "/", {}, b"", None, 405, "only POST is served", None)
    assert list(transcript.of_requests([*asked, refused])) == [
        "PS7 was asked about ana and answered 200",
        "PS7 was asked about a contextId of the test's own and answered 200",
        "PS7 refused a request: only POST is served",
    ]
