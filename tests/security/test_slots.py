"""Slots that something else writes say what PS7 said after the next run, or nothing.

A form, an entity, a typed payload or another action can write each of ours. As long as the seal is
untouched, nothing of it stays; where the seal itself is written, PS7 is asked anew or no customer
is known.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.security.conversation import CUSTOMER_SLOTS, SEAL, STATUS
from tests.security.planted import FORGED
from tests.security.runner import OURS, Attack, Must, rows, succeeded
from tests.security.servers import Servers
from tests.security.setups import SETUPS
from tests.security.steps import writes
from tests.security.values import SIGNED, UNSIGNED, foreign, present, said_of, stolen

pytestmark = pytest.mark.asyncio(loop_scope="session")

_CONFUSED: dict[str, Any] = {
    "null": None,
    "blank": "",
    "true": True,
    "zero": 0,
    "list": [],
    "object": {},
    "text": FORGED,
}
_STATUS = {
    "ok": "ok",
    "OK": "OK",
    "oK with a Kelvin sign": "o\u212a",
    "ok and a blank": "ok ",
    "ok in a list": ["ok"],
    "ok in an object": {"value": "ok"},
    "missing": "missing",
    "tampered": "tampered",
}
_SEAL = {
    "an attacker's": foreign,
    "Ana's elsewhere": stolen("ana"),
    "Diego's elsewhere": stolen("diego"),
    "its own in a list": lambda conversation: [present(conversation)],
}


_THE_BOTS_OWN = ("stranger", "tampered", "logged out, a session ago")
"""Setups in which no seal names anybody, and no contextId is at hand."""


def _values(slot: str) -> dict[str, Any]:
    """Return what is written into a slot, by name."""
    if slot in (STATUS, SEAL):
        return _CONFUSED | (_STATUS if slot == STATUS else _SEAL)
    of_ana, of_diego = (_plausible(slot, who) for who in ("ana", "diego"))
    return (
        _CONFUSED
        | {"Ana's": of_ana, "Diego's": of_diego}
        | {"Ana's in a list": [of_ana], "Ana's in an object": {"value": of_ana}}
        | ({"Ana's in capitals": of_ana.upper()} if isinstance(of_ana, str) else {})
        | ({"Ana's as a number": int(of_ana)} if str(of_ana).isdigit() else {})
    )


def _plausible(slot: str, who: str) -> Any:  # noqa: ANN401 - any JSON
    if slot == "ps7_expires_at":
        return "2999-12-31T23:59:59+00:00"
    value = said_of(who)[slot]
    return FORGED if value is None else value


def _forgery(setup: str, server: str, slots: dict[str, str]) -> Attack:
    """Write slots, each with a value of that name; and say what must become of the conversation."""
    goes_on = SETUPS[setup]
    truth, asks = goes_on.truth, goes_on.asks
    verify = goes_on.verify if goes_on.verify in ("ok", "expired") else None
    look_up = None if setup in _THE_BOTS_OWN else goes_on.look_up
    if SEAL in slots:
        verify, asks = None, None if setup == "logged out" else goes_on.at_hand
        if goes_on.at_hand is None:
            truth = look_up = None
    tried = writes(**{slot: _values(slot)[kind] for slot, kind in slots.items()})
    name = ", ".join(f"{slot} is {kind}" for slot, kind in slots.items())
    (attack,) = rows(setup, Must(truth, verify, look_up, asks), {name: tried}, server)
    return attack


@pytest.mark.parametrize("setup", SETUPS)
async def test_one_slot_with_a_value_of_any_type(servers: Servers, setup: str) -> None:
    """After a good lookup, before any, and after every way in which a customer goes."""
    slots = (STATUS, SEAL, *CUSTOMER_SLOTS)
    attacks = [_forgery(setup, UNSIGNED, {slot: it}) for slot in slots for it in _values(slot)]
    assert await succeeded(servers, attacks, OURS) == []


@st.composite
def _forgeries(draw: st.DrawFn) -> Attack:
    server = draw(st.sampled_from([UNSIGNED, SIGNED]))
    # The tokens of a signed arrival, which a new seal would need, grow old meanwhile.
    slots = (STATUS, *([SEAL] if server == UNSIGNED else []), *CUSTOMER_SLOTS)
    some = draw(st.lists(st.sampled_from(slots), min_size=2, unique=True))
    kinds = {slot: draw(st.sampled_from(list(_values(slot)))) for slot in some}
    return _forgery(draw(st.sampled_from(list(SETUPS))), server, kinds)


@settings(max_examples=150, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(attack=_forgeries())
async def test_any_slots_with_any_values(servers: Servers, attack: Attack) -> None:
    """Two at least, the seal and the status among them or not, in any conversation."""
    assert await succeeded(servers, [attack]) == []
