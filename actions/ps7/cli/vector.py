"""A recorded answer as a file for `tests/vectors/`: the README there describes the format. Pure."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ..api.json_text import decode as decode_text
from ..api.wire import decode
from ..context import Outcome
from ..dialogue.slots import project
from ..errors import LookupFailed, Reason
from ..slot_table import CUSTOMER_SLOTS
from .scrub import scrubbed, tokens

if TYPE_CHECKING:
    from ..api.wire import Answer
    from ..settings import PS7Settings

_NOON = datetime(2024, 5, 10, 12, 0, tzinfo=timezone.utc)
"""When an answer of a vector came, unless it says otherwise."""
_MAX_AGE = 3600.0
_HEADERS = {"content-type": "application/json"}
_OK = 200
_SLOTS = {name: name for name in CUSTOMER_SLOTS if name != "ps7_payload"}


class ReadOtherwiseError(Exception):
    """With made-up values, the answer would be read in another way."""


@dataclass(frozen=True)
class _Reading:
    outcome: Outcome
    reason: Reason
    slots: dict[str, Any]
    doubtful: tuple[str, ...]
    lasts: timedelta | None

    @property
    def shape(self) -> tuple[object, ...]:
        """What must be the same whatever the values are."""
        return self.outcome, self.reason, self.slots.keys(), self.doubtful, self.lasts


def make_vector(
    answer: Answer, *, received_at: datetime, settings: PS7Settings, about: str | None = None
) -> str:
    """Scrub an answer, and write it down with what it must give.

    When it came counts, and is written down, only where the answer names a date.

    Raises:
        ReadOtherwiseError: nothing that may be published stands for this answer.

    """
    public, came = scrubbed(answer), received_at.replace(microsecond=0)
    real, gives = _read(answer, came, settings), _read(public, came, settings)
    if real.shape != gives.shape:
        raise ReadOtherwiseError
    at_noon = _read(public, _NOON, settings)
    dated = at_noon.shape != gives.shape
    result = gives if dated else at_noon
    parts = {
        "about": about or f"Recorded from PS7: {result.outcome.value}, {result.reason.value}.",
        "status": public.status if public.status != _OK else None,
        "headers": _headers(public),
        **_body(public),
        "received_at": came.isoformat() if dated else None,
        "settings": _settings(settings) or None,
        "outcome": result.outcome.value,
        "reason": result.reason.value if result.reason != Reason.OK else None,
        "slots": result.slots or None,
        "doubtful": list(result.doubtful) or None,
    }
    said = {name: value for name, value in parts.items() if value is not None}
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def _read(answer: Answer, received_at: datetime, settings: PS7Settings) -> _Reading:
    try:
        decoded = decode(
            answer,
            received_at=received_at,
            max_age=settings.max_age,
            strict_cpf=settings.strict_cpf,
        )
    except LookupFailed as failure:
        return _Reading(failure.outcome, failure.reason, {}, (), None)
    slots = project(_SLOTS, decoded.customer)
    return _Reading(
        outcome=Outcome.OK,
        reason=Reason.OK,
        slots={name: value for name, value in slots.items() if value is not None},
        doubtful=tuple(sorted(decoded.doubtful)),
        lasts=decoded.customer.expires_at - received_at,
    )


def _headers(answer: Answer) -> dict[str, str] | None:
    if answer.headers == _HEADERS:
        return None
    return {name.title(): value for name, value in answer.headers.items()}


def _settings(settings: PS7Settings) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if settings.max_age != _MAX_AGE:
        said["max_age"] = settings.max_age
    if settings.strict_cpf:
        said["strict_cpf"] = True
    return said


def _body(answer: Answer) -> dict[str, Any]:
    """Write a body down in the most readable of the forms that lose nothing of it."""
    if not answer.body:
        return {}
    try:
        text, charset = decode_text(answer.body, answer.headers.get("content-type", ""))
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(answer.body).decode()}
    if text.encode() == answer.body:
        value = _plain_json(text)
        return {"text": text} if value is None else {"json": value}
    return {"text": text, "encoding": charset}


def _plain_json(text: str) -> Any:  # noqa: ANN401 - JSON can be anything
    """Give the value of a JSON text that writes nothing in its own way but blanks; else None."""
    try:
        value = json.loads(text)
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    return value if written == _without_blanks(text) else None


def _without_blanks(text: str) -> str:
    return "".join(token.text for token in tokens(text) if not token.text.isspace())
