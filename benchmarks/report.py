"""How figures are brought together, shown to a person, and written down.

A figure is what several rounds gave: its median, and how far apart they were. A ratio is taken
round by round, so that what slowed the machine down for a moment slowed down both sides of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.circumstances import circumstances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIGITS = 3
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One value a round."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Take the values of all rounds."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """What stands for all of them."""
        return median(self.values)

    def over(self, other: Figure) -> Figure:
        """Divide by another one, round by round."""
        pairs = zip(self.values, other.values, strict=True)
        return Figure(tuple(mine / theirs for mine, theirs in pairs))

    def minus(self, other: Figure) -> Figure:
        """Subtract another one, round by round."""
        pairs = zip(self.values, other.values, strict=True)
        return Figure(tuple(mine - theirs for mine, theirs in pairs))

    @property
    def quartiles(self) -> tuple[float, float]:
        """How far the middle half of the rounds lay apart."""
        if len(self.values) == 1:
            return self.median, self.median
        low, _, high = quantiles(self.values, method="inclusive")
        return low, high

    def __str__(self) -> str:
        """Show the median and the quartiles."""
        if len(self.values) == 1:
            return _number(self.median)
        low, high = map(_number, self.quartiles)
        return f"{_number(self.median)} ({low} to {high})"

    def as_json(self) -> dict[str, Any]:
        """Return what is written down."""
        return {
            "median": round(self.median, 4),
            "rounds": [round(value, 4) for value in self.values],
        }


@dataclass(frozen=True)
class Goal:
    """What a figure ought to be."""

    what: str
    figure: Figure
    bound: Literal["at least", "at most"]
    limit: float

    @classmethod
    def read(cls, goal: Mapping[str, Any]) -> Goal:
        """Return one that was written down."""
        figure = Figure.of(goal["figure"]["rounds"])
        return cls(goal["what"], figure, goal["bound"], goal["limit"])

    @property
    def met(self) -> bool:
        """Whether it is."""
        value = self.figure.median
        return value >= self.limit if self.bound == "at least" else value <= self.limit

    def __str__(self) -> str:
        """Show it in one line."""
        verdict = "met" if self.met else "MISSED"
        return f"{verdict:<6}  {self.what}: {self.figure}, {self.bound} {_number(self.limit)}"

    def as_json(self) -> dict[str, Any]:
        """Return what is written down."""
        return {
            "what": self.what,
            "bound": self.bound,
            "limit": self.limit,
            "figure": self.figure.as_json(),
            "met": self.met,
        }


@dataclass
class Table:
    """Rows of figures, one for each side of a comparison."""

    title: str
    rows: dict[str, dict[str, Figure]] = field(default_factory=dict)

    def add(self, row: str, cells: Mapping[str, Figure]) -> None:
        """Add a row: figures by the names of their columns."""
        self.rows[row] = dict(cells)

    def __str__(self) -> str:
        """Lay it out in Markdown, which a terminal shows as well."""
        columns = list(dict.fromkeys(name for cells in self.rows.values() for name in cells))
        lines = [["", *columns]]
        for row, cells in self.rows.items():
            lines.append([row, *(str(cells.get(name, "")) for name in columns)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * width for width in widths])
        return f"### {self.title}\n\n" + "\n".join(
            "| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines
        )


@dataclass
class Report:
    """What one benchmark found."""

    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader of the tables has to know."""

    def table(self, title: str) -> Table:
        """Begin a table."""
        self.tables.append(Table(title))
        return self.tables[-1]

    def aim(
        self, what: str, figure: Figure, bound: Literal["at least", "at most"], limit: float
    ) -> None:
        """Compare a figure with a goal."""
        self.goals.append(Goal(what, figure, bound, limit))

    def __str__(self) -> str:
        """Show all of it."""
        return "\n\n".join([*self.notes, *map(str, self.tables), "\n".join(map(str, self.goals))])

    def as_json(self) -> dict[str, Any]:
        """Return what is written down, with where and when it was measured."""
        return {
            **circumstances(),
            "notes": self.notes,
            "tables": {
                table.title: {
                    row: {name: figure.as_json() for name, figure in cells.items()}
                    for row, cells in table.rows.items()
                }
                for table in self.tables
            },
            "goals": [goal.as_json() for goal in self.goals],
        }


def rows(figures: Mapping[str, object]) -> str:
    """Lay out single figures, one a line."""
    width = max(map(len, figures))
    return "\n".join(f"  {name:<{width}}  {value}" for name, value in figures.items())


def keep(name: str, figures: Mapping[str, object], folder: Path) -> None:
    """Write figures down as JSON."""
    folder.mkdir(exist_ok=True)
    text = json.dumps(figures, indent=2, ensure_ascii=False)
    (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _number(value: float) -> str:
    decimals = max(0, _DIGITS - len(str(int(abs(value)))))
    return f"{value:,.{decimals}f}"
