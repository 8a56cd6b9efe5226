"""A pytest plugin for mutation testing: of the tests that reach a mutant, the quick ones go first.

mutmut hands them over in no order, and the first that fails decides. A trace of the model plays a
whole conversation, a unit test a run or less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the model behind the unit tests, and what makes up its examples behind both."""
    items.sort(key=lambda item: (hasattr(item, "obj") and _made_up(item.obj), _of_the_model(item)))


def _made_up(test: object) -> bool:
    return getattr(test, "is_hypothesis_test", False)


def _of_the_model(item: pytest.Item) -> bool:
    return "model" in item.path.parts
