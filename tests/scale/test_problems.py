"""What `make outage` and `soak` take for wrong, without a load: one thing among others."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import AsyncMock

import pytest

from actions.ps7.outcomes import Outcome, Reason
from actions.ps7.telemetry import LookupReport
from actions.ps7.testing import PERSONAS
from benchmarks import soak
from benchmarks.bot import LookupLog
from benchmarks.calls import User
from benchmarks.outage import Outage, Turn
from benchmarks.soak import Soak, State, grown

if TYPE_CHECKING:
    from benchmarks.bot import Bot

BEFORE, DARK, BACK = (0.0, 1.0), (11.0, 15.0), (71.0, 72.0)
"""When turns begin and end: PS7 is dark from 10 s to 70 s."""
LATE = "a new user was known again too late"


def an_outage(*turns: Turn, lost: int = 0, tasks: int = 0) -> Outage:
    """Return one of a minute, after which a new user must be known within 10 s."""
    load: Any = SimpleNamespace(turns=[*turns], sent=len(turns) + lost)
    return Outage(load, 10.0, 70.0, 20.0, 7, tasks, 10.0)


GOOD = [
    Turn(*BEFORE, "ok", known=False),
    Turn(*DARK, "ok", known=True),
    Turn(*DARK, "unavailable", known=False),
    Turn(*BACK, "ok", known=False),
]


@pytest.mark.parametrize(
    ("outage", "said"),
    [
        (an_outage(*GOOD), []),
        (an_outage(*GOOD, lost=1), ["a turn was not answered"]),
        (an_outage(*GOOD, Turn(*DARK, "unavailable", known=True)), ["a known user noticed the"]),
        (an_outage(*GOOD, tasks=1), ["a task was left"]),
        (an_outage(*GOOD[:3]), [LATE]),
        (an_outage(*GOOD[:3], Turn(75.0, 80.1, "ok", known=False)), [LATE]),
        # They noticed nothing, or begun before it and ended in the dark: that says nothing of PS7.
        (an_outage(*GOOD[:3], Turn(*BACK, "ok", known=True)), [LATE]),
        (an_outage(*GOOD[:3], Turn(9.9, 10.1, "ok", known=False)), [LATE]),
    ],
)
def test_what_users_may_not_notice_is_a_problem(outage: Outage, said: list[str]) -> None:
    """Not even one of them."""
    found = outage.problems()
    assert [problem[: len(each)] for problem, each in zip(found, said, strict=True)] == said


def test_a_turn_counts_for_the_moment_in_which_it_began() -> None:
    """Before the outage, in the dark, or while the circuit is open; a known user's never."""
    begun = [0.0, 9.9, 10.0, 19.9, 20.0, 69.9, 70.0, 71.0]
    turns = [Turn(at, at + 1 + at / 10, "unavailable", known=False) for at in begun]
    found = an_outage(*turns, *GOOD[:2], Turn(*DARK, "denied", known=True), lost=1, tasks=3)
    assert [*found.figures().values()] == [
        *("11 of 12", 1),
        "median 1000.0, p99 1970.2, most 1990.0 (3 turns)",
        "median 2495.0, p99 2980.1, most 2990.0 (2 turns)",
        "median 5495.0, p99 7940.1, most 7990.0 (2 turns)",
        *(10.0, 7, 4, "inf", 3),
    ]


def test_only_memory_may_grow_and_by_a_twentieth() -> None:
    """Up to that, inclusive."""
    grew = {
        State(1050, 10, 2): [],
        State(900, 9, 1): [],
        State(1051, 10, 2): ["memory"],
        State(1000, 11, 3): ["descriptors", "tasks"],
    }
    assert {after: grown(State(1000, 10, 2), after) for after in grew} == grew


