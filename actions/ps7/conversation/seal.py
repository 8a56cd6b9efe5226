"""The seal in `ps7_context`: what PS7 answered about one contextId, encrypted and authenticated.

The library is cryptography's MultiFernet (AES-128-CBC with HMAC-SHA256). A seal opens for the
conversation it was made for and for no other. Pure: keys, text and a sender id in, values out.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, ValidationError

from ..customer import CustomerContext
from ..outcomes import Outcome
from .arrival import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_LOGGED_OUT = 64
"""ContextIds that a seal remembers to be logged out."""
CLOCK_SKEW = timedelta(minutes=1)
"""By how much another replica's clock may be ahead of ours."""
_MOST_KEPT, _LONGEST_KEPT = 1024, 4096
"""Seals that a process keeps without their answers, and characters of the longest one of these:
some 10 MB at most."""


class Answer(BaseModel):
    """What PS7 said about a contextId."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    context_id: str
    encoded: int | None = None
    customer: CustomerContext | None = None
    """Present if the outcome was `ok`."""


class Contents(BaseModel):
    """What is sealed. Its `repr` shows only the outcome.

    While a new version is rolled out, old and new ones open each other's seals. So an unknown field
    is ignored, here and below: a later version may add one that an older one can lose. If an older
    one would misread it, `version` changes: then nothing but the log-outs is read.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    version: Literal[4] = 4
    outcome: Outcome
    """How the lookup ended; `missing` if nobody is known."""
    sealed_at: datetime
    session: str | None = None
    """Mark of the session in which it was made, the only one in which it is valid. None: it is of
    another version."""
    answer: Answer | None = None
    """None: PS7 was not asked about anything."""
    logged_out: tuple[str, ...] = ()
    """Fingerprints of the contextIds that the conversation does not look up again, newest first."""

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        yield "outcome", self.outcome.value

    @property
    def customer(self) -> CustomerContext | None:
        """Whom PS7 named."""
        return None if self.answer is None else self.answer.customer

    def is_valid_at(self, now: datetime) -> bool:
        """Whether there is a customer, who may still be used."""
        if self.customer is None or self.sealed_at > now + CLOCK_SKEW:
            return False
        return now < self.customer.expires_at


class Seal(NamedTuple):
    """What is known of a seal without its answer: it names nobody, so a process may keep it."""

    text: str
    """As it is in the slot."""
    outcome: Outcome
    sealed_at: datetime
    session: str | None
    logged_out: tuple[str, ...]
    about: str
    """Fingerprint of the contextId that PS7 was asked about; empty: about none."""
    names: tuple[str, ...]
    """What a log-out of it logs out: that text, and what PS7 decoded from it, as fingerprints."""

    @classmethod
    def of(cls, text: str, contents: Contents) -> Seal:
        """Return the seal of this text, which has these contents."""
        answer, customer = contents.answer, contents.customer
        about = "" if answer is None else fingerprint(answer.context_id, answer.encoded)
        known = (answer and answer.context_id, customer and customer.decoded_context_id)
        names = tuple(fingerprint(each) for each in known if each)
        outcome, sealed_at, session = contents.outcome, contents.sealed_at, contents.session
        return cls(text, outcome, sealed_at, session, contents.logged_out, about, names)

    @property
    def names_customer(self) -> bool:
        """Whether it has a customer, or may have one: of another version it is not known."""
        return self.outcome == Outcome.OK


class Sealer:
    """Closes and opens the seals of one bot."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first: the newest closes, all of them open."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._kept = lru_cache(maxsize=_MOST_KEPT)(self._seal)

    def close(self, contents: Contents, sender_id: str) -> str:
        """Return the text for `ps7_context`, bound to the conversation of this sender id."""
        plain = _conversation(sender_id) + contents.model_dump_json().encode()
        return self._fernet.encrypt(plain).decode()

    def open(self, text: object, sender_id: str) -> Contents | None:
        """Return what is sealed, the caller's own copy.

        None: none of the keys made it, or it is of another conversation.

        Of a seal in a format that this version does not know, only the log-outs are read. It is
        `ok` without an answer, and of no session: it can only be expired.
        """
        return self._open(text, _conversation(sender_id))

    def seals(self, texts: Iterable[str], sender_id: str) -> list[Seal]:
        """Return the seals among these texts, in their order and without their answers.

        A process keeps them, so that a session with hundreds of seals costs no time.
        """
        conversation, seals = _conversation(sender_id), []
        for text in texts:
            read = self._kept if len(text) <= _LONGEST_KEPT else self._seal
            seal = read(text, conversation)
            if seal is not None:
                seals.append(seal)
        return seals

    def _seal(self, text: str, conversation: bytes) -> Seal | None:
        contents = self._open(text, conversation)
        return None if contents is None else Seal.of(text, contents)

    def _open(self, text: object, conversation: bytes) -> Contents | None:
        try:
            plain = self._fernet.decrypt(text.encode()) if isinstance(text, str) else b""
        except (InvalidToken, UnicodeEncodeError):
            return None
        if not plain.startswith(conversation):
            return None
        said = plain[len(conversation) :]
        try:
            return Contents.model_validate_json(said)
        except ValidationError:
            return _of_another_version(said)


def _of_another_version(said: bytes) -> Contents:
    """Read what every version has: the log-outs, as far as they are there."""
    try:
        fields = json.loads(said)
    except ValueError:
        fields = None
    logged_out = fields.get("logged_out") if isinstance(fields, dict) else None
    names = logged_out if isinstance(logged_out, list) else ()
    return Contents(
        outcome=Outcome.OK,
        sealed_at=datetime.fromtimestamp(0, tz=timezone.utc),
        logged_out=tuple(name for name in names if isinstance(name, str))[:MAX_LOGGED_OUT],
    )


UNREADABLE = _of_another_version(b"")
"""What stands for contents that no key opens any more."""


def _conversation(sender_id: str) -> bytes:
    """Name a conversation in as many bytes as any other: 32."""
    return hashlib.sha256(sender_id.encode("utf-8", "surrogatepass")).digest()
