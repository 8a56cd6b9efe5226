"""A seal opens in its own conversation, in its time, as it was made; or no customer is known."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.security.planted import (
    FOREIGN_SEAL_KEY,
    FORGED,
    OLDER_SEAL_KEY,
    ROTATED_SEAL_KEY,
    SEAL_KEY,
)
from tests.security.runner import Attack, Must, each, rows, succeeded
from tests.security.servers import ROTATED, Servers
from tests.security.setups import SETUPS
from tests.security.steps import (
    Step,
    carries_nothing_over,
    claims,
    comes_back,
    copies,
    happens,
    restores,
    says,
    seals,
    shows,
)
from tests.security.values import SIGNED, UNSIGNED, Value, foreign, kept, present, sealed_by, stolen

pytestmark = pytest.mark.asyncio(loop_scope="session")

_ana, _diego = stolen("ana"), stolen("diego")
_by_a_retired_key = (claims("ana"), seals(sealed_by(OLDER_SEAL_KEY, _ana)))

REFUSED = Must(verify="tampered", look_up="tampered")
ANA_ANEW = Must("ana", "tampered", "ok", asks="ana")
"""The seal is refused, and Ana's contextId is at hand."""
DIEGO_ANEW = Must("diego", "tampered", "ok", asks="diego")
"""Diego's contextId is at hand, and came after that of the seal."""
SESSION_OVER = Must(verify="expired", look_up="expired")


def _of_few_events(number: int) -> tuple[Step, ...]:
    return says(), seals(kept("ana")), shows(number)


ELSEWHERE = [
    *rows(
        "stranger",
        REFUSED,
        {
            "a copied seal": seals(_ana),
            "a copied seal, no claim": seals(_ana, None),
            "a copied seal, all slots": (claims("ana"), seals(_ana)),
            "everything of a conversation": copies("ana"),
        },
    ),
    *rows("tampered", REFUSED, {"a copied seal after a clearing": seals(_ana)}),
    *rows(
        "ana",
        ANA_ANEW,
        {
            "a copied seal for a good one": seals(_diego),
            "a copied seal of the same": seals(_ana),
            "everything of another": copies("diego"),
        },
    ),
    *rows(
        "refused",
        Must(None, "tampered", "invalid", asks="refused"),
        {"a copied seal after a failed lookup": seals(_ana)},
    ),
    *rows("stranger", REFUSED, {"a copied seal, keys in common": seals(_ana)}, SIGNED),
    *rows("ana", ANA_ANEW, {"its key is retired": seals(present)}, ROTATED, UNSIGNED),
    *rows("stranger", REFUSED, {"made with a retired key": _by_a_retired_key}, ROTATED, UNSIGNED),
]
"""Seals that are good in another conversation, or were good while their key was in use."""

KEPT = [
    *rows(
        "diego after ana",
        DIEGO_ANEW,
        {
            "the seal of before": seals(kept("ana")),
            "the seal of before, all slots": (claims("ana"), seals(kept("ana"))),
            "the seal of before, Diego's slots": (claims("diego"), seals(kept("ana"))),
            "all slots of before": restores("ana"),
        },
    ),
    *rows(
        "diego after ana, unsaid",
        DIEGO_ANEW,
        {"the seal of before": seals(kept("ana")), "all slots of before": restores("ana")},
    ),
    *rows("diego, a session after ana", DIEGO_ANEW, {"all slots of before": restores("ana")}),
    *rows("diego after a log-out", DIEGO_ANEW, {"all slots of before": restores("ana")}),
    *rows(
        "ana is gone",
        Must(None, "tampered", "invalid"),
        {"the seal of before": seals(kept("ana")), "all slots of before": restores("ana")},
    ),
    *rows(
        "ana is carried over",
        SESSION_OVER,
        {
            "all slots of before": restores("ana"),
            "the seal wiped": (claims("ana"), seals(None)),
            "the seal broken": (claims("ana"), seals("broken")),
        },
    ),
    *rows(
        "ana",
        SESSION_OVER,
        {
            "the seal of before, in a session that carried nothing over": (
                *(carries_nothing_over, comes_back, says()),
                seals(kept("ana")),
            )
        },
    ),
    *rows(
        "logged out",
        SESSION_OVER,
        {
            "the seal of before, in a session that carried nothing over": (
                *(carries_nothing_over, comes_back, says()),
                seals(kept("ana")),
            ),
            "the seal of before, as Rasa still sends the session before": (
                happens("session_started"),
                seals(kept("ana")),
            ),
        },
    ),
    *(
        row
        for setup in ("diego after ana", "logged out")
        for row in rows(
            setup,
            SESSION_OVER,
            {
                "the seal of before is the first event that the host shows": _of_few_events(2),
                "the seal of before, and the host shows no events": _of_few_events(0),
            },
        )
    ),
    *rows(
        "expired",
        Must("bruno", "expired", "ok", asks="bruno"),
        {"the customer's slots": (claims("bruno"), seals(present))},
    ),
    *rows(
        "refused",
        Must(None, "invalid", "invalid"),
        {"the seal of a failed lookup, a customer's slots": (claims("ana"), seals(present))},
    ),
]
"""Of this very conversation, and used too late: another customer came, one logged out, or the
session or the time of the context is over."""


