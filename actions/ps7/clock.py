"""The one place that asks what time it is, so that a test can move the time."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_now() -> datetime:
    """Return the time of day by which contexts are measured, in UTC."""
    return datetime.now(timezone.utc)
