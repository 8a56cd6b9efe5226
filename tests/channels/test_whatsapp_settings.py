"""What WhatsApp's channel takes from `credentials.yml`, by the code that Rasa loads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

import pytest

from tests.conversation.fixtures import _rasa_python
from tests.support.processes import ROOT

pytestmark = pytest.mark.conversation

TOLD = {
    **dict.fromkeys(("phone_number_id", "access_token", "app_secret", "verify_token"), "made-up"),
    "sender_key": "k" * 32,
    "context_url": "https://bank.example",
    "context_token": "made-up",
}
READS = """
import json, logging, sys
logging.getLogger().setLevel(logging.DEBUG)
from channels.whatsapp import WhatsAppInput
for told in json.load(sys.stdin):
    try:
        read = WhatsAppInput.from_credentials(told)
        names = {read.name(), read.get_output_channel().name()}
        print(*names, read._wa.api._session.base_url.host, type(read._inbox._store).__name__)
    except Exception as error:
        print(type(error).__name__, error)
print(*(name for name in ("pywa", "httpx") if logging.getLogger(name).isEnabledFor(30)))
"""


def read(*told: Mapping[str, str] | None) -> list[str]:
    """Return what becomes of each, and last whose lines with numbers in them are shown."""
    return subprocess.check_output(
        [_rasa_python(), "-W", "ignore", "-c", READS],
        cwd=ROOT / "examples",
        input=json.dumps(told),
        encoding="utf-8",
    ).splitlines()


def test_rasa_does_not_start_without_a_setting() -> None:
    """Blank is as missing, and a short key is refused: it is all that hides a number.

    Of what is left out, the Graph API is Meta's, and what is remembered is in this process.
    """
    blank = [{**TOLD, name: ""} for name in TOLD]
    redis = {**TOLD, "redis_url": "redis://127.0.0.1:1/0", "graph_url": "https://graph.example"}
    refused = "RasaException credentials.yml: "
    assert read(*blank, None, {**TOLD, "sender_key": "k" * 31}, TOLD, redis) == [
        *(f"{refused}missing or blank: {name}" for name in TOLD),
        f"{refused}missing or blank: {', '.join(TOLD)}",
        f"{refused}sender_key needs 32 characters",
        "whatsapp graph.facebook.com Memory",
        "whatsapp graph.example Redis",
        "",
    ]
