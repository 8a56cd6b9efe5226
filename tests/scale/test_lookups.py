"""What the benchmarks make of lookups and calls: all of them made up, but for a few."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock, Mock
from urllib.parse import urlsplit

import pytest

if sys.platform != "linux":
    pytest.skip("a benchmark keeps processes on their cores", allow_module_level=True)

from benchmarks import actions, figures, lookups, ps7, rush, stub, turn
from benchmarks.gate import Gate
from benchmarks.lookups import BEGINS, COST, FAILING, REPEATED
from benchmarks.ps7 import LATE, MOMENTS
from benchmarks.sides import BEFORE, NOW, Looked, Lookup, Side
from tests.support.processes import ROOT

THEN, THIS = Path("then"), Path("this")
TREES = {BEFORE: THEN, NOW: THIS}
WHEN = ("in the first second", "then")
SCHEMES, WHAT = ("http", "https"), ("ms", "processor time, ms")
KNOWN, ANOTHER = Lookup("ok", "ok", 0.1, True), Lookup("ok", "ok", 0.1, False)
UNKNOWN = Lookup("unavailable", "server_error", 0.1, True)
Ends = Callable[..., Looked]
Measure = Callable[[str, Ends], Awaitable[tuple[list[list[str]], list[str]]]]


def nobody(behaviour: object, trust: object = None) -> AbstractAsyncContextManager[Any]:
    """Listen nowhere: `behaviour` is what PS7 was to be made of."""
    return nullcontext(SimpleNamespace(behaviour=behaviour, trust=trust, requests=[]))


def looked(*ended: Lookup, **other: float) -> Looked:
    """Return what came of lookups."""
    rest: dict[str, Any] = {"opened": 0, "seconds": 0.0, "processor": 0.0, "memory": 0, **other}
    return Looked([*ended], **rest)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Measure with made-up lookups; give the rows of the table, and what is wrong."""

    async def measure(name: str, ends: Ends) -> tuple[list[list[str]], list[str]]:
        async def look_up(*job: object, **how: float) -> Looked:
            return ends(*job, **how)

        monkeypatch.setattr(lookups, "PS7", nobody)
        for behaviour in ("failing", "refusing", "repeating"):
            monkeypatch.setattr(lookups, behaviour, lambda *given: given)
        monkeypatch.setattr(lookups, "look_up", look_up)
        table, wrong = await lookups.MEASURES[name](TREES)
        rows = [row.strip("| ").split(" | ") for row in table.splitlines()]
        return rows[:1] + rows[2:], wrong

    return measure


async def test_nine_tenths_of_what_is_possible_have_to_be_known(measured: Measure) -> None:
    """In the middle one of the runs, of this tree, in each way: here one too few at a time."""
    least = {0.3: 176, 0.5: 158, 0.7: 119}

    def ends(
        tree: Path, ps7: SimpleNamespace, how_many: int, settings: object, *, at_a_time: int
    ) -> Looked:
        assert (how_many, settings) == (FAILING, {})
        share, seed = ps7.behaviour
        known = least[share] - (at_a_time == 8) + (seed - 2) * 20 if tree is THIS else 2 * seed
        return looked(*[KNOWN] * known, *[UNKNOWN] * (how_many - known))

    rows, wrong = await measured("failing", ends)
    assert wrong == [f"{share}% fail, eight at a time: too few are known" for share in (30, 50, 70)]
    assert rows[0][2:] == ["known, with three attempts for each", BEFORE, NOW]
    assert [row[2] for row in rows[1:]] == ["97%", "97%", "88%", "88%", "66%", "66%"]
    assert rows[5] == ["70%", "one at a time", "66%", "2% (0% to 4%)", "60% (40% to 80%)"]