def _raw(seal: str) -> bytes:
    return base64.urlsafe_b64decode(seal.encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _said(seal: str) -> str:
    """Return what it says, without the conversation that it is bound to."""
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


_ALTERED: dict[str, Callable[[str], object]] = {
    "in a list": lambda seal: [seal],
    "in an object": lambda seal: {"value": seal},
    "twice": lambda seal: _text(_raw(seal) * 2),
    "from behind": lambda seal: seal[::-1],
    "in small letters": str.lower,
    "in Base64": lambda seal: _text(seal.encode()),
    "made later": _made_later,
    "with another start value": _started_anew,
    "with two blocks swapped": _blocks_swapped,
    "without a signature": lambda seal: _text(_raw(seal)[:-32]),
    "with a signature of zeros": lambda seal: _text(_raw(seal)[:-32] + bytes(32)),
    "not encrypted": _said,
    "not encrypted, in Base64": lambda seal: _text(_said(seal).encode()),
}


def _altered(change: Callable[[str], object]) -> Value:
    return lambda conversation: change(present(conversation))


_BROKEN: dict[str, object] = {
    **{name: _altered(change) for name, change in _ALTERED.items()},
    "no text": True,
    "a number": 1,
    "a blank text": "",
    "a text of surrogates": "\ud800",
    "a long text": FORGED * 10_000,
    "a list in lists": [[[[[]]]]],
    "an attacker's": foreign,
    "an attacker's for this conversation": sealed_by(FOREIGN_SEAL_KEY, _diego),
    "by a key that is not in use here": sealed_by(SEAL_KEY, _diego),
    "by a key of tomorrow": sealed_by(ROTATED_SEAL_KEY, _diego),
}
BROKEN = rows("ana", ANA_ANEW, {name: (claims("diego"), seals(it)) for name, it in _BROKEN.items()})
"""In the place of a good one."""

GENUINE = [
    *(
        row
        for name, setup in SETUPS.items()
        for server in (UNSIGNED, SIGNED)
        for row in rows(
            name,
            Must(setup.truth, setup.verify, setup.look_up, setup.asks),
            {"goes on": ()},
            server,
        )
    ),
    *rows(
        "diego after ana, unsaid",
        Must("diego", "ok", "ok"),
        {"by an older key": ()},
        *(SIGNED, UNSIGNED),
    ),
]


@each([*ELSEWHERE, *KEPT, *BROKEN])
async def test_a_seal_that_is_not_as_it_was_made(servers: Servers, attack: Attack) -> None:
    """Copied, kept, broken, forged, or by a key that was retired."""
    assert await succeeded(servers, [attack]) == []


@each(GENUINE)
async def test_what_is_not_attacked_goes_on(servers: Servers, attack: Attack) -> None:
    """A genuine seal opens and nothing is asked: no attack fails since everything is refused."""
    assert await succeeded(servers, [attack]) == []


_places = st.integers(0, 2000)
_pieces = st.text(st.sampled_from("AZaz09-_=+/ \n.é"), max_size=4)


@settings(max_examples=150, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    edits=st.lists(st.tuples(_places, _places, _pieces), max_size=4), mixed_at=st.none() | _places
)
@example(edits=[(0, 0, "é")], mixed_at=None)  # Base64 passes over what is none of its letters
async def test_a_seal_with_any_damage(
    servers: Servers, edits: list[tuple[int, int, str]], mixed_at: int | None
) -> None:
    """Characters changed, and the back of another seal: what opens says the same bytes."""
    conversation = servers.set_up("ana", UNSIGNED)
    seal = genuine = present(conversation)
    if mixed_at is not None:
        seal = seal[: mixed_at % len(seal)] + str(_diego(conversation))[mixed_at % len(seal) :]
    for place, length, piece in edits:
        start = place % (len(seal) + 1)
        seal = seal[:start] + piece + seal[start + length % 3 :]
    must = Must("ana", "ok", "ok") if _is_same(seal, genuine) else ANA_ANEW
    assert await succeeded(servers, rows("ana", must, {"edited": seals(seal)})) == []


def _is_same(seal: str, genuine: str) -> bool:
    """Whether a text says the very same bytes: Base64 can write them in several ways."""
    try:
        return _raw(seal) == _raw(genuine)
    except ValueError:
        return False
