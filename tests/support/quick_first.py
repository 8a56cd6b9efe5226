"""A pytest plugin for mutation testing: of the tests that reach a mutant, the quick ones go first.

mutmut hands them over in no order, and the first that fails decides.
"""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move what is no unit test, as the model's traces of whole conversations, behind those."""
    items.sort(key=lambda item: "unit" not in item.path.parts)