@pytest.mark.parametrize(
    ("late", "wrong"),
    [
        (4, ["{}, one at a time: 3 and 4 refused logins"]),
        (5, ["{}, one at a time: 3 and 5 refused logins", "{}, eight at a time: 3 and 5 refused"]),
    ],
)
async def test_each_lookup_under_way_and_one_more_may_be_refused_then_four_probes(
    late: int, wrong: list[str], measured: Measure
) -> None:
    """In the first second, and after it. Of a token, it is the token that is refused."""
    asked = []

    def ends(
        tree: Path, ps7: SimpleNamespace, *job: object, at_a_time: int, pause: float
    ) -> Looked:
        asked.append((*ps7.behaviour, *job, at_a_time, pause))
        ps7.requests += [5.0, 5.0, 5.0 + BEGINS - 0.01, *[5.0 + BEGINS] * late]
        if tree is THEN:
            ps7.requests += [9.0] * 100
        return looked()

    rows, found = await measured("refused", ends)
    refusals = ("401", "403", "a refused token")
    said = [each.format(refusal) for refusal in refusals for each in wrong]
    assert [each[: len(part)] for each, part in zip(found, said, strict=True)] == said
    counts = ["3", str(late + 100), "3", str(late)]
    assert rows[0][2:] == [f"{which}: {when}" for which in TREES for when in WHEN]
    assert rows[1:] == [[each, way, *counts] for each in refusals for way in lookups.WAYS]
    reset, tokens = {"PS7_BREAKER_RESET": "2.0"}, {"PS7_APP_KEY": "k", "PS7_APP_SECRET": "s"}
    assert asked[::2] == asked[1::2], "both trees the same"
    assert asked[::2] == [
        (status, how_many, settings, at_a_time, 0.05)
        for status, settings in ((401, reset), (403, reset), (401, reset | tokens))
        for at_a_time, how_many in ((1, 640), (8, 5120))
    ]


async def test_nobody_may_be_another_customer(measured: Measure) -> None:
    """Not even one, late; of another tree it is only shown. Who is unknown is no one else."""

    def ends(
        tree: Path, ps7: SimpleNamespace, how_many: int, settings: object, *, at_a_time: int
    ) -> Looked:
        assert (how_many, settings) == (REPEATED, {})
        others = [ANOTHER] * (3 if tree is THEN else ps7.behaviour == (LATE,) and at_a_time == 8)
        return looked(*others, UNKNOWN, *[KNOWN] * (REPEATED - 1 - len(others)))

    rows, wrong = await measured("repeated", ends)
    assert wrong == [f"repeated {LATE}, eight at a time: 1 are another customer"]
    assert rows[0][2:] == [
        f"{name}: {what}" for name in TREES for what in ("another customer", "the right")
    ]
    assert rows[1:] == [
        [moment, way, "3", "296", *(["1", "298"] if (moment, way) == bad else ["0", "299"])]
        for bad in [(LATE, "eight at a time")]
        for moment in MOMENTS
        for way in lookups.WAYS
    ]


async def test_a_lookup_costs_so_many_milliseconds(measured: Measure) -> None:
    """Of the clock and of the processor; beside another tree, with the ratio of ours over it."""
    asked = []

    def ends(
        tree: Path, ps7: SimpleNamespace, how_many: int, settings: object, *, at_a_time: int
    ) -> Looked:
        asked.append(tree)
        assert (how_many, at_a_time) == (COST, 1)
        assert (ps7.trust is None) == (settings == {})
        of = (0.4 if tree is THIS else 0.8) * (2 if settings else 1)
        return looked(seconds=of, processor=of / 4)

    rows, wrong = await measured("cost", ends)
    assert (rows[0][-3:], wrong) == ([*TREES, "ratio"], [])
    of = [f"a lookup over {scheme}, {what}" for scheme in SCHEMES for what in WHAT]
    values = (("2.00", "1.00"), ("0.50", "0.25"), ("4.00", "2.00"), ("1.00", "0.50"))
    assert rows[1:] == [
        [name, *(f"{each} ({each} to {each})" for each in pair), "0.50"]
        for name, pair in zip(of, values, strict=True)
    ]
    assert asked[:4] == [THIS, THEN, THEN, THIS]


MIB = 2**20


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (looked(*[KNOWN] * 6, *[UNKNOWN] * 4, memory=64 * MIB), []),
        (looked(*[KNOWN] * 5, *[UNKNOWN] * 5), ["too few are known"]),
        (looked(*[KNOWN] * 10, opened=1), ["the circuit opened"]),
        (looked(*[KNOWN] * 10, memory=64 * MIB + 1), ["memory grew"]),
        (looked(*[KNOWN] * 9, ANOTHER), ["somebody is another customer"]),
    ],
)
def test_a_rush_may_cost_a_tenth_of_what_is_possible(run: Looked, said: list[str]) -> None:
    """One and a half times as many come as there is room for: six of ten is nine tenths of it."""
    assert rush.bad(run, 1.5) == said


