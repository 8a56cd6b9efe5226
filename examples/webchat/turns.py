"""What one turn of a conversation left behind, as the panel shows it: personal data masked.

Pure: the tracker as Rasa gives it, the simulator's requests and the log lines of action server and
desk come in; what goes out may leave for the browser. A slot is shown if it is on the list
below, and hidden otherwise.

The sources meet in the correlation id, which the chat sends along with each message: it
stands in the metadata of the user's event, in a header of each request to PS7, and in the log line
of the lookup, and in what the agents' desk is handed over.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HIDDEN = "•••"
_CPF = re.compile("[0-9]{11}")
_LIKE_A_CPF = re.compile(r"(?:\d[ ./-]?){11}")
_LAST_DIGITS = 2
_NOT_OF_THE_CUSTOMER = ("session_started_metadata", "requested_slot", "handed_over")
_FORGETS = {"restart", "reset_slots", "session_started"}
_LOOKUP = re.compile(
    r"PS7 lookup: outcome=(?P<outcome>\w+) reason=(?P<reason>\w+) status=(?P<status>\d+|-) "
    r"attempts=(?P<attempts>\d+) ms=(?P<ms>\d+) correlation=(?P<correlation>[\w.-]+)"
)


def _as_it_is(value: str) -> str:
    """Show it, unless something else has written a CPF or a telephone into it."""
    return HIDDEN if _LIKE_A_CPF.search(value) else value


def _masked_cpf(value: str) -> str:
    return f"***.{value[3:6]}.{value[6:9]}-**" if _CPF.fullmatch(value) else HIDDEN


def _last_digits(value: str) -> str:
    """Show the end of an account number, as banks do."""
    hidden = max(len(value) - _LAST_DIGITS, 0)
    return "•" * hidden + value[hidden:] if hidden else HIDDEN


_MASKS: dict[str, Callable[[str], str]] = {
    "ps7_status": _as_it_is,
    "segment": _as_it_is,
    "identification": _as_it_is,
    "security_device": _as_it_is,
    "token_status": _as_it_is,
    "cpf": _masked_cpf,
    "cpf_masked": _as_it_is,
    "agency": _as_it_is,
    "account": _last_digits,
    "ivr_option": _as_it_is,
    "balance_offered": _as_it_is,
    "ps7_expires_at": _as_it_is,
    "channel": _as_it_is,
}
"""What may be seen of a slot or a hand-over, in the order of the panel. Of others: they are set."""


def turn(
    events: Iterable[Mapping[str, Any]],
    requests: Iterable[Mapping[str, Any]],
    log: str,
    correlation_id: str,
    desk_log: str = "",
) -> dict[str, Any] | None:
    """Return the turn whose message has this correlation id, None while Rasa is not done with it.

    Rasa saves a conversation when the turn is over: a tracker that knows the message knows all that
    came of it.
    """
    before: dict[str, Any] = {}
    slots: dict[str, Any] = {}
    brought: Mapping[str, Any] | None = None
    for event in events:
        if event["event"] == "user":
            if brought is not None:
                break
            metadata = event.get("metadata") or {}
            if metadata.get("correlationId") == correlation_id:
                brought, before = metadata, dict(slots)
        elif event["event"] in _FORGETS:
            slots.clear()
        elif event["event"] == "slot":
            slots[event["name"]] = event["value"]
    if brought is None:
        return None
    return {
        "contextId": brought.get("contextId"),
        "status": slots.get("ps7_status"),
        "slots": _shown(slots, before),
        "lookups": _lookups(log, correlation_id),
        "requests": [
            {"method": request["method"], "path": request["path"], "status": request["status"]}
            for request in requests
            if request["correlationId"] == correlation_id
        ],
        "handedOver": _handed_over(desk_log, correlation_id),
    }


def _handed_over(log: str, correlation_id: str) -> list[dict[str, Any]]:
    """List what the desk was handed over in this turn, each value as a slot's would be shown."""
    for context in map(json.loads, log.splitlines()):
        if context.pop("correlation_id") == correlation_id:
            del context["conversation"]  # the page knows it
            reason = {"name": "reason", "value": context.pop("reason"), "masked": False}
            return [reason, *({"name": n, **_masked(n, v)} for n, v in context.items() if v)]
    return []


def _shown(slots: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the slots that hold something, and those that held something before this turn."""
    names = [*_MASKS, *sorted(slots.keys() - _MASKS.keys() - set(_NOT_OF_THE_CUSTOMER))]
    return [
        {
            "name": name,
            **_masked(name, slots.get(name)),
            "changed": slots.get(name) != before.get(name),
        }
        for name in names
        if slots.get(name) is not None or before.get(name) is not None
    ]


def _masked(name: str, value: object) -> dict[str, Any]:
    """Return what may be seen of a value, and whether the slot itself holds more."""
    if value is None:
        return {"value": None, "masked": False}
    held = str(value)
    mask = _MASKS.get(name)
    seen = HIDDEN if mask is None else mask(held)
    return {"value": seen, "masked": seen != held}


def _lookups(log: str, correlation_id: str) -> list[dict[str, Any]]:
    """Read the lines in which the action server says how a lookup ended."""
    return [
        {
            "outcome": found["outcome"],
            "reason": found["reason"],
            "status": None if found["status"] == "-" else int(found["status"]),
            "attempts": int(found["attempts"]),
            "ms": int(found["ms"]),
        }
        for found in _LOOKUP.finditer(log)
        if found["correlation"] == correlation_id
    ]
