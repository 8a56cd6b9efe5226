r"""What a customer's text is, and what a button's payload is, for every channel.

Rasa strips a text's white space, and takes what then begins with `/` for a command: `/restart`, or
any intent of the bot, with entities. **A typed text never is one**: white space and slashes leave
its front together. White space is Python's, of `str.strip()`: 29 characters, `\x1c` to `\x1f`,
`\x85` and `\u00a0` among them. Nothing else that is typed is a command to Rasa 3.6.21, not even
`EXTERNAL: …`, which is how it shows an intent that came by its API.

Only the bot's own buttons carry commands. Who runs a client of their own can send any payload. So
a channel sends each payload sealed, for its conversation alone, and takes back what opens. Nothing
is kept: it works after a restart, and on every server that has the key. A button stays valid for
as long as its conversation.

`texts.json` has cases, for this module and for other languages. It needs Python 3.10, and no
package.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any

LONGEST = 2_000
"""Characters (Unicode code points, not UTF-16 units) of a text: Rasa's time grows with it, and
meanwhile nobody else is answered."""
TOO_LONG = "Sua mensagem é longa demais. Pode escrever em até 2.000 caracteres, por favor?"
"""What the customer hears, whose text is longer."""
SEAL = 22
"""Characters that a seal adds to a payload."""

_FRONT = re.compile(r"[\s/]+")


class TooLongError(ValueError):
    """A text has more than `LONGEST` characters."""


def customer_text(typed: object) -> str:
    """Return what was typed, as Rasa may have it; "" if nothing is left of it.

    Raises:
        TypeError: it is no text.
        TooLongError: it has more than `LONGEST` characters, beside what goes.

    """
    if not isinstance(typed, str):
        raise TypeError("a text, please")
    front = _FRONT.match(typed)
    text = typed[front.end() if front else 0 :].rstrip()
    if len(text) > LONGEST:
        raise TooLongError
    return text


def seal_payload(key: bytes, conversation: str, payload: str) -> str:
    """Return a payload as the client gets it. The key is secret, and the same on every server."""
    signed = json.dumps(["payload", conversation, payload]).encode()
    digest = hmac.new(key, signed, hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode()[:SEAL] + payload


def seal_buttons(key: bytes, conversation: str, buttons: list[Any]) -> list[dict[str, Any]]:
    """Return the buttons that have a title, each with its payload sealed."""
    shown = [{**each} for each in buttons if isinstance(each, dict) and each.get("title")]
    for each in shown:
        if (payload := each.get("payload")) and isinstance(payload, str):
            each["payload"] = seal_payload(key, conversation, payload)
    return shown


def open_payload(key: bytes, conversation: str, sealed: object) -> str | None:
    """Return the payload of a button that was sent to this conversation; None for anything else.

    Then what the button shows is what the customer said, as if it was typed.
    """
    if not isinstance(sealed, str):
        return None
    payload = sealed[SEAL:]
    expected = seal_payload(key, conversation, payload)
    same = hmac.compare_digest(
        sealed.encode("utf-8", "replace"), expected.encode("utf-8", "replace")
    )
    return payload if same else None
