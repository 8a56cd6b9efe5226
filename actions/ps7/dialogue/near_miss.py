"""Metadata in which no contextId was found, in words that a log may show: only names of keys.

Pure. A channel may put the contextId under other keys than `PS7_METADATA_KEYS`; a log line helps.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..context import is_blank

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_OF_RASA = {"model_id", "assistant_id", "session_id", "is_external"}
"""What Rasa itself adds: to every message, the last one to a reminder or a triggered intent."""
_NAME = re.compile(r"(?!(?:.*\d){5})[A-Za-z_][\w-]{0,39}", re.ASCII)
"""A name of a key that may be shown: fewer than five digits are no number of a customer."""
_MOST_SHOWN = 8
_DEPTH = 3


def describe(metadata: object, paths: Sequence[Sequence[str]]) -> str | None:
    """Return the keys of metadata without a contextId, and one that looks like it.

    None if the channel brought nothing. `paths` are the places of a contextId.
    """
    if not isinstance(metadata, dict) or metadata.keys() <= _OF_RASA:
        return None
    shown = sorted(_shown(metadata).keys() - _OF_RASA)[:_MOST_SHOWN]
    keys = ", ".join(shown) or "none that can be shown"
    wanted = {_plain(path[-1]) for path in paths}
    miss = next((way for way in _ways(metadata) if _plain(way[-1]) in wanted), None)
    looks = "" if miss is None else f"; {'.'.join(miss)} looks like one: PS7_METADATA_KEYS"
    return f"keys: {keys}{looks}"


def _ways(content: dict[str, object], *way: str) -> Iterator[tuple[str, ...]]:
    """Yield the way to each key that has something and may be shown."""
    for name, value in _shown(content).items():
        if not is_blank(value):
            yield *way, name
        if isinstance(value, dict) and len(way) + 1 < _DEPTH:
            yield from _ways(value, *way, name)


def _shown(content: dict[str, object]) -> dict[str, object]:
    texts = (name for name in content if isinstance(name, str))
    return {name: content[name] for name in texts if _NAME.fullmatch(name)}


def _plain(key: str) -> str:
    return key.lower().replace("_", "").replace("-", "")
