"""Requests to what runs beside a bot: its Rasa, and its action server."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from ..settings import is_loopback

_MOST_BYTES = 4 << 20


def ask(url: str, message: object = None, *, seconds: float) -> Any:
    """Return the JSON of an answer to GET, or to POST if there is a message.

    No proxy of the environment sees a request to this machine. Raises what urllib does: OSError,
    HTTPException, and ValueError if the answer is not JSON; TimeoutError if it has no end.
    """
    sent = None if message is None else json.dumps(message).encode()
    request = Request(url, sent, {"Content-Type": "application/json"})  # noqa: S310
    direct = [ProxyHandler({})] if is_loopback(urlsplit(url).hostname or "") else []
    end, body = time.monotonic() + seconds, b""
    with build_opener(*direct).open(request, timeout=seconds) as answer:
        while part := answer.read1(_MOST_BYTES):
            body += part
            if len(body) > _MOST_BYTES or time.monotonic() > end:
                raise TimeoutError("too much, or too slow")
    return json.loads(body)
