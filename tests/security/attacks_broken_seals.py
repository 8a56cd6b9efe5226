"""Seals that were damaged, or made by somebody else, in the place of a good one."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from tests.security.attack import At, Attacker, Must
from tests.security.attacks_seals import ANA_ANEW, REFUSED
from tests.security.moves import (
    altered,
    claims,
    foreign,
    is_same,
    present,
    sealed_by,
    seals,
    stolen,
)
from tests.security.planted import (
    FOREIGN_SEAL_KEY,
    FORGED,
    OLDER_SEAL_KEY,
    ROTATED_SEAL_KEY,
    SEAL_KEY,
)
from tests.security.tokens import LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.attack import Attack

WRITER = Attacker.WRITER
_open = At()
_diego = stolen("diego")


def _raw(seal: str) -> bytes:
    return base64.urlsafe_b64decode(seal)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _opened(seal: str) -> str:
    """Give what it says, without the conversation that it is bound to."""
    return Fernet(OLDER_SEAL_KEY).decrypt(seal)[32:].decode()


def _made_later(seal: str) -> str:
    """Change the time at which it was made: eight bytes after the version."""
    raw = _raw(seal)
    return _text(raw[:1] + bytes([0, 0, 0, 0, 255, 255, 255, 255]) + raw[9:])


def _started_anew(seal: str) -> str:
    """Change the cipher's start value, and with it the first bytes of what is said."""
    raw = _raw(seal)
    return _text(raw[:9] + bytes(byte ^ 1 for byte in raw[9:25]) + raw[25:])


def _blocks_swapped(seal: str) -> str:
    """Swap two blocks of the cipher text."""
    raw = _raw(seal)
    return _text(raw[:25] + raw[41:57] + raw[25:41] + raw[57:])


def _instead(name: str, seal: object) -> tuple[Attack, Attack]:
    """Put this in the place of a good seal, with the contextId at hand and without."""
    return (
        _open((WRITER, "ana"), f"{name}, the contextId at hand", seals(seal), must=ANA_ANEW),
        _open((WRITER, "ana is back"), name, claims("diego"), seals(seal), must=REFUSED),
    )


BROKEN = tuple(
    attack
    for name, seal in {
        "a seal in a list": altered(present, lambda seal: [seal]),
        "a seal in an object": altered(present, lambda seal: {"value": seal}),
        "a seal twice": altered(present, lambda seal: _text(_raw(seal) * 2)),
        "a seal from behind": altered(present, lambda seal: seal[::-1]),
        "a seal in small letters": altered(present, str.lower),
        "a seal in Base64": altered(present, lambda seal: _text(seal.encode())),
        "a seal made later": altered(present, _made_later),
        "a seal with another start value": altered(present, _started_anew),
        "a seal with two blocks swapped": altered(present, _blocks_swapped),
        "a seal and no signature": altered(present, lambda seal: _text(_raw(seal)[:-32])),
        "a seal and a signature of zeros": altered(
            present, lambda seal: _text(_raw(seal)[:-32] + bytes(32))
        ),
        "what the seal says, not encrypted": altered(present, _opened),
        "what the seal says, in Base64": altered(
            present, lambda seal: _text(_opened(seal).encode())
        ),
        "no text": True,
        "a number": 1,
        "a blank text": "",
        "a text of surrogates": "\ud800",
        "a long text": FORGED * 10_000,
        "a list in lists": [[[[[]]]]],
        "an attacker's": foreign(),
        "an attacker's for this conversation": sealed_by(FOREIGN_SEAL_KEY, _diego, OLDER_SEAL_KEY),
        "one by a key that is not in use here": sealed_by(SEAL_KEY, _diego, OLDER_SEAL_KEY),
        "one by a key of tomorrow": sealed_by(ROTATED_SEAL_KEY, _diego, OLDER_SEAL_KEY),
    }.items()
    for attack in _instead(name, seal)
)


def changed(name: str, seal: str, genuine: str) -> Attack:
    """Put a changed seal into its own conversation: it opens only if the bytes are the same."""
    must = Must("ana", "ok", "ok") if is_same(seal, genuine) else REFUSED
    return _open((WRITER, "ana is back"), name, seals(seal), must=must)


def cut(genuine: str) -> Iterator[Attack]:
    """Cut a seal at every length."""
    for length in range(len(genuine)):
        yield changed(f"a seal of {length} characters", genuine[:length], genuine)


def flipped(genuine: str) -> Iterator[Attack]:
    """Flip one bit of every character, each of which says six."""
    for place, letter in enumerate(genuine):
        value = LETTERS.find(letter) ^ (1 << place % 6)
        text = genuine[:place] + LETTERS[value] + genuine[place + 1 :]
        yield changed(f"a seal with a bit flipped at {place}", text, genuine)
