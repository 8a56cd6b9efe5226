"""The seal in `ps7_context`: how one run ended, encrypted and authenticated.

The library is cryptography's MultiFernet (AES-128-CBC with HMAC-SHA256). A seal opens for the
conversation it was made for and for no other. Pure: keys, text and a sender id in, values out.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, ValidationError

from ..customer import CustomerContext
from ..outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_LOGGED_OUT = 64
"""ContextIds that a conversation remembers to be logged out, the newest first."""
CLOCK_SKEW = timedelta(minutes=1)
"""By how much another replica's clock may be ahead of ours."""


class Seal(BaseModel):
    """What a seal contains. Its `repr` shows only the outcome.

    While a new version is rolled out, old and new ones open each other's seals. So an unknown field
    is ignored, here and in the customer: a later version may add one that an older one can lose. If
    an older one would misread it, the format's number changes, in two releases: the first reads
    both (`Literal[3, 4] = 3`), the second writes the new one (`Literal[3, 4] = 4`).
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: Literal[3] = 3
    number: int
    """The highest number of a conversation is its newest seal."""
    outcome: Outcome
    """How the lookup ended; `expired` if the time was over, `missing` if nobody is known."""
    sealed_at: datetime
    session: str | None = None
    """Mark of the session in which it was made; the seal is valid in no other."""
    fingerprint: str = ""
    """Of what this seal is about (`arrival.fingerprint`); empty: about nothing."""
    context_id: str | None = None
    """Of what this seal is about; None if this session has not asked PS7 about it."""
    encoded: int | None = None
    logged_out: tuple[str, ...] = ()
    """Fingerprints of the texts of contextIds that this conversation does not look up again."""
    customer: CustomerContext | None = None
    """Present if the outcome is `ok`, in a seal of this version."""

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        yield "outcome", self.outcome.value

    @property
    def of_another_version(self) -> bool:
        """Whether nothing but number and log-outs is known of this seal: see `Sealer.open`."""
        return self.outcome == Outcome.OK and self.customer is None

    def valid_at(self, now: datetime) -> bool:
        """Whether the customer of this seal may still be used."""
        if self.customer is None or self.sealed_at > now + CLOCK_SKEW:
            return False
        return now < self.customer.expires_at


def remembered(fingerprints: Iterable[str]) -> tuple[str, ...]:
    """Return the log-outs that a seal keeps: each once, in their order, and not too many."""
    return tuple(dict.fromkeys(fingerprints))[:MAX_LOGGED_OUT]


class Sealer:
    """Closes and opens the seals of one bot."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first: the newest closes, all of them open."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def close(self, seal: Seal, sender_id: str) -> str:
        """Return the text for `ps7_context`, bound to the conversation of this sender id."""
        plain = _conversation(sender_id) + seal.model_dump_json().encode()
        return self._fernet.encrypt(plain).decode()

    def open(self, text: object, sender_id: str) -> Seal | None:
        """Read a seal; None if none of the keys made it, or for another conversation.

        A seal in a format that this version does not know is `ok` without a customer, and of no
        session: it can only be expired.
        """
        conversation = _conversation(sender_id)
        try:
            plain = self._fernet.decrypt(text.encode()) if isinstance(text, str) else b""
        except (InvalidToken, UnicodeEncodeError):
            return None
        if not plain.startswith(conversation):
            return None
        said = plain[len(conversation) :]
        try:
            return Seal.model_validate_json(said)
        except ValidationError:
            return _of_another_version(said)


def _of_another_version(said: bytes) -> Seal:
    """Read what every version has: the number and the log-outs, as far as they are there."""
    try:
        fields = json.loads(said)
    except ValueError:
        fields = None
    known = fields if isinstance(fields, dict) else {}
    number, logged_out = known.get("number"), known.get("logged_out")
    names = logged_out if isinstance(logged_out, list) else ()
    return Seal(
        number=number if type(number) is int else 0,
        outcome=Outcome.OK,
        sealed_at=datetime.fromtimestamp(0, tz=timezone.utc),
        logged_out=remembered(name for name in names if isinstance(name, str)),
    )


def _conversation(sender_id: str) -> bytes:
    """Name a conversation in as many bytes as any other: 32."""
    return hashlib.sha256(sender_id.encode("utf-8", "surrogatepass")).digest()
