"""The seal in `ps7_context`: how one run ended, encrypted and authenticated.

The library is cryptography's MultiFernet (AES-128-CBC with HMAC-SHA256). A seal opens for the
conversation it was made for and for no other. Pure: keys, text and a sender id in, values out.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import BaseModel, ConfigDict, ValidationError

from ..customer import CustomerContext
from ..outcomes import Outcome
from .arrival import fingerprint

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

MAX_LOGGED_OUT = 64
"""ContextIds that a conversation remembers to be logged out."""
LEAST_OTHERS = 4
"""So many of them need not have named a customer, however many others did."""
_MOST_KEPT, _LONGEST_KEPT = 1024, 4096
"""Heads that a process keeps, and characters of a seal whose head it keeps: some 10 MB at most."""
_NUMBER = attrgetter("number")
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

    text: ClassVar[str] = ""
    """As it is not in a slot yet; the head of one that is has its text."""
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
    customers_out: int = 0
    """So many of these, the first ones, named a customer."""
    guesses: int = 0
    """About so many contextIds of this conversation PS7 was asked in vain, in whichever session."""
    customer: CustomerContext | None = None
    """Present if the outcome is `ok`, in a seal of this version."""

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        yield "outcome", self.outcome.value

    def valid_at(self, now: datetime) -> bool:
        """Whether the customer of this seal may still be used."""
        if self.customer is None or self.sealed_at > now + CLOCK_SKEW:
            return False
        return now < self.customer.expires_at


class Head(NamedTuple):
    """What a seal reports without its customer and contextId, so that a process may keep it."""

    text: str
    """The seal as it is in the slot."""
    number: int
    outcome: Outcome
    sealed_at: datetime
    session: str | None
    fingerprint: str
    logged_out: tuple[str, ...]
    customers_out: int
    guesses: int
    asked: bool
    """Whether its session has asked PS7 about that contextId."""
    named: bool
    """Whether it names a customer."""
    names: tuple[str, ...]
    """By which fingerprints a log-out knows it: of the contextId's text, and of the decoded one."""

    @classmethod
    def of(cls, text: str, seal: Seal) -> Head:
        """Return the head of a seal, and its text."""
        decoded = None if seal.customer is None else seal.customer.decoded_context_id
        return cls(
            text,
            seal.number,
            seal.outcome,
            seal.sealed_at,
            seal.session,
            seal.fingerprint,
            seal.logged_out,
            seal.customers_out,
            seal.guesses,
            asked=seal.context_id is not None,
            named=seal.customer is not None,
            names=tuple(fingerprint(each) for each in (seal.context_id, decoded) if each),
        )

    @property
    def of_another_version(self) -> bool:
        """Whether nothing but number and log-outs is known of this seal: see `Sealer.open`."""
        return self.outcome == Outcome.OK and not self.named


class LogOuts(NamedTuple):
    """The log-outs of a conversation, each kind with the newest first."""

    customers: tuple[str, ...] = ()
    """Those that named a customer. They are forgotten last: anybody can make up the others."""
    others: tuple[str, ...] = ()

    @classmethod
    def of(cls, seals: Iterable[Head]) -> LogOuts:
        """Return what any of these seals knows, the newest of them first."""
        customers: dict[str, None] = {}
        others: dict[str, None] = {}
        for seal in seals:
            customers |= dict.fromkeys(seal.logged_out[: seal.customers_out])
            others |= dict.fromkeys(seal.logged_out[seal.customers_out :])
        return cls(tuple(customers), tuple(each for each in others if each not in customers))

    def has(self, fingerprint: str) -> bool:
        """Whether this one is logged out."""
        return fingerprint in self.customers or fingerprint in self.others

    def and_hit(self, hit: str, own: str) -> LogOuts:
        """Return these with the one that was hit in front, and that of the contextId itself.

        The latter is none of a customer's: one customer takes one place among those.
        """
        return self.and_newer((hit,) if hit in self.customers else (), (own, hit))

    def and_newer(self, customers: Iterable[str], others: Iterable[str]) -> LogOuts:
        """Return these with newer ones in front."""
        first = dict.fromkeys((*customers, *self.customers))
        then = dict.fromkeys((*others, *self.others))
        return LogOuts(tuple(first), tuple(each for each in then if each not in first))

    def remembered(self) -> LogOuts:
        """Return as many of them as a seal keeps."""
        free = max(MAX_LOGGED_OUT - len(self.customers), LEAST_OTHERS)
        others = self.others[:free]
        return LogOuts(self.customers[: MAX_LOGGED_OUT - len(others)], others)

    def are_in(self, seal: Seal | Head) -> bool:
        """Whether a seal has all of them."""
        known = set(seal.logged_out[: seal.customers_out])
        return known.issuperset(self.customers) and {*seal.logged_out}.issuperset(self.others)

    @property
    def in_seal(self) -> dict[str, Any]:
        """The fields of a seal that has as many of them as it keeps."""
        if self == NO_LOG_OUTS:
            return {}
        kept = self.remembered()
        return {
            "logged_out": (*kept.customers, *kept.others),
            "customers_out": len(kept.customers),
        }


NO_LOG_OUTS = LogOuts()


class Sealer:
    """Closes and opens the seals of one bot."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take Fernet keys, newest first: the newest closes, all of them open."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._kept = lru_cache(maxsize=_MOST_KEPT)(self._head)

    def close(self, seal: Seal, sender_id: str) -> str:
        """Return the text for `ps7_context`, bound to the conversation of this sender id."""
        plain = _conversation(sender_id) + seal.model_dump_json().encode()
        return self._fernet.encrypt(plain).decode()

    def open(self, text: object, sender_id: str) -> Seal | None:
        """Read a seal; None if none of the keys made it, or for another conversation.

        A seal in a format that this version does not know is `ok` without a customer, and of no
        session: it can only be expired.
        """
        return self._open(text, _conversation(sender_id))

    def heads(self, texts: Collection[str], sender_id: str) -> list[Head]:
        """Return the heads of the seals among these texts, the highest number first.

        A process keeps heads, so that a session with hundreds of seals costs no time.
        """
        if not texts:
            return []
        conversation, heads = _conversation(sender_id), []
        for text in texts:
            read = self._kept if len(text) <= _LONGEST_KEPT else self._head
            head = read(text, conversation)
            if head is not None:
                heads.append(head)
        heads.sort(key=_NUMBER, reverse=True)
        return heads

    def _head(self, text: str, conversation: bytes) -> Head | None:
        seal = self._open(text, conversation)
        return None if seal is None else Head.of(text, seal)

    def _open(self, text: object, conversation: bytes) -> Seal | None:
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
    names, customers = (
        logged_out if isinstance(logged_out, list) else (),
        known.get("customers_out"),
    )
    return Seal(
        number=number if type(number) is int else 0,
        outcome=Outcome.OK,
        sealed_at=datetime.fromtimestamp(0, tz=timezone.utc),
        logged_out=tuple(name for name in names if isinstance(name, str))[:MAX_LOGGED_OUT],
        customers_out=max(customers, 0) if type(customers) is int else 0,
    )


def _conversation(sender_id: str) -> bytes:
    """Name a conversation in as many bytes as any other: 32."""
    return hashlib.sha256(sender_id.encode("utf-8", "surrogatepass")).digest()
