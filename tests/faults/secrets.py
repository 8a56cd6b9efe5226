"""Secrets that a test plants, and how to find them again in whatever form."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

# Each is a text that nothing else contains, and most look different in every encoding.
CONTEXT_ID = 'ctx/Plänted+1="é~'
SENDER_ID = "5511987651234@c.us/Plänted"
CREDENTIALS: dict[str, Any] = {
    "username": "us/er+Planted",
    "password": 'p@ss/word+"Planted"=&',
    "api_key": "api/key+Planted~",
    "app_key": "app/key+Planted~",
}
APP_SECRET = 'app/secret+"Planted"'


def shapes(secret: str) -> Iterator[str]:
    """Return the texts that a secret may hide behind."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(secret.encode())[2:-1]
    if len(secret) == 11 and secret.isdigit():
        yield f"{secret[:3]}.{secret[3:6]}.{secret[6:9]}-{secret[9:]}"
        yield f"{secret[3:6]}.{secret[6:9]}"
    raw = secret.encode()
    for before in range(3):  # Base64 looks different at each place within three bytes
        start, end = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + raw).decode()[start:end]


def found(secrets: Iterable[str], said: str) -> list[str]:
    """Return the secrets that stand in a text, in any shape."""
    return [secret for secret in secrets if any(shape in said for shape in shapes(secret))]
