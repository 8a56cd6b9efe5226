"""A conversation in which customers of PS7 arrive and time passes, and what it was in a few lines.

The lines are for the report of a test that failed: what a chat window shows, and the slots that
changed. Of a slot that tells who the customer is, only set or null is shown: test reports are kept,
and a test may have been given real data. Texts are shown as they are. Nothing here knows pytest.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .. import runtime
from ..conversation.arrival import sign
from ..customer import CONTEXT, is_personal
from .conversation import Conversation
from .faults import FAULTS
from .personas import PERSONAS
from .rasa_in_memory import LISTEN, SESSION_METADATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .conversation import Result
    from .faults import Fault
    from .personas import Persona
    from .simulator import RecordedRequest

_NAMED = {who.context_id for who in PERSONAS.values()} | FAULTS.keys()


class MovableClock:
    """The real time and what a test added to it. All that is given this clock moves as one."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def utc_now(self) -> datetime:
        """Return the time as the plugin's own clock does."""
        return datetime.now(timezone.utc) + self.ahead


class CustomerConversation(Conversation):
    """One conversation with a bot that has this plugin.

    `clock` is the one that the plugin was given too; all other arguments are `Conversation`'s. The
    fixture `bot` is one.

    Raises:
        UnknownNameError: as `Conversation`.

    Examples:
        >>> result = await bot.arrives("bruno", "oi")
        >>> result.slots["segment"]
        'Varejo'
        >>> bot.later(hours=2)

    """

    def __init__(self, *arguments: Any, clock: MovableClock, **options: Any) -> None:
        super().__init__(*arguments, now=lambda: clock.utc_now().timestamp(), **options)
        self._clock = clock

    async def arrives(
        self,
        who: str | Persona | Fault,
        text: str = "oi",
        *,
        metadata: Mapping[str, Any] | None = None,
        intent: str | None = None,
        entities: Sequence[Mapping[str, Any]] = (),
    ) -> Result:
        """Send `text` with a customer's contextId, as the channel of this bot would.

        `who` is a persona or a fault, by name or itself, or any other contextId. It goes where the
        first of `PS7_METADATA_KEYS` says, beside what `metadata` holds; signed for this
        conversation if `PS7_ARRIVAL_KEYS` are set.
        """
        known = (PERSONAS.get(who) or FAULTS.get(who)) if isinstance(who, str) else who
        context_id = known.context_id if known else str(who)
        settings = runtime.current().settings
        if settings.arrival_keys is not None:
            key = settings.arrival_keys[0].get_secret_value()
            context_id = sign(key, context_id, self.sender_id)
        sent = _placed(settings.metadata_keys[0].split("."), context_id, metadata or {})
        return await self.user(text, metadata=sent, intent=intent, entities=entities)

    def later(self, **time: float) -> None:
        """Let time pass for customers and sessions: `later(hours=1, seconds=1)`.

        A context may be over then, and so may the session. All conversations of a test move on; the
        circuit breaker and the token of API Fabric do not.
        """
        self._clock.ahead += timedelta(**time)


def _placed(path: Sequence[str], value: str, beside: Mapping[str, Any]) -> dict[str, Any]:
    """Return `beside` with a value at a path, and what stood around it as it was."""
    first, *rest = path
    inner = _placed(rest, value, beside.get(first) or {}) if rest else value
    return {**beside, first: inner}


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
