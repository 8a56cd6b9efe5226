"""What docs/integration.md says of Rasa's channels is so in Rasa's own source."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import document, spans_in

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.conversation

OF_OTHERS = {"vier_cvg"}
"""Channels that are no part of Rasa Open Source."""


def channels() -> dict[str, str]:
    """Give what arrives as metadata at each channel, in the words of the page."""
    header = ("channel", "what arrives as metadata", "`PS7_METADATA_KEYS`")
    rows = document("docs/integration.md").table(*header).rows
    return {name: row[1] for row in rows for name in spans_in(row[0]) if name not in OF_OTHERS}


def source(channel: str) -> ast.Module:
    folder = "lib/python*/site-packages/rasa/core/channels"
    (path,) = _rasa_python().parents[1].glob(f"{folder}/{channel}.py")
    return ast.parse(path.read_text(encoding="utf-8"))


def handed_on(tree: ast.Module) -> Iterator[bool]:
    """Tell of each message that a channel makes whether metadata goes along."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("UserMessage"), args=given, keywords=named):
                by_place = [each.id for each in given if isinstance(each, ast.Name)]
                yield "metadata" in (*by_place, *(keyword.arg for keyword in named))


def asks_a_subclass(tree: ast.Module) -> bool:
    """Tell whether a channel takes what `get_metadata` gives, and does not say what that is."""
    calls = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return "get_metadata" in calls and "get_metadata" not in defined


@pytest.mark.parametrize("channel", channels())
def test_a_channel_makes_of_metadata_what_the_page_says(channel: str) -> None:
    """Drops it, leaves it to a subclass, or has some of its own."""
    tree = source(channel)
    said = channels()[channel]
    assert any(handed_on(tree)) == (not said.startswith("nothing: they drop it"))
    if said.startswith("nothing, unless a subclass"):
        assert asks_a_subclass(tree)
