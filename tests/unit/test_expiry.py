"""`expireIn` beyond what the vectors show: limits that hold for whatever stands there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from time import tzset
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7.api import wire
from actions.ps7.api.wire import Expiry, usable_until

pytestmark = pytest.mark.versions

NOON = datetime(2024, 5, 10, 12, 0, tzinfo=timezone.utc)
DAY = 86400.0
MONTH = 31 * DAY
SAO_PAULO = ZoneInfo("America/Sao_Paulo")

anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.from_regex(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9:]{4,5})?)?"
    )
    | st.lists(st.integers())
    | st.dictionaries(st.text(), st.integers())
)
moments = st.integers(946684800, 4102444800).map(
    lambda seconds: datetime.fromtimestamp(seconds, timezone.utc)
)


@given(anything, moments, st.floats(0.001, MONTH))
def test_whatever_stands_there_an_answer_holds_for_a_while_and_no_longer_than_allowed(
    expire_in: object, received_at: datetime, max_age: float
) -> None:
    """Never past, never beyond `PS7_MAX_AGE`, always in UTC, and no error comes out."""
    until = usable_until(expire_in, received_at, max_age).until
    assert received_at < until <= received_at + timedelta(seconds=max_age)
    assert until.utcoffset() == timedelta(0)


@given(st.integers(1, int(MONTH)), st.floats(1, MONTH))
def test_seconds_count_from_receipt(seconds: int, max_age: float) -> None:
    """Up to 31 days, as a number or as text, and no longer than `PS7_MAX_AGE`."""
    expected = NOON + timedelta(seconds=min(seconds, max_age))
    for written in (seconds, f" {seconds} ", float(seconds)):
        assert usable_until(written, NOON, max_age) == Expiry(expected)


@given(st.dates(date(2024, 5, 10), date(2024, 6, 8)), st.floats(0, DAY - 1))
def test_a_date_lasts_until_the_last_second_of_that_day_in_sao_paulo(
    day: date, second: float
) -> None:
    """Every moment of that day is before the end, and the next day's first one is not."""
    until = usable_until(day.isoformat(), NOON, MONTH).until
    midnight = datetime.combine(day, time.min, SAO_PAULO)
    assert midnight + timedelta(seconds=second) < until
    assert until == midnight + timedelta(days=1)


@pytest.fixture
def machine_in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run this machine in a time zone of its own."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    tzset()
    yield
    monkeypatch.undo()
    tzset()


@pytest.mark.usefixtures("machine_in_tokyo")
@pytest.mark.parametrize(
    "expire_in", [3600, "2024-05-10", "2024-05-10T10:00:00", "2024-05-10T15:00:00+02:00"]
)
def test_the_moment_is_in_utc_wherever_the_machine_stands(expire_in: object) -> None:
    """Not only the same moment: the slot shows it as it is written."""
    assert usable_until(expire_in, NOON, DAY).until.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["2024-05-11", "2024-05-10T12:00:01"])
def test_without_zone_data_a_local_time_cannot_be_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better a shorter use than an error: `PS7_MAX_AGE` alone."""
    monkeypatch.setattr(wire, "ZONE", "America/Nowhere")
    assert usable_until(text, NOON, MONTH).until == NOON + timedelta(seconds=MONTH)
    assert usable_until("2024-05-10T12:00:01Z", NOON, MONTH).until == NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expire_in", "problem", "shape"),
    [
        *((nothing, None, "") for nothing in (None, "", "  ", 60, "2024-05-10")),
        ("2021-03-21", "is past", "9999-99-99"),
        (0, "is 0 or less", "9"),
        ("-60.5", "is 0 or less", "-99.9"),
        ("2024-05-10T12:00:00Z", "is past", "9999-99-99a99:99:99a"),
        ("5 min\u0007", "cannot be read", "9 aaa?"),
        ("20240510", "cannot be read", "99999999"),
        ("1e999", "cannot be read", "9a999"),
        ("2024-05-32", "cannot be read", "9999-99-99"),
        ("é٣" * 40, "cannot be read", "a9" * 20),
        *((other, "cannot be read", type(other).__name__) for other in (True, [5], {"a": 5})),
    ],
)
def test_what_was_not_expected_is_named_by_its_shape(
    expire_in: object, problem: str | None, shape: str
) -> None:
    """Digits as 9, letters as a, and no value; then `PS7_MAX_AGE` applies."""
    expiry = usable_until(expire_in, NOON, DAY)
    assert (expiry.problem, expiry.shape) == (problem, shape)
    assert problem is None or expiry.until == NOON + timedelta(seconds=DAY)
