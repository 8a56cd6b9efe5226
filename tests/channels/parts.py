"""What needs no bot, checked in the environment that has Rasa: run by its Python, as JSON."""

# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import json
import logging
from typing import Any

from rasa.shared.exceptions import RasaException

from examples.channels import common
from examples.channels.callback_signed import CallbackSignedInput
from examples.channels.facebook_ref import FacebookRefInput
from examples.channels.telegram_start import TelegramStartInput
from examples.channels.twilio_signed import TwilioSignedInput, TwilioVoiceSignedInput
from examples.channels.whatsapp_cloud import WhatsAppCloudInput, interactive

CHANNELS: tuple[Any, ...] = (
    *(WhatsAppCloudInput, TwilioSignedInput, TwilioVoiceSignedInput, TelegramStartInput),
    *(FacebookRefInput, CallbackSignedInput),
)
SECRET = "made up for no service"
KEY = "1:made-up-and-thirty-two-characters"


def complaint(cls: Any, credentials: dict[str, str] | None) -> str:  # noqa: ANN401 - untyped
    """Return what a channel says of its credentials."""
    try:
        cls.from_credentials(credentials)
    except RasaException as error:
        return str(error)
    return ""


def names(error: str) -> list[str]:
    return error.partition("blank: ")[2].split(", ") if error else []


def all_complaints(cls: Any) -> list[str]:  # noqa: ANN401 - untyped
    """Give a channel what it asks for, one after the other; return all that it asked for."""
    asked: list[str] = []
    while more := names(complaint(cls, dict.fromkeys(asked, KEY) or None)):
        asked += more
    return asked


def remembered(seconds: float, *names: str) -> list[bool]:
    recent = common.Recent(seconds)
    for name in names:
        recent.put(name)
    return [recent.get(name) is not None for name in names]


logging.disable(logging.CRITICAL)
common.MOST = 2
found = {
    "asked": {cls.__name__: all_complaints(cls) for cls in CHANNELS},
    "short": complaint(CallbackSignedInput, {"url": "u", "secret": SECRET, "sender_key": "short"}),
    "without a token": complaint(
        CallbackSignedInput,
        {"url": "u", "secret": SECRET, "sender_key": KEY, "context_url": "http://127.0.0.1"},
    ),
    "bound": remembered(60, "a", "b", "c"),
    "age": remembered(-1, "a"),
    "three": interactive("Qual?", [{"title": "Sim", "payload": f"/{i}"} for i in range(3)]),
}
print(json.dumps(found))
