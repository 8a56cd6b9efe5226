"""What the channels take from `credentials.yml`, by the code that Rasa loads."""

from __future__ import annotations

import json

import pytest

from tests.conversation.fixtures import InRasa
from tests.support.processes import ROOT

TOLD = {
    **dict.fromkeys(("phone_number_id", "access_token", "app_secret", "verify_token"), "made-up"),
    "sender_key": "k" * 32,
    "context_url": "https://bank.example",
    "context_token": "made-up",
}
READS = """
import asyncio, json, logging, sys
folder, told = given
sys.path.append(folder)
from channels.webchat import WebChatInput
from channels.whatsapp import WhatsAppInput
found = []
for channel, each in json.loads(told):
    try:
        read = {"webchat": WebChatInput, "whatsapp": WhatsAppInput}[channel].from_credentials(each)
        names = [read.name(), read.get_output_channel().name()]
        if channel == "whatsapp":
            names += [read._wa.api._session.base_url.host, type(read._inbox._store).__name__]
            read._inbox.close = lambda seconds: asyncio.sleep(0, names.append(seconds))
            for each in read.blueprint(None)._future_listeners:
                names.append(each.event)
                asyncio.run(each.listener())
        found.append(names)
    except Exception as error:
        found.append(f"{type(error).__name__} {error}")
found += [logging.getLogger(name).getEffectiveLevel() for name in ("pywa", "httpx")]
"""


@pytest.mark.conversation
def test_rasa_does_not_start_without_a_setting(in_rasa: InRasa) -> None:
    """Blank is as missing, and a short key is refused: it is all that hides a number.

    Of what is left out, the Graph API is Meta's, and what is remembered is in this process. Lines
    with numbers in them are not shown. At its end, what was taken has eight of Sanic's 15 seconds.
    """
    ends = ["before_server_stop", 8.0]
    blank = [{**TOLD, name: ""} for name in TOLD]
    redis = {**TOLD, "redis_url": "redis://127.0.0.1:1/0", "graph_url": "https://graph.example"}
    whatsapp = [*blank, None, {**TOLD, "sender_key": "k" * 31}, TOLD, redis]
    webchat = [None, {"key": "k" * 31}, {"key": "k" * 32}]
    told = [*(("whatsapp", each) for each in whatsapp), *(("webchat", each) for each in webchat)]
    refused = "RasaException credentials.yml: "
    assert in_rasa(READS, str(ROOT / "examples"), json.dumps(told)) == [
        *(f"{refused}missing or blank: {name}" for name in TOLD),
        f"{refused}missing or blank: {', '.join(TOLD)}",
        f"{refused}sender_key needs 32 characters",
        ["whatsapp", "whatsapp", "graph.facebook.com", "Memory", *ends],
        ["whatsapp", "whatsapp", "graph.example", "Redis", *ends],
        *[f"{refused}key needs 32 characters"] * 2,
        ["webchat", "webchat"],
        *(40, 40),
    ]
