"""YAML as Rasa reads it, of a size that can be read at once. Pure."""

from __future__ import annotations

import math
import re
from itertools import accumulate
from typing import Any

Table = dict[str, Any]
MOST_VALUES = 50_000
"""In all files of a bot, those that aliases stand for included: some two seconds."""
_DEEPEST = 100
_ONE_VALUE = 16
"""Characters of a text that count as one more."""
_MOST_KEPT = 64
_kept: dict[str, tuple[Table, int]] = {}
"""What was read, since `init` reads most of it twice."""


class UnreadableError(ValueError):
    """What is not read, such as a file without end. The text says why, and shows nothing of it."""


class NotYamlError(ValueError):
    """What is no YAML; the text says why, with the line if that is known."""


def parsed(text: str) -> Table:
    """Read YAML as Rasa does; an empty table for what is not one. NotYamlError otherwise.

    UnreadableError if it is too much.
    """
    return dict(load(text, MOST_VALUES)[0])


def load(text: str, most: int) -> tuple[Table, int]:
    """Return what `parsed` does, and how many values were read; UnreadableError for more."""
    if text not in _kept:
        read = _load(text, most)
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[text] = read
    if _kept[text][1] > most:
        raise _too_much()
    return _kept[text]


def _load(text: str, most: int) -> tuple[Table, int]:
    from ruamel.yaml import YAML  # an action server never needs it
    from ruamel.yaml.parser import Parser

    seen = 0

    class Bounded(Parser):
        def get_event(self) -> Any:
            nonlocal seen
            seen += 1
            if seen > most:
                raise OverflowError
            return super().get_event()

    parser = YAML(typ="safe", pure=True)  # YAML 1.2, as for Rasa: `no` and `on` are text
    parser.Parser = Bounded
    try:
        # Brackets within brackets take time by the square, aliases within aliases have no end.
        if _nested(text) or ("&" in text and _values(parser.compose(text), {}) > most):
            raise OverflowError  # noqa: TRY301 - as within
        return table(parser.load(text)), seen
    except OverflowError:
        raise _too_much() from None
    except Exception as failure:  # noqa: BLE001 - odd tags and keys raise whatever they meet
        mark = getattr(failure, "problem_mark", None)
        line = "" if mark is None else f" (line {mark.line + 1})"
        is_twice = type(failure).__name__ == "DuplicateKeyError"
        what = "has the same key twice" if is_twice else "cannot be read as YAML"
        raise NotYamlError(f"{what}{line}") from None


def _too_much() -> UnreadableError:
    most = f"{MOST_VALUES:,} values of a bot are read, {_DEEPEST} deep"
    return UnreadableError(f"is too much: {most}")


def _nested(text: str) -> bool:
    """Whether there are brackets within brackets, more than anybody writes."""
    steps = (1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", text))
    return max(accumulate(steps), default=0) > _DEEPEST


def _values(node: Any, known: dict[int, float]) -> float:
    """Count the values of a YAML node, its aliases followed; infinite in a circle."""
    if id(node) not in known:
        known[id(node)] = math.inf
        held = getattr(node, "value", None)
        parts = held if isinstance(held, list) else ()
        below = (each for part in parts for each in (part if isinstance(part, tuple) else (part,)))
        length = len(held) // _ONE_VALUE if isinstance(held, str) else 0
        known[id(node)] = 1 + length + sum(_values(each, known) for each in below)
    return known[id(node)]


def table(content: object) -> Table:
    """Return a mapping as it is, and anything else as an empty one."""
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def rows(content: object) -> list[Any]:
    """Return a list as it is, and anything else as an empty one."""
    return content if isinstance(content, list) else []