async def test_a_rush_is_judged_where_a_client_can_know_the_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of this tree alone. Each run is a row, with the median of those who are known."""
    known = [KNOWN._replace(seconds=seconds) for seconds in (1.0, 1.1, 4.0)]
    others = [UNKNOWN._replace(reason=reason, seconds=9.0) for reason in "baa"]
    came = looked(*known, *others, opened=2, memory=3 * MIB)
    ps7 = SimpleNamespace(requests=[1.0] * 8, most=5)
    monkeypatch.setattr(rush, "rush", AsyncMock(return_value=(came, ps7)))
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)
    table, wrong = await rush.measure(Path("another"), 30.0)
    assert wrong == [
        f"{kind}, {factor} times: {what}"
        for kind in (rush.OURS, rush.PS7S)
        for factor in (1.2, 1.5)
        for what in ("too few are known", "the circuit opened")
    ]
    shown = (
        f"| {rush.OURS} | 1.5 times | {NOW} | 50% of 67% | 1.1 s | a 2, b 1 | 2 | 8 | 5 | 3 MiB |"
    )
    assert table.splitlines()[5] == shown
    assert len(table.splitlines()) == 2 + 12


@pytest.mark.parametrize("wrong", [[], ["this", "that"]], ids=["right", "wrong"])
@pytest.mark.parametrize("name", ["lookups", "outage", "rush", "scale", "soak"])
def test_what_is_wrong_is_said_and_fails_the_command(
    name: str,
    wrong: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And the table goes into the file of its benchmark if it is to be kept, not otherwise."""
    given: dict[str, object] = {"a figure": 9}
    acts = [SimpleNamespace(plan=SimpleNamespace(name="an act"))]
    found = SimpleNamespace(figures=lambda: given, problems=lambda: wrong, acts=acts)
    ours: dict[str, dict[str, object]] = {
        "lookups": {"MEASURES": {"lookups": AsyncMock(return_value=("| a figure | 9 |", wrong))}},
        "outage": {"outage": AsyncMock(return_value=found), "HOWS": ("silent", "refused")},
        "rush": {"measure": AsyncMock(return_value=("| a figure | 9 |", wrong))},
        "soak": {"soak": AsyncMock(return_value=(given, wrong))},
        "scale": {
            "scale": AsyncMock(return_value=found),
            "Programs": SimpleNamespace(find=lambda: SimpleNamespace(missing=None, versions=dict)),
            "verdict": SimpleNamespace(
                figures=lambda _: given, of_act=lambda *_: given, problems=lambda _: wrong
            ),
        },
    }
    module = importlib.import_module(f"benchmarks.{name}{'.__main__' if name == 'scale' else ''}")
    for attribute, value in ours[name].items():
        monkeypatch.setattr(module, attribute, value)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None)
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    assert module.main([]) == bool(wrong)
    assert [*tmp_path.iterdir()] == []
    module.main(["--write"])
    assert [file.name for file in tmp_path.iterdir()] == [f"{name}.md"]
    kept = (tmp_path / f"{name}.md").read_text(encoding="utf-8")
    assert "| a figure | 9 |" in kept
    shown = capsys.readouterr().out
    hows = ("silent: ", "refused: ") if name == "outage" else ("",)
    said = "".join(f"PROBLEM: {how}{each}\n" for how in hows for each in wrong)
    assert shown == f"\n{kept}{said}" * 2


async def test_ps7_fails_repeats_and_is_away_as_it_is_told() -> None:
    """A share fails by chance; one late, an answer is the one before; in the dark none comes."""
    asked = [ps7.Request(each, is_for_token=False) for each in "abc"]
    line = ps7.Connection(cast("Any", None), [])
    late = [await ps7.repeating(LATE)(each, line) for each in asked]
    assert late == [ps7.customer(asked[0]), *map(ps7.customer, asked[:2])]
    fails = ps7.failing(0.2, 0)
    assert 150 < sum([b" 503 " in await fails(asked[0], line) for _ in range(1000)]) < 250

    async def answer(url: str) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(b"POST / HTTP/1.1\r\n\r\n")
        try:
            return await asyncio.wait_for(reader.read(12), 0.3)
        finally:
            writer.close()

    async with ps7.PS7(ps7.at_once) as bank, Gate(bank.url) as gate:
        await gate.go_dark("silent")
        with pytest.raises(asyncio.TimeoutError):
            await answer(gate.url)
        assert (gate.turned_away, bank.requests) == (1, [])
        await gate.come_back()
        assert await answer(gate.url) == b"HTTP/1.1 200"


