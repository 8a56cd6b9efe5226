"""The list of explained mutants stays true while the code changes, also where none are tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.survivors import MODULES, Mutant, explained

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutant", sorted(explained()), ids=lambda one: one.function)
def test_an_explained_mutant_is_about_code_that_is_there(mutant: Mutant) -> None:
    """What it changes still stands in its function; otherwise the entry is out of date."""
    source = (ROOT / MODULES[mutant.module]).read_text("utf-8")
    name = mutant.function.rpartition(".")[2]
    bodies = re.split(rf"^ *(?=def {name}\()", source, flags=re.MULTILINE)[1:]
    lines = [{line.strip() for line in body.splitlines()} for body in bodies]
    assert mutant.removed
    assert any(set(mutant.removed) <= these for these in lines)
