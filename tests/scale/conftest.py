"""What the tests with real engines need."""

from __future__ import annotations

import os

import pytest

from benchmarks.scale.programs import Programs


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Find what the run needs. Where a program is missing tests are skipped, but never in CI."""
    found = Programs.find()
    if found.missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(found.missing)
    return found