async def test_the_stub_answers_when_a_context_id_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 100 ms, or at once."""
    later, line = Mock(), Mock(is_closing=lambda: False)
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", later)
    bank = stub.Stub()
    bank.connection_made(line)
    for wish in (0, 100):
        body = json.dumps({"contextId": stub.context_id(1, milliseconds=wish)}).encode()
        head = f"POST / HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        bank.data_received(head.encode() + body)
        line.write.assert_called_once_with(stub.ANSWER)
    assert later.call_args.args[0] == 0.1


OTHER = """
class LookupFailed(Exception): outcome = reason = "another"
class PS7Client:
    async def __aenter__(self): return self
    async def __aexit__(self, *_): pass
    async def lookup(self, _): raise LookupFailed
"""


@pytest.mark.slow
async def test_a_process_has_the_plugin_of_its_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of this one, the circuit opens at the first refusal, and that is counted.

    A rush brings more than there is room for, by its rate, and each is themselves. The process grew
    by bytes: others would be below 0.
    """
    (tmp_path / "actions").mkdir()
    (tmp_path / "actions" / "ps7.py").write_text(OTHER)
    async with Side.of(ROOT) as ours, Side.of(tmp_path) as theirs:
        for side, reasons in ((ours, ["forbidden", "circuit_open"]), (theirs, ["another"] * 2)):
            async with ps7.PS7(ps7.refusing(403)) as asked:
                run = await side.look_up(asked.url, ["a", "b"], at_a_time=1)
            found = [each.reason for each in run.lookups], run.opened
            assert found == (reasons, int(side is ours))
        monkeypatch.setattr(rush, "TAKES", 0.01)
        monkeypatch.setattr(rush, "Side", SimpleNamespace(of={ROOT: nullcontext(ours)}.get))
        run, asked = await rush.rush(ROOT, rush.OURS, 1.5, 0.1)
    assert len(run.lookups) == len(asked.requests) == 15
    assert all(each.outcome == "ok" and each.is_right for each in run.lookups)
    assert run.opened == 0 <= run.memory


@pytest.mark.parametrize(("wrong", "lost"), [(1, 1), (1, 2)])
async def test_a_load_is_answers_a_second_and_microseconds_of_each(
    wrong: int, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If one of a hundred is missing or wrong; not if it is more."""
    said = json.dumps({"answers": 200, "wrong": wrong, "lost": lost, "seconds": 4.0})
    wrk = SimpleNamespace(communicate=AsyncMock(return_value=(f"a\n{said}\n".encode(),)))
    wrk.returncode = 0
    monkeypatch.setattr("asyncio.create_subprocess_exec", AsyncMock(return_value=wrk))
    monkeypatch.setattr("benchmarks.processor.seconds", Mock(side_effect=[1.0, 1.5]))
    server: Any = SimpleNamespace(url="http://127.0.0.1:9", process=SimpleNamespace(pid=1))
    with pytest.raises(RuntimeError, match="3 of 200") if lost == 2 else nullcontext():
        assert await actions.load(server, Path("calls"), "ok", 4) == (50.0, 2500.0)


async def test_a_crowd_costs_each_server_milliseconds_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 16 users with 8 turns each, in two seconds: one server takes 1 s for all, the other 2."""
    now, used = [0.0], {1: [1.0, 2.0], 2: [1.0, 3.0]}

    async def talk(*_: object) -> list[float]:
        await asyncio.sleep(0)
        now[0] = 2.0
        return [1.0] * 8

    monkeypatch.setattr(turn.Measured, "talk", talk)
    monkeypatch.setattr("benchmarks.turn.time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr("benchmarks.processor.seconds", lambda pid: used[pid].pop(0))
    bot = turn.Measured("", cast("Any", None), rasa=1, actions=2)
    await bot.crowd(1.0)
    assert bot.samples == {turn.RATE: [64.0], turn.RASA: [7.8125], turn.ACTIONS: [15.625]}
