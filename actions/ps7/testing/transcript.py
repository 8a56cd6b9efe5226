"""What a conversation was, in a few lines, for the report of a test that failed. Pure.

It shows what a chat window shows, and the slots that changed. What PS7 says of a person (CPF,
account, phone number, contextId …) is called set or null, never shown: test reports are kept, and a
test may have been given real data.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..slots import CONTEXT, is_personal
from .faults import FAULTS
from .personas import PERSONAS
from .rasa_in_memory.domain import SESSION_METADATA
from .rasa_in_memory.replay import LISTEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .simulator import RecordedRequest

_NAMED = {who.context_id for who in PERSONAS.values()} | FAULTS.keys()


def of_conversation(events: Iterable[Mapping[str, Any]], ours: Mapping[str, str]) -> Iterator[str]:
    """Yield a conversation's lines; `ours` leads from the bot's slot names to the plugin's own."""
    noise = {SESSION_METADATA, LISTEN}
    shown = [
        event
        for event in events
        if event["event"] != "user_featurization" and event.get("name") not in noise
    ]
    for kind, group in groupby(shown, key=lambda event: str(event["event"])):
        match kind:
            case "slot":
                yield "  " + ", ".join(_slot(event, ours) for event in group)
            case "user":
                yield from (f"user: {event['text']}{_keys_sent(event)}" for event in group)
            case "bot":
                yield from (f"bot: {event['text'] or '(no text)'}" for event in group)
            case "action":
                yield from (f"({event['name']})" for event in group)
            case _:
                yield from (f"({kind})" for _ in group)


def of_requests(requests: Iterable[RecordedRequest]) -> Iterator[str]:
    """Yield what PS7 was asked, and what it answered."""
    for request in requests:
        if request.refusal:
            yield f"PS7 refused a request: {request.refusal}"
        else:
            context_id = request.json["contextId"]
            known = context_id if context_id in _NAMED else "a contextId of the test's own"
            yield f"PS7 was asked about {known} and answered {request.status}"


def _slot(event: Mapping[str, Any], ours: Mapping[str, str]) -> str:
    name, value = event["name"], event["value"]
    default_name = ours.get(name, "")
    if default_name == CONTEXT or is_personal(default_name):
        return f"{name} {'null' if value is None else 'set'}"
    return f"{name} = {value!r}"


def _keys_sent(event: Mapping[str, Any]) -> str:
    keys = event["parse_data"]["metadata"] or {}
    return f"   [metadata: {', '.join(keys)}]" if keys else ""
