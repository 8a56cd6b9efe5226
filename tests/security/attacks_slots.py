"""Slots that somebody else writes: every one of ours, alone and together, with values of any type.

A form, an entity, a typed payload or another action can write each of them. As long as the seal is
untouched, nothing of it stays; where the seal itself is written, PS7 is asked anew or nobody is
there.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from tests.security.attack import At, Attacker, Must
from tests.security.moves import foreign, present, says_of, stolen, writes
from tests.security.planted import FORGED
from tests.security.scenes import SCENES
from tests.security.talk import CUSTOMER_SLOTS, SEAL, STATUS
from tests.security.world import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.attack import Attack
    from tests.security.talk import Talk
    from tests.security.world import World

SLOTS = (STATUS, SEAL, *CUSTOMER_SLOTS)
_LATER = "2999-12-31T23:59:59+00:00"
_CONFUSED: dict[str, Any] = {
    "null": None,
    "blank": "",
    "true": True,
    "zero": 0,
    "list": [],
    "object": {},
    "text": FORGED,
}


def values(slot: str) -> dict[str, Any]:
    """Give what is written into a slot, by what one may call it."""
    if slot == STATUS:
        return _CONFUSED | {
            "ok": "ok",
            "OK": "OK",
            "oK with a Kelvin sign": "o\u212a",
            "ok and a blank": "ok ",
            "ok in a list": ["ok"],
            "ok in an object": {"value": "ok"},
            "missing": "missing",
            "tampered": "tampered",
        }
    if slot == SEAL:
        return _CONFUSED | {
            "an attacker's": foreign(),
            "Ana's elsewhere": stolen("ana"),
            "Diego's elsewhere": stolen("diego"),
            "its own in a list": _in_a_list,
        }
    plausible = {who: _plausible(slot, who) for who in ("ana", "diego")}
    of_ana = plausible["ana"]
    return (
        _CONFUSED
        | plausible
        | {"Ana's in a list": [of_ana], "Ana's in an object": {"value": of_ana}}
        | ({"Ana's in capitals": of_ana.upper()} if isinstance(of_ana, str) else {})
        | ({"Ana's as a number": int(of_ana)} if str(of_ana).isdigit() else {})
    )


def one_at_a_time(scene: str, server: str) -> Iterator[Attack]:
    """Write one slot."""
    for slot in attackable(server):
        for kind, value in values(slot).items():
            yield forgery(scene, {slot: value}, f"{slot} is {kind}", server)


def two_at_a_time(scene: str, server: str) -> Iterator[Attack]:
    """Write two slots as a forger would: with what another customer would have there."""
    other = "ana" if SCENES[scene].truth == "diego" else "diego"
    worth = {slot: _plausible(slot, other) for slot in CUSTOMER_SLOTS}
    worth |= {STATUS: "ok", SEAL: stolen(other)}
    for one, two in combinations(attackable(server), 2):
        slots = {one: worth[one], two: worth[two]}
        yield forgery(scene, slots, f"{one} and {two} of {other}", server)


def forgery(scene: str, slots: dict[str, Any], name: str, server: str) -> Attack:
    """Write slots, and say what must become of the conversation."""
    goes_on = SCENES[scene]
    truth, asks = goes_on.truth, goes_on.asks
    verify = goes_on.verify if goes_on.verify in ("ok", "expired") else None
    look_up = None if scene in ("stranger", "cleared") else goes_on.look_up
    if SEAL in slots:
        verify, asks = None, goes_on.at_hand
        if scene == "forgotten":
            asks = None
        elif asks is None:
            truth = look_up = None
    must = Must(truth, verify, look_up, asks)
    full_name = f"{scene}, {server}: {name}"
    return At(server)((Attacker.USER, scene), full_name, writes(**slots), must=must)


def attackable(server: str) -> tuple[str, ...]:
    """Give the slots to forge in a conversation.

    Without the seal where that is another attack: behind a door the tokens that it needs grow old
    meanwhile.
    """
    return tuple(slot for slot in SLOTS if server == OPEN or slot != SEAL)


def _plausible(slot: str, who: str) -> Any:  # noqa: ANN401 - any JSON
    if slot == "ps7_expires_at":
        return _LATER
    value = says_of(who)[slot]
    return FORGED if value is None else value


def _in_a_list(talk: Talk, world: World) -> list[str]:
    return [present(talk, world)]