async def test_a_turn_of_a_soak_ends_as_its_answer_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open circuit may make it `unavailable` or `denied`. Who is known has their own CPF."""
    ends = [
        *(("_arrives", "ok", True, ""), ("_returns", "ok", True, "")),
        *(("_returns", "expired", True, "another's data, or none"),),
        *(("_returns", "ok", False, "another's data, or none"),),
        *(("_arrives", "unavailable", False, ""), ("_arrives", "denied", False, "")),
        *(("_arrives", "missing", True, "missing"), ("_arrives", "ok", False, "another's data, ")),
    ]
    now: list[Any] = []

    async def turn(user: User) -> str:
        _, status, is_theirs, _ = now[-1]
        cpf = {who.context_id: who.slots["cpf"] for who in PERSONAS.values() if is_theirs}
        user.slots |= {"ps7_status": status, "cpf": cpf.get(user.context_id, "another's")}
        return str(status)

    monkeypatch.setattr(soak, "_BREATH", 0)
    run = Soak(cast("Bot", SimpleNamespace(turn=turn)))
    for end in ends:
        now.append(end)
        wrong = len(run.wrong)
        await getattr(run, end[0])()
        assert "".join(run.wrong[wrong:]).partition(": ")[2].startswith(end[3]), end
        assert (len(run.wrong) - wrong) == bool(end[3]), end
    assert (run.returning, run.outcomes.total(), len(run._known)) == (3, 5, 2)
    now.append(("", "rejected", False, ""))
    await run._fault("http-500")
    await run._fault("http-400")
    assert run.wrong[-1] == "http-400: rejected"
    assert run.outcomes == {"ok": 2, "unavailable": 1, "denied": 1, "missing": 1, "rejected": 2}


async def test_the_turns_of_a_soak_are_mixed_by_its_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first hundred of each 20,000 fail; nobody comes back before one has come."""
    run = Soak(cast("Bot", None))
    made: list[object] = []
    for name in ("_arrives", "_returns", "_fault"):
        act = AsyncMock(side_effect=lambda fault=name: made.append(fault))
        monkeypatch.setattr(run, name, act)
    kinds = {
        0.59: "_arrives",
        0.6: "_returns",
        0.79: "_returns",
        0.81: soak.QUICK,
        0.99: soak.QUICK,
    }
    kinds |= {0.995: soak.SLOW}
    back: list[tuple[User, str | None]] = [(User("ana"), None)]
    for known in ([], back):
        run._known = known
        chances = iter([*kinds, 0.9, 0.5, 0.9])
        monkeypatch.setattr(
            run, "_chance", SimpleNamespace(random=chances.__next__, choice=lambda names: names)
        )
        await run._worker(iter([*range(100, 106), 99, 20_100, 20_000]))
    failing = ["http-503", "_arrives", "http-503"]
    assert made == [*["_arrives"] * 6, *failing, *kinds.values(), *failing]


@pytest.mark.parametrize(
    ("last", "lines", "said"),
    [
        (3000, 4001, []),
        (2999, 4000, ["turns unanswered"]),
        (3000, 4000, ["lookups without exactly one line"]),
        (3000, 4002, ["lookups without exactly one line"]),
    ],
)
async def test_each_turn_of_a_soak_is_answered_and_each_lookup_logged(
    last: int, lines: int, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the warm-up too, who are 2000 at least. A known customer's turn has no line."""
    reasons = Counter({"ok": lines - 9, "circuit_open": 9})
    bot = SimpleNamespace(log=SimpleNamespace(reasons=reasons))
    talked = iter([2000, last])

    async def talk(run: Soak, first: int, end: int) -> None:
        assert (first, end) in {(0, 2000), (2000, 5000)}
        answered = next(talked)
        run.returning += min(answered, 999) * (first > 0)
        run.outcomes["ok"] += answered - 999 * (first > 0)
        run.wrong += [f"wrong {number}" for number in range(first // 300)]

    states = [State(2**20, 10, 2), State(2**21, 11, 2)]
    monkeypatch.setattr(soak, "simulator", lambda: nullcontext("http://127.0.0.1:1"))
    monkeypatch.setattr(soak, "Bot", lambda settings: bot if settings["PS7_DEADLINE"] else None)
    monkeypatch.setattr(State, "now", AsyncMock(side_effect=states))
    monkeypatch.setattr(Soak, "talk", talk)
    figures, problems = await soak.soak(3000)
    assert problems == ["memory", "descriptors", *(f"wrong {each}" for each in range(5)), *said]
    shown = [value for name, value in figures.items() if name != "turns a second"]
    unlogged = abs(2000 + last - 999 - lines)
    assert shown[:7] == [5000, 2000 + last, 6, unlogged, "1.0 and 2.0", "10 and 11", "2 and 2"]
    assert shown[7:] == [9, f"ok {last + 1001}"]


def test_a_lookup_is_counted_by_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """And the first that the open circuit refused is noted, as the plugin's own lines say it."""
    log, report = LookupLog(), LookupReport("digest", None)
    report.ends(Outcome.UNAVAILABLE, Reason.CIRCUIT_OPEN)
    with caplog.at_level("INFO"):
        report.write()
    assert log.refused_at is None
    log.emit(*caplog.records)
    assert (log.reasons, log.refused_at is None) == ({"circuit_open": 1}, False)
