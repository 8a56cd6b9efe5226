"""The actions that Rasa brings along: what they say, and the events that they return.

Follows rasa/core/actions/action.py. A domain that lists one of these names has its own instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .domain import CARRY_OVER, own_actions
from .events import LISTEN, SESSION_START, Event
from .replay import applied
from .result import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .domain import Domain

# What is said, if the domain has it, and the kinds of the events.
_ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    LISTEN: ((), ()),
    "action_restart": (("utter_restart",), ("restart",)),
    "action_default_fallback": (("utter_default",), ("rewind",)),
    "action_back": (("utter_back",), ("rewind", "rewind")),
}


def run(name: str, domain: Domain, visible: Iterable[Event]) -> Result | None:
    """Return what an action of Rasa's own does; None if it is the bot's to answer.

    `visible` are the events of the latest session.
    """
    if name in own_actions(domain):
        return None
    if name in domain.get("responses", {}):
        return Result(responses=[{"response": name}])
    if name == SESSION_START:
        return Result(events=_session_start(domain, visible))
    if name not in _ACTIONS:
        return None
    answers, kinds = _ACTIONS[name]
    return Result([{"event": kind} for kind in kinds], [{"response": each} for each in answers])


def _session_start(domain: Domain, visible: Iterable[Event]) -> list[Event]:
    carried = [event for event in applied(visible) if event["event"] == "slot"]
    carry_over = domain["session_config"].get(CARRY_OVER, True)
    listen = {"event": "action", "name": LISTEN}
    return [{"event": "session_started"}, *(carried if carry_over else []), listen]
