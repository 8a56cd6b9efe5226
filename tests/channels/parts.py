"""What needs no bot, run by the Python that has Rasa: an error says what is wrong."""

from __future__ import annotations

import logging
from typing import Any

from rasa.shared.exceptions import RasaException

from examples.channels import common
from examples.channels.callback_signed import CallbackSignedInput
from examples.channels.facebook_ref import FacebookRefInput
from examples.channels.telegram_start import TelegramStartInput
from examples.channels.twilio_signed import TwilioSignedInput, TwilioVoiceSignedInput
from examples.channels.whatsapp_cloud import WhatsAppCloudInput, interactive

NEEDED: dict[Any, tuple[str, ...]] = {
    WhatsAppCloudInput: ("phone_number_id", "access_token", "app_secret", "verify_token"),
    TwilioSignedInput: ("account_sid", "auth_token", "webhook_url"),
    TwilioVoiceSignedInput: ("auth_token", "webhook_url"),
    TelegramStartInput: ("access_token", "secret_token", "webhook_url"),
    FacebookRefInput: ("verify", "secret", "page-access-token"),
    CallbackSignedInput: ("url", "secret"),
}
COMMON = ("sender_key", "context_url", "context_token")
KEY = "1:made-up-and-thirty-two-characters"


def complaint(channel: Any, credentials: dict[str, str] | None) -> str:  # noqa: ANN401 - untyped
    """Return what a channel says of its credentials."""
    try:
        channel.from_credentials(credentials)
    except RasaException as error:
        return str(error).removeprefix("credentials.yml: ")
    return ""


def what_is_missing_in_credentials_is_named() -> None:
    """By its name, and Rasa does not start: a blank secret would be known to all."""
    for channel, names in NEEDED.items():
        given = dict.fromkeys((*names, *COMMON), KEY)
        assert complaint(channel, given) == ""
        assert complaint(channel, None) == f"missing or blank: {', '.join(names)}"
        for name in (*names, "sender_key", "context_token"):
            assert complaint(channel, {**given, name: ""}) == f"missing or blank: {name}"
        assert complaint(channel, {**given, "sender_key": "a"}) == "sender_key needs 32 characters"


def what_is_remembered_has_a_bound_and_an_age() -> None:
    """The oldest goes first: here at most two are kept."""
    common.MOST = 2
    for seconds, kept in ((60, ["b", "c"]), (-1, [])):
        recent = common.Recent(seconds)
        for name in "abc":
            recent.put(name)
        assert [name for name in "abc" if recent.get(name) is not None] == kept


def choices_become_buttons() -> None:
    """As WhatsApp takes them."""
    sent = interactive("Qual?", [{"title": "Sim", "payload": f"/{number}"} for number in range(3)])
    replies = [{"id": f"/{number}", "title": "Sim"} for number in range(3)]
    assert sent["interactive"] == {
        "type": "button",
        "body": {"text": "Qual?"},
        "action": {"buttons": [{"type": "reply", "reply": each} for each in replies]},
    }


logging.disable(logging.CRITICAL)
what_is_missing_in_credentials_is_named()
what_is_remembered_has_a_bound_and_an_age()
choices_become_buttons()
