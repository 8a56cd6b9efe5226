"""Seals that are good somewhere else, or were good while their key was."""

from __future__ import annotations

from tests.security.attack import At, Attacker, Must
from tests.security.moves import (
    claims,
    copies,
    present,
    sealed_by,
    seals,
    stolen,
)
from tests.security.planted import OLDER_SEAL_KEY
from tests.security.scenes import SCENES
from tests.security.world import DOOR, OPEN, ROTATED

READER, FORMER, NOBODY = Attacker.READER, Attacker.FORMER, Attacker.NOBODY
_open, _rotated = At(OPEN), At(ROTATED, played_on=OPEN)
_handed_over = At(DOOR, played_on=OPEN)
"""`door` opens the seals of `open`."""

REFUSED = Must(verify="tampered", look_up="tampered")
ANA_ANEW = Must("ana", "tampered", "ok", asks="ana")
"""The seal is refused, and Ana's contextId is at hand."""

_ana, _diego = stolen("ana"), stolen("diego")

COPIED = (
    _open((READER, "stranger"), "a copied seal", seals(_ana), must=REFUSED),
    _open((READER, "stranger"), "a copied seal, no claim", seals(_ana, None), must=REFUSED),
    _open(
        (READER, "stranger"), "a copied seal, all slots", claims("ana"), seals(_ana), must=REFUSED
    ),
    _open((READER, "stranger"), "everything of a conversation", copies("ana"), must=REFUSED),
    _open((READER, "ana is back"), "everything of another", copies("diego"), must=REFUSED),
    _open((READER, "ana is back"), "a copied seal of the same", seals(_ana), must=REFUSED),
    _open((READER, "ana is back"), "a copied seal of another", seals(_diego), must=REFUSED),
    _open((READER, "diego is back"), "a copied seal of who was before", seals(_ana), must=REFUSED),
    _open((READER, "run out"), "a copied seal for one that ran out", seals(_ana), must=REFUSED),
    _open((READER, "cleared"), "a copied seal after a clearing", seals(_ana), must=REFUSED),
    _open((READER, "ana"), "a copied seal for a good one", seals(_diego), must=ANA_ANEW),
    _open(
        (READER, "refused"),
        "a copied seal after a failed lookup",
        seals(_ana),
        must=Must(None, "tampered", "invalid", asks="nobody"),
    ),
    _handed_over((READER, "stranger"), "a copied seal, keys in common", seals(_ana), must=REFUSED),
)
RETIRED = (
    _rotated((FORMER, "ana is back"), "a seal whose key was retired", seals(present), must=REFUSED),
    _rotated(
        (FORMER, "ana"),
        "a seal whose key was retired, the contextId at hand",
        seals(present),
        must=ANA_ANEW,
    ),
    _rotated(
        (FORMER, "stranger"),
        "a seal made with a retired key",
        claims("ana"),
        seals(sealed_by(OLDER_SEAL_KEY, _ana, OLDER_SEAL_KEY)),
        must=REFUSED,
    ),
    _rotated(
        (FORMER, "diego is back"),
        "a seal made with the retired key over a good one",
        claims("ana"),
        seals(sealed_by(OLDER_SEAL_KEY, _ana, OLDER_SEAL_KEY)),
        must=REFUSED,
    ),
)
SEALS = (*COPIED, *RETIRED)

GENUINE = (
    *(
        At(server)(
            (NOBODY, name),
            f"{name}, {server}",
            must=Must(scene.truth, scene.verify, scene.look_up, scene.asks),
        )
        for name, scene in SCENES.items()
        for server in (OPEN, DOOR)
    ),
    _handed_over(
        (NOBODY, "ana is back"),
        "a seal by an older key that is in use",
        must=Must("ana", "ok", "ok"),
    ),
)
"""No attacks: what must go on as it is, so that nothing passes by refusing everything."""
