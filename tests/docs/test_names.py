"""What the documents name exists: settings, slots, actions, tests, files, commands."""

from __future__ import annotations

import re

import pytest

from tests.docs import programs
from tests.docs.documents import Span, document, guides, names
from tests.docs.words import (
    all_tests,
    looks_like_a_path,
    no_variable,
    path_is_there,
    words,
)

SPOKEN = {"make", "python", "pip", "rasa", "rasa-ps7", "curl", "pytest"}
"""Programs: what begins with one of them is a command."""
THEIRS = {
    # of tokens (RFC 7519) and operating systems
    *("sub", "aud", "nbf", "s_client", "rollout"),
    # of Rasa: licences, channels, and what these take
    *("RASA_LICENSE", "RASA_PRO_LICENSE", "OPENAI_API_KEY", "get_metadata", "session_id"),
    *("jwt_key", "session_persistence", "metadata_key", "customData"),
    *("callback", "twilio_voice", "facebook", "telegram", "mattermost", "webexteams", "slack"),
    *("hangouts", "botframework", "vier_cvg", "cvg_session", "vaig_event_start"),
    # of PS7's neighbours
    *("chat_itau_cpfcnpj", "chat_itau_codigo", "chat_itau_atendentes"),
}
"""Words of others that no file of ours uses."""


def missing(text: str) -> list[str]:
    """Give the words that nothing of ours and nobody else uses; `arrival_…` stands for many."""
    begins = re.findall(r"(\w+_)…", text)
    whole = re.findall(r"[A-Za-z_]\w*", re.sub(r"\w+_…", "", text))
    known = words() | THEIRS
    return [
        *(word for word in begins if not any(each.startswith(word) for each in known)),
        *(word for word in whole if word not in known),
    ]


def fault(span: Span) -> str | None:
    """Say what about a name is wrong; None where it is there."""
    text = span.text.strip()
    first = text.partition(" ")[0]
    if first.rpartition("/")[2] in SPOKEN and " " in text:
        return next(iter(programs.faults(text, span.document)), None)
    if re.fullmatch(r"PS7_[A-Z0-9_]+", text):
        return "no such setting" if no_variable(text) else None
    if re.fullmatch(r"test_\w+", text):
        return None if text in all_tests() else "no such test"
    if looks_like_a_path(text):
        return None if path_is_there(text, span.document) else "no such file"
    unknown = missing(text)
    return f"nothing here knows {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("name", guides())
def test_every_word_in_code_type_is_there(name: str) -> None:
    """A setting, a test, a file, a command, or at least words that stand in a file of ours."""
    found = [(span.line, span.text, fault(span)) for span in document(name).spans]
    assert [entry for entry in found if entry[-1]] == []


def test_no_word_is_allowed_for_nothing() -> None:
    """What no document says any more is on no list."""
    said = {
        word
        for name in guides()
        for span in document(name).spans
        for word in re.findall(r"[A-Za-z_]\w*", span.text)
    }
    assert THEIRS - said == set()


@pytest.mark.parametrize("name", names())
def test_every_variable_is_read_by_somebody(name: str) -> None:
    """In sentences, tables and code alike."""
    said = re.findall(r"\bPS7_[A-Z0-9_]+[A-Z0-9]", document(name).text)
    assert [variable for variable in said if no_variable(variable)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PS7_BASE_URL", None),
        ("PS7_BASE_URI", "no such setting"),
        ("test_every_link_leads_somewhere", None),
        ("test_no_such_thing", "no such test"),
        ("actions/ps7/settings.py", None),
        ("actions/ps7/nothing.py", "no such file"),
        ("make demo", None),
        ("make nothing", "nothing to make is named nothing"),
        ("action_ps7_context", None),
        ("action_ps7_nothing", "nothing here knows action_ps7_nothing"),
        ("utter_ps7_…", None),
        ("utter_ps8_…", "nothing here knows utter_ps8_"),
        ("rasa train --domain domain", None),
        ("rasa train --domains domain", "rasa train is not known to take --domains"),
    ],
)
def test_a_name_that_is_not_there_is_found(text: str, expected: str | None) -> None:
    """The check itself."""
    assert fault(Span("README.md", 1, text)) == expected
