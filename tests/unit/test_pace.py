"""The pace of requests, with a clock that a wait moves on."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest

from actions.ps7.api import pace
from actions.ps7.errors import (
    ConnectionFailed,
    ContextRejected,
    LookupFailed,
    PS7Unavailable,
    Reason,
    UnexpectedStatus,
)

REFUSED = UnexpectedStatus(Reason.TOO_MANY_REQUESTS, 429)
REJECTED = ContextRejected(Reason.FAILURE_CODE, 200)
FAR, MOMENT = 1e6, 0.001


class Line:
    """A pace and its clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.pace = pace.Pace()
        monkeypatch.setattr(pace, "monotonic", lambda: self.now)
        monkeypatch.setattr(pace, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    async def send(self, *ends: LookupFailed | None, until: float = FAR) -> list[float]:
        """Send requests, each of which ends a moment later; return the seconds between them."""
        sent = []
        for end in ends:
            with suppress(*[type(end)] if end else []):
                async with self.pace.turn(until):
                    sent.append(self.now)
                    self.now += MOMENT
                    if end:
                        raise end
        return [round(later - earlier, 3) for earlier, later in pairwise(sent)]


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    """Return a line in which nobody has waited yet."""
    return Line(monkeypatch)


async def test_requests_go_as_they_come_until_one_is_refused(line: Line) -> None:
    """A failure alone says nothing of the pace; nor do refusals alone, which the breaker counts."""
    down = UnexpectedStatus(Reason.SERVER_ERROR, 503)
    about_one = ContextRejected(Reason.BUSINESS_FAILURE, 500, retry_after=1)
    for end in (None, REJECTED, about_one, down, ConnectionFailed(Reason.READ_TIMEOUT)):
        assert await line.send(*[end] * 20) == [MOMENT] * 19
    line.now += 1
    assert await line.send(*[REFUSED] * 20) == [MOMENT] * 19


@pytest.mark.parametrize(
    ("reason", "retry_after"),
    [(Reason.TOO_MANY_REQUESTS, None), (Reason.TOO_MANY_REQUESTS, 1), (Reason.SERVER_ERROR, 0)],
)
async def test_after_a_refusal_they_go_as_fast_as_ps7_took_them(
    line: Line, reason: Reason, retry_after: float | None
) -> None:
    """As many a second as it did not refuse of the last one, and one more with each other end."""
    await line.send(*[None] * 30)
    line.now += 1  # those are too long ago to count
    await line.send(*[None] * 10, UnexpectedStatus(reason, 503, retry_after))
    assert await line.send(*[None] * 3) == pytest.approx([1 / 10, 1 / 11], abs=MOMENT)
    assert await line.send(*[REJECTED] * 3) == pytest.approx([1 / 13, 1 / 14], abs=MOMENT)


async def test_each_refusal_measures_anew(line: Line) -> None:
    """What is under way counts as taken, until it is refused as well: of the second before it."""
    under_way = [line.pace.turn(FAR) for _ in range(9)]
    for turn in under_way:
        await turn.__aenter__()
    line.now += MOMENT
    await line.send(REFUSED)
    line.now += 1.5
    for left, turn in zip((8, 7), under_way, strict=False):
        await turn.__aexit__(LookupFailed, REFUSED, None)
        assert await line.send(None, None) == [pytest.approx(1 / left, abs=MOMENT)]
    line.now += 1
    await line.send(REFUSED)  # nothing went out for a second: it says nothing
    assert await line.send(None, None) == [pytest.approx(1 / 9, abs=MOMENT)]


async def test_a_late_refusal_makes_nothing_faster(line: Line) -> None:
    """One of a second in which PS7 took more than it does by now."""
    await line.send(*[None] * 10)
    late = line.pace.turn(FAR)
    await late.__aenter__()
    line.now += 1
    await line.send(None, None, REFUSED)
    await late.__aexit__(LookupFailed, REFUSED, None)
    assert await line.send(None, None) == [0.2]


async def test_whose_turn_comes_too_late_hears_it_at_once(line: Line) -> None:
    """And is not sent. One that need not wait is never too late."""
    await line.send(None, None, REFUSED)
    now = line.now
    for until in (now, now + 0.2 - MOMENT):  # five a second: there is no slower pace
        with pytest.raises(PS7Unavailable, match="held_back"):
            await line.send(None, until=until)
    await line.send(None, until=now + 0.2)
    assert line.now == now + 0.2 + MOMENT
    line.now += 0.5
    await line.send(None, until=now)


async def test_who_waits_goes_back_into_line_where_the_pace_changes(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that was made for a faster pace does not go on at that."""
    await line.send(*[None] * 8, REFUSED)
    line.now += 1 - 2.5 * MOMENT
    other = line.pace.turn(FAR)
    await other.__aenter__()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        if not slept:
            await other.__aexit__(LookupFailed, REFUSED, None)
        slept.append(seconds)
        await line.sleep(seconds)

    monkeypatch.setattr(pace, "sleep", sleep)
    await line.send(None)
    assert slept == pytest.approx([0.125, 0.075], abs=MOMENT)


async def test_a_refusal_of_long_ago_holds_nothing_back(line: Line) -> None:
    """After a quiet night the first customers of the day go as they come."""
    await line.send(None, None, REFUSED)
    line.now += 9.9
    assert await line.send(None, None) == [0.2]
    line.now += 0.1
    assert await line.send(*[None] * 20) == [MOMENT] * 19


async def test_where_all_are_refused_there_is_no_pace(line: Line) -> None:
    """Where refusals alone came for two seconds, however many are still under way."""
    under_way, between = [line.pace.turn(FAR) for _ in range(4)], []
    for turn in under_way:
        await turn.__aenter__()
        between += await line.send(*[REFUSED] * 4)
    assert [round(each, 1) for each in between] == [0.2] * 7 + [0.0] * 5
    for turn in under_way:
        await turn.__aexit__(None, None, None)
    await line.send(REFUSED)
    assert await line.send(None, None) == [0.2]
