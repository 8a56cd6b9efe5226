"""The kinds of settings: a type and a check each. A refusal never shows the value.

The declaration of a setting describes what it expects. A check raises ValueError, or a `FaultError`
if it knows more.
"""

from __future__ import annotations

import json
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, FilePath, SecretStr, ValidationInfo

from .slots import SlotNames

MAX_SECONDS = 240
"""Rasa gives an action 300 s: ours must be the limit that counts."""
MIN_SIGNING_BYTES = 32
"""HS256 asks for a key as long as its hash (RFC 7518, section 3.2)."""


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class FaultError(ValueError):
    """What is wrong with a value, in words that show nothing of it."""


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FaultError("this one does not begin with https:// and a host")
    if "@" in parts.netloc:
        raise FaultError("this one holds a user")
    if "?" in text or "#" in text:
        raise FaultError("this one goes on after the path")
    if "/apiaccess/" in f"{parts.path}/":
        raise FaultError("this one holds PS7's own path, which is added to it")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise FaultError("this one is http to another machine")
    if parts.port == 0 or not text.isprintable() or " " in text:
        raise ValueError
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _header_value(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.strip() or not text.isprintable():
        raise ValueError
    return secret


def _fernet_key(secret: SecretStr) -> SecretStr:
    Fernet(secret.get_secret_value())
    return secret


def _signing_key(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    # PyJWT takes no public key for a secret: signing with one is an old attack.
    if len(text.encode()) < MIN_SIGNING_BYTES or "-----BEGIN" in text or text.startswith("ssh-"):
        raise ValueError
    return secret


def _dotted_path(text: str) -> str:
    if not all(step.strip() for step in text.split(".")):
        raise ValueError
    return text


def _trusted(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        raise ValueError from None
    return path


def _certificate(path: Path, others: ValidationInfo) -> Path:
    """Load the certificate with its key, which the model reads before it."""
    if "client_key" not in others.data:
        return path  # the key's file is at fault
    key = others.data["client_key"]
    try:
        # A key with a password would ask for it at the terminal.
        ssl.create_default_context().load_cert_chain(path, key, password=lambda: b"")
    except OSError:
        raise ValueError from None
    return path


def _proxy(secret: SecretStr, others: ValidationInfo) -> SecretStr:
    """Check the proxy. The model reads the base URL before it."""
    text = secret.get_secret_value()
    parts = urlsplit(text)
    if parts.scheme != "http" or not parts.hostname or parts.port == 0 or not text.isprintable():
        raise ValueError
    in_clear = str(others.data.get("base_url", "")).startswith("http:")
    if in_clear and not is_loopback(parts.hostname):
        raise ValueError
    return secret


def _distinct_slots(renames: dict[str, str]) -> dict[str, str]:
    SlotNames(renames)
    return renames


def _json(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _json_but_null(value: object) -> object:
    read = _json(value)
    if read is None and value is not None:
        raise ValueError
    return read


FromJson = BeforeValidator(_json)
FromJsonButNull = BeforeValidator(_json_but_null)
"""For a setting that is bad, and not absent, if its value is `null`."""
Name = Annotated[str, Field(min_length=1)]
HeaderValue = Annotated[SecretStr, AfterValidator(_header_value)]
SealKeys = Annotated[list[Annotated[SecretStr, AfterValidator(_fernet_key)]], Field(min_length=1)]
ArrivalKeys = Annotated[
    list[Annotated[SecretStr, AfterValidator(_signing_key)]], Field(min_length=1)
]
DottedPaths = Annotated[list[Annotated[str, AfterValidator(_dotted_path)]], Field(min_length=1)]
Renames = Annotated[dict[str, Name], AfterValidator(_distinct_slots)]
Seconds = Annotated[float, Field(gt=0, le=MAX_SECONDS, allow_inf_nan=False)]
HEADER_TEXT = "a text of printable characters"
SECONDS = f"seconds, a number above 0 and at most {MAX_SECONDS}"
BaseUrl = Annotated[str, AfterValidator(_base_url)]
KeyFile = FilePath
TrustedFile = Annotated[Path, AfterValidator(_trusted)]
CertificateFile = Annotated[Path, AfterValidator(_certificate)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy)]
