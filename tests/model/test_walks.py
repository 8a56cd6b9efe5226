"""Random walks: 20,000 steps, the same ones each time; `PS7_MODEL_STEPS` asks for more."""

from __future__ import annotations

import os

import pytest

from tests.model.conversation import seen, violated
from tests.model.subject import playing
from tests.model.walks import LENGTH, made_up, shrunk

_STEPS = int(os.environ.get("PS7_MODEL_STEPS", "20000"))
REACHED = {
    *(f"context: asks PS7, {status}" for status in ("ok", "rejected", "denied", "unavailable")),
    *(f"context: in order, {status}" for status in ("ok", "missing", "invalid", "rejected")),
    *(f"context: changes slots, {status}" for status in ("ok", "missing", "invalid", "rejected")),
    *(f"context: changes slots, {status}" for status in ("expired", "tampered")),
    *(f"verify: changes slots, {status}" for status in ("ok", "missing", "expired", "tampered")),
    *("verify: in order, ok", "forget: changes slots, missing"),
}
"""A walk that never comes there tests nothing."""


@pytest.mark.timeout(1800)  # coverage makes it six times as long, and `make fuzz` asks for more
def test_random_walks() -> None:
    """A conversation shows the customer who came last in this session, or none."""
    seen.clear()
    with playing() as subject:
        for number in range(_STEPS // LENGTH):
            walk = made_up(number)
            if violated(walk, subject) is not None:
                walk = shrunk(walk, lambda other: violated(other, subject) is not None)
                pytest.fail(f"walk {number}: {violated(walk, subject)}{walk}")
    assert {what for what in REACHED if not seen[what]} == set()
