"""`expireIn`: until when an answer may be used. The interface documents no unit for it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from ..context import wire_text

ZONE = "America/Sao_Paulo"
MAX_SECONDS = 31 * 86400
"""A larger number is no number of seconds; it may be a moment or a date without its dashes."""

_SECONDS = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = TypeAdapter(datetime)


def usable_until(expire_in: object, received_at: datetime, max_age: float) -> datetime:
    """Return the moment (UTC) from which an answer is too old.

    `expire_in` is what the wire holds. A number: seconds from receipt, up to 31 days. A date: the
    end of that day in Brazil's official time. A date-time: that moment, in the same zone if it
    names none. What cannot be read, or is not in the future at receipt, counts as absent, since the
    documented example is both a date and long past.

    `max_age` (seconds from receipt) is the upper limit, and what holds where nothing else does.
    """
    limit = received_at + timedelta(seconds=max_age)
    stated = _stated(wire_text(expire_in) or "", received_at)
    if stated is None or stated <= received_at:
        return limit
    return min(stated, limit)


def _stated(text: str, received_at: datetime) -> datetime | None:
    try:
        if _SECONDS.fullmatch(text):
            seconds = float(text)
            return received_at + timedelta(seconds=seconds) if seconds <= MAX_SECONDS else None
        if _DATE.fullmatch(text):
            next_day = date.fromisoformat(text) + timedelta(days=1)
            return _in_brazil(datetime.combine(next_day, time.min))
        if not _DATE.match(text):
            return None
        moment = _MOMENT.validate_python(text)
        return _in_brazil(moment) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValidationError, ValueError, OverflowError, ZoneInfoNotFoundError):
        return None


def _in_brazil(moment: datetime) -> datetime:
    return moment.replace(tzinfo=ZoneInfo(ZONE)).astimezone(timezone.utc)
