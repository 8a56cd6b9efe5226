"""Random walks: 10,000 steps, the same ones each time; `PS7_MODEL_STEPS` asks for more."""

from __future__ import annotations

import pytest

from tests.model.conversation import violated
from tests.model.subject import playing
from tests.model.walks import STEPS, walks

pytestmark = pytest.mark.slow


# Coverage makes it six times as long, and `make fuzz` takes as long as a million steps take.
@pytest.mark.timeout(1800 if STEPS <= 10_000 else 0)
def test_random_walks() -> None:
    """A conversation shows the customer who came last in this session, or none."""
    with playing() as subject:
        for number, walk in enumerate(walks()):
            violation = violated(walk, subject)
            assert violation is None, f"walk {number}: {violation}{walk}"
