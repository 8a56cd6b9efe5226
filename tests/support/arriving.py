"""A signed arrival that comes now, read as the plugin reads it."""

from __future__ import annotations

from collections.abc import Sequence

from actions.ps7 import clock
from actions.ps7.conversation.arrival import Arrival, ArrivalVerifier, look_in


def arrived(token: str, keys: Sequence[str], sender_id: str) -> Arrival:
    """Return what a message with this token brings; it must be in time, and not refused."""
    hit = look_in({"contextId": token}, [["contextId"]])
    assert hit is not None
    found = ArrivalVerifier(keys).read(hit, sender_id)
    assert found.refused is None
    assert found.may_arrive_at(clock.utc_now().timestamp())
    return found
