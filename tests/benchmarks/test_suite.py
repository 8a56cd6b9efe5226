"""The benchmarks, for a moment each: they run, tell right answers from wrong ones, and sum up."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import arena as arenas
from benchmarks import held, rasa_bots, rasa_turn, sides, start
from benchmarks.arena import Arena
from benchmarks.calls import as_json
from benchmarks.load import Load, saturate
from benchmarks.processes import Lab
from benchmarks.rasa_bots import (
    AT_START,
    BANK,
    BASE,
    CELLS,
    EVERY_TURN,
    NEWER_JSONSCHEMA,
    POSTGRES,
    WITHOUT,
    Cell,
)
from benchmarks.rasa_turn import Measured
from benchmarks.report import Figure, Report
from benchmarks.rounds import QUICK, Plan, interleave
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import Programs
from benchmarks.sides import Server

pytestmark = pytest.mark.release

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    """Start PS7's stub, and nothing else yet."""
    with Lab() as lab:
        yield Arena(lab, QUICK)


@pytest.fixture(scope="module")
def ours(arena: Arena) -> Server:
    """Start the plugin's action server."""
    return arena.servers([sides.OURS])[sides.OURS]


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> list[Load]:
    """Let no server start, and every load be over at once; return what comes of each."""
    loads = [Load(400, 0, 0, seconds=2, p50=5, p99=9, max=10, cpu=100, memory=12)]
    monkeypatch.setattr(arenas, "saturate", lambda *_, **__: loads[-1])
    monkeypatch.setattr(Arena, "servers", lambda _, some: dict.fromkeys(some, _Silent()))
    monkeypatch.setattr(sides, "launch", lambda *_: _Silent())
    monkeypatch.setattr(start, "registration", lambda *_: None)
    return loads


class _Silent:
    """A server that is not there."""

    url = "http://127.0.0.1:9/webhook"
    running: Any = SimpleNamespace(end=lambda: None, proportional=lambda: 100.0)

    def wait(self, *_: object) -> None:
        pass

    def post(self, _call: bytes) -> dict[str, Any]:
        return {"events": []}


@needs_wrk
def test_a_load_counts_answers_and_what_they_cost(arena: Arena, ours: Server) -> None:
    """Right answers and wrong ones are told apart; all of them took time and memory.

    Here every other call is that of a known user, and answered with nothing instead of a customer.
    """
    new, known = arena.users(), held.known(arena, arena.users())
    mixed = [as_json(user.call()) for pair in zip(new, known, strict=True) for user in pair]
    calls = arena.calls(mixed, sides.OURS.expected)

    found = saturate(ours, calls, at_a_time=2, seconds=1)

    assert 0 < found.wrong < found.answers
    assert found.lost == 0
    assert 0 < found.p50 <= found.p99 <= found.max
    assert found.cpu > 0
    assert found.memory > 0


@needs_wrk
def test_a_turn_that_has_nothing_to_do_is_one(arena: Arena, ours: Server) -> None:
    """A known user is answered with nothing, and looked up no more."""
    asked = [as_json(user.call()) for user in held.known(arena, arena.users())]
    found = saturate(ours, arena.calls(asked, sides.NOTHING), at_a_time=2, seconds=1)
    assert found.answers > 0
    assert (found.wrong, found.lost) == (0, 0)


@pytest.mark.parametrize("name", ["webhook", "held", "start"])
@pytest.mark.usefixtures("made_up")
def test_a_benchmark_says_what_it_found(arena: Arena, name: str) -> None:
    """Tables, goals, and the same as JSON with machine, versions and date."""
    report: Report = importlib.import_module(f"benchmarks.{name}").measure(arena)

    assert all(table.rows for table in report.tables)
    assert "over" in str(report) or name == "start"
    written = json.loads(json.dumps(report.as_json()))
    assert written.keys() == {"date", "machine", "versions", "notes", "tables", "goals"}
    assert len(written["tables"]) == len(report.tables) > 0
    assert written["versions"]["aiohttp"]


