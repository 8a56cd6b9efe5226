"""What `ps7_context` holds: an outcome and a customer, encrypted, authenticated, and bound.

The library is cryptography's MultiFernet (AES-128-CBC with HMAC-SHA256). A seal opens for the
conversation it was made for and for no other. Pure: keys, text and a sender id in, values out.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ..context import CustomerContext, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_REMEMBERED = 16
"""ContextIds of one kind that one conversation remembers."""


class Seen(NamedTuple):
    """Events of a tracker that need not be read again: their messages brought what was sealed."""

    events: int
    """How many; 0 where the contextId stood elsewhere."""
    last: str
    """The timestamp of the last of them, which tells whether the same events still stand there."""


UNSEEN = Seen(0, "")


class Sealed(BaseModel):
    """What a seal says."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    outcome: Outcome
    """How the lookup ended; `missing` where the customer was forgotten."""
    fingerprint: str
    """Of the contextId that was looked up; empty where the seal only remembers others."""
    sealed_at: datetime
    customer: CustomerContext | None = None
    """Present exactly where the outcome is `ok`."""
    forgotten: tuple[str, ...] = ()
    """Fingerprints of contextIds that are not looked up again in this conversation."""
    replaced: tuple[str, ...] = ()
    """Fingerprints of contextIds after which another one came, the newest first."""
    session: str = ""
    """In which session of the conversation this was sealed."""
    asked: tuple[str, ...] = ()
    """Fingerprints of the contextIds that were looked up in that session, the first one first."""
    seen: Seen = UNSEEN
    """Up to where the tracker had been read by then."""

    @field_validator("customer", mode="before")
    @classmethod
    def _read_anew(cls, customer: object) -> object:
        """Take the values of a customer, whatever class of ours holds them.

        A host that reloads modules leaves instances of the same class from before behind.
        """
        if isinstance(customer, CustomerContext) or not isinstance(customer, BaseModel):
            return customer
        return customer.model_dump()

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        """Name the outcome alone."""
        yield "outcome", self.outcome.value

    @property
    def holds_until(self) -> datetime:
        """When the customer is too old; the moment of sealing where there is none."""
        return self.sealed_at if self.customer is None else self.customer.expires_at

    def good_at(self, now: datetime) -> bool:
        """Tell whether the customer of this seal may still be used."""
        return self.customer is not None and now < self.customer.expires_at


def remembered(*fingerprints: str) -> tuple[str, ...]:
    """Bring fingerprints into what a seal keeps: each once, in their order, and not too many."""
    return tuple(dict.fromkeys(filter(None, fingerprints)))[:MAX_REMEMBERED]


class Sealer:
    """Closes and opens the seals of one bot."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first: the newest closes, all of them open."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def close(self, sealed: Sealed, sender_id: str) -> str:
        """Make the text for `ps7_context`, bound to the conversation of this sender id."""
        plain = _conversation(sender_id) + sealed.model_dump_json().encode()
        return self._fernet.encrypt(plain).decode()

    def open(self, text: object, sender_id: str) -> Sealed | None:
        """Read a seal; None where there is none, it is not ours, or another conversation's."""
        if not isinstance(text, str):
            return None
        conversation = _conversation(sender_id)
        try:
            plain = self._fernet.decrypt(text.encode())
            if not plain.startswith(conversation):
                return None
            return Sealed.model_validate_json(plain[len(conversation) :])
        except (InvalidToken, ValidationError, UnicodeEncodeError):
            return None

    def made(self, text: object) -> bool:
        """Tell whether a key of ours made a seal, for whichever conversation."""
        if not isinstance(text, str):
            return False
        try:
            self._fernet.decrypt(text.encode())
        except (InvalidToken, UnicodeEncodeError):
            return False
        return True


def _conversation(sender_id: str) -> bytes:
    """Name a conversation in as many bytes as any other: 32."""
    return hashlib.sha256(sender_id.encode("utf-8", "surrogatepass")).digest()
