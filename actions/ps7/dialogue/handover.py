"""What the person who takes over gets: few fields, and raw values only if the bot asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import clock
from ..slots import PERSON_SLOTS, SHARED_SLOTS, STATUS, project
from . import runtime
from .rules import Run, verified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .situation import TrackerLike


def handover(
    tracker: TrackerLike, *, reason: str | None = None, include: Iterable[str] = ()
) -> dict[str, Any]:
    """Return what an agent's desktop may know of this conversation, for a bot's own action.

    It reads the seal, as `verified_context` does, and changes nothing. If no customer is known,
    every field of the customer is None, and `ps7_status` is what `action_ps7_verify` would set.
    `reason` is the bot's: why it gave up. `include` names what is handed over unmasked, such as
    `("agency", "account")`. Run it before `action_ps7_forget`.

    Raises:
        ValueError: `include` names something else than the slots that it may.
        SettingsError: as `verified_context`.

    """
    named = tuple(include)
    if not set(named) <= set(PERSON_SLOTS):  # a mistake may be a value: it is not shown
        raise ValueError(f"include takes these names, in a tuple: {', '.join(PERSON_SLOTS)}")
    run = Run(tracker, runtime.current(), clock.utc_now())
    outcome, customer = verified(run.situation)
    return {
        "reason": reason,
        STATUS: outcome.value,
        "correlation_id": run.correlation_id(),
        **project({name: name for name in (*SHARED_SLOTS, *named)}, customer),
    }