@pytest.mark.usefixtures("made_up")
def test_the_command_keeps_what_it_finds(
    arena: Arena,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One benchmark by its name: its tables and goals on the screen, and the same in a file."""
    plans: list[Plan] = []

    def enter(_lab: Lab, plan: Plan) -> Arena:
        plans.append(plan)
        return arena

    monkeypatch.setattr(command, "Arena", enter)
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/bin/wrk")
    arguments = ["held", "--quick", "--rounds", "2", "--results", str(tmp_path)]
    assert command.main(arguments) == 0
    assert (plans[0].rounds, plans[0].seconds) == (2, QUICK.seconds)
    said = capsys.readouterr().out
    assert "### A turn whose context is held, 32 at a time" in said
    assert "met     nothing to do, over the empty action: 1.00" in said
    assert json.loads((tmp_path / "held.json").read_text("utf-8"))["goals"][0]["met"] is True
    page = (tmp_path / "figures.md").read_text("utf-8")
    assert "| nothing to do, over the empty action | at least 0.75 | 1.00 | met |" in page
    assert "### A turn whose context is held, 32 at a time" in page


def test_figures_of_wrong_answers_are_not_believed(made_up: list[Load], arena: Arena) -> None:
    """A few may be lost at a rival; a side that answers something else was not measured."""
    job = {"ours": arena.lookups([sides.OURS])["ours"]}
    made_up.append(Load(400, 4, 4, seconds=2, p50=5, p99=9, max=10, cpu=100, memory=12))
    table = Report().table("")
    arenas.fill(table, arena.saturate(job), "ours")
    assert table.rows["ours"]["wrong or lost"].values == (8,)

    made_up.append(Load(400, 300, 0, seconds=2, p50=5, p99=9, max=10, cpu=100, memory=12))
    with pytest.raises(RuntimeError, match="ours: 300 of 400 answers"):
        arena.saturate(job)


def test_the_registration_is_timed(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a fresh interpreter, beyond what is there already: of what a bot copies, and no more."""
    monkeypatch.setattr(start, "_MORE_ROUNDS", 1)
    start.registration(report := Report(), arena)
    assert report.goals[0].figure.median > 1
    copied = {path.name for path in (arena.lab.folder / "bot" / "actions" / "ps7").iterdir()}
    assert {"api", "dialogue", "__main__.py"} <= copied
    assert {"cli", "testing"} & copied == set()


def test_sides_take_turns() -> None:
    """Every other round goes backwards, so that a drift falls on all of them alike."""
    moments = count(1)
    samples = interleave(["a", "b"], 3, lambda _: next(moments))
    assert samples == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_a_ratio_is_taken_round_by_round() -> None:
    """A moment in which the machine was slow does not make one side look better.

    A figure is shown as its median, and its quartiles where there are several rounds.
    """
    ours, theirs = Figure.of([100, 50, 99]), Figure.of([100, 50, 110])
    assert ours.over(theirs).values == (1.0, 1.0, 0.9)
    assert str(ours) == "99.0 (74.5 to 99.5)"
    assert str(Figure.of([1234.5])) == "1,234"
    assert ours.minus(theirs).median == 0


def _turns(does: str, later: float) -> Measured:
    """Make up a bot with two rounds of turns, that take so long, and of a crowd."""
    bot: Any = None
    columns = {
        rasa_turn.FIRST: [10.0, 20.0],
        rasa_turn.LATER: [later, 2 * later],
        rasa_turn.RATE: [later, later],
    }
    measured = Measured(does, bot, 0, 0)
    measured.samples.update(columns)
    return measured


def test_turns_in_rasa_are_compared_round_by_round() -> None:
    """Each setting has a table, unless it could not be measured; every goal is decided."""
    times = {WITHOUT: 4.0, EVERY_TURN: 10.0, AT_START: 4.0}
    cells = {cell: _turns(cell.does, times.get(cell.does, 9.0)) for cell in CELLS}
    crowds = {cell.does: bot for cell, bot in cells.items() if cell.setting == BASE}
    measured = {cell: bot for cell, bot in cells.items() if cell.setting != POSTGRES}

    report = rasa_turn.compare(measured, crowds)

    settings = dict.fromkeys(cell.setting for cell in measured)
    assert [table.title for table in report.tables] == [*settings, rasa_turn.CROWD]
    found = report.tables[0].rows[EVERY_TURN]
    assert found["later turns, over without the plugin"].values == (2.5, 2.5)
    assert [(goal.figure.median, goal.met) for goal in report.goals] == [
        (2.5, False),
        (pytest.approx(10 / 9), False),
        (1.0, True),
        (1.0, True),
        (2.25, False),
    ]


async def test_a_setting_that_cannot_be_had_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without PostgreSQL or a package index; a bank's bot is made here, and as large as it says."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    nowhere = tmp_path / "nowhere"
    programs = Programs(nowhere, nowhere, nowhere, Path(sys.executable))
    workshop = rasa_bots.Workshop(tmp_path, programs, Crew(tmp_path))

    bots = await workshop.bots()

    assert {cell.setting for cell in bots} == {BASE, BANK}
    assert workshop.left_out.keys() == {POSTGRES, NEWER_JSONSCHEMA}
    bank = bots[Cell(BANK, EVERY_TURN)].folder / "domain"
    assert (bank / "bot.yml").exists()
    large = json.loads((bank / "bank.yml").read_text("utf-8"))
    sizes = {"intents": 200, "responses": 500, "slots": 60}
    assert {part: len(large[part]) for part in sizes} == sizes
