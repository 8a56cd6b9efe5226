"""YAML as Rasa reads it, of a size that can be read at once. Pure."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

Table = dict[str, Any]
_MOST_VALUES = 100_000
"""In one file, those that aliases stand for included: some three seconds."""
_ONE_VALUE = 16
"""Characters of a text that count as one more."""


class NotYamlError(ValueError):
    """What is no YAML; the text says why, with the line if that is known."""


def parsed(text: str) -> Table:
    """Read YAML as Rasa does; an empty table for what is not one. NotYamlError otherwise."""
    return dict(_parsed(text))


@lru_cache(maxsize=32)
def _parsed(text: str) -> Table:
    from ruamel.yaml import YAML  # an action server never needs it
    from ruamel.yaml.parser import Parser

    class Bounded(Parser):
        seen = 0

        def get_event(self) -> Any:
            self.seen += 1
            if self.seen > _MOST_VALUES:
                raise OverflowError
            return super().get_event()

    parser = YAML(typ="safe", pure=True)  # YAML 1.2, as for Rasa: `no` and `on` are text
    parser.Parser = Bounded
    try:
        if "&" in text and _values(parser.compose(text), {}) > _MOST_VALUES:
            raise OverflowError  # noqa: TRY301 - as within: aliases within aliases
        return table(parser.load(text))
    except OverflowError:
        raise NotYamlError(f"has more than {_MOST_VALUES:,} values") from None
    except Exception as failure:  # noqa: BLE001 - odd tags and keys raise whatever they meet
        mark = getattr(failure, "problem_mark", None)
        line = "" if mark is None else f" (line {mark.line + 1})"
        is_twice = type(failure).__name__ == "DuplicateKeyError"
        what = "has the same key twice" if is_twice else "cannot be read as YAML"
        raise NotYamlError(f"{what}{line}") from None


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
