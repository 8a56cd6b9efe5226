"""What WhatsApp needs beside Rasa: pins of its own, of which the plugin needs none."""

from __future__ import annotations

import tomli
from packaging.requirements import Requirement

from tests.support.pins import ADDED_TO_RASA, RASA_PINS, pinned
from tests.support.processes import ROOT

OWN = pinned("examples/channels/requirements.txt")


def test_no_pin_of_rasas_is_replaced() -> None:
    """What is pinned there and here is the same, and the tests run what is pinned here."""
    for file in (RASA_PINS, ADDED_TO_RASA):
        others = pinned(file)
        assert {name for name in OWN if others.get(name, OWN[name]) != OWN[name]} == set()
    assert pinned("requirements/dev.txt").items() >= OWN.items()


def test_the_plugin_needs_none_of_them() -> None:
    """A bot without WhatsApp installs none."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {Requirement(each).name for each in project["dependencies"]} & OWN.keys() == set()
    assert pinned("requirements/runtime.txt").keys() & OWN.keys() == set()
