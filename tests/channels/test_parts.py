"""What the channels' shared part and WhatsApp's messages do, without a bot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conversation.fixtures import _rasa_python
from tests.support.processes import ROOT

pytestmark = [pytest.mark.conversation, pytest.mark.xdist_group("channels")]


@pytest.fixture(scope="module")
def found() -> Any:  # noqa: ANN401 - JSON
    ran = subprocess.run(
        [_rasa_python(), "-W", "ignore", Path(__file__).with_name("parts.py")],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
        timeout=100,
    )
    return json.loads(ran.stdout.splitlines()[-1])


def test_what_is_missing_in_credentials_is_named(found: dict[str, Any]) -> None:
    """Each name once, no value, and Rasa does not start: a blank secret would be known to all."""
    common = ["sender_key"]
    assert found["asked"] == {
        "WhatsAppCloudInput": [
            *("phone_number_id", "access_token", "app_secret", "verify_token"),
            *common,
        ],
        "TwilioSignedInput": ["account_sid", "auth_token", "webhook_url", *common],
        "TwilioVoiceSignedInput": ["auth_token", "webhook_url", *common],
        "TelegramStartInput": ["access_token", "secret_token", "webhook_url", *common],
        "FacebookRefInput": ["verify", "secret", "page-access-token", *common],
        "CallbackSignedInput": ["url", "secret", *common],
    }
    assert found["short"] == "credentials.yml: sender_key needs 32 characters"
    assert found["without a token"] == "credentials.yml: missing or blank: context_token"


def test_what_is_remembered_has_a_bound_and_an_age(found: dict[str, Any]) -> None:
    """The oldest goes first: here at most two are kept."""
    assert found["bound"] == [False, True, True]
    assert found["age"] == [False]


def test_choices_become_buttons(found: dict[str, Any]) -> None:
    """As WhatsApp takes them."""
    assert found["three"]["interactive"] == {
        "type": "button",
        "body": {"text": "Qual?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": f"/{number}", "title": "Sim"}}
                for number in range(3)
            ]
        },
    }
