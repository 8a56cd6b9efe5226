"""Which combinations of rasa-sdk, Python and transport are run, which are not, and why: as data.

`environments` makes what the rows need, `test_matrix` runs every cell that can be run, and `page`
writes the tables. What rasa-sdk says of itself is said here as well, and a test compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from itertools import product

from packaging.specifiers import SpecifierSet

from tests.support.processes import ROOT

PYTHONS = ("3.10", "3.11", "3.12", "3.13")


class Transport(Enum):
    """How a turn reaches the actions."""

    HTTP = "HTTP"
    GRPC = "gRPC"
    IN_PROCESS = "in-process"


@dataclass(frozen=True)
class Sdk:
    """A rasa-sdk, and what is installed beside it."""

    name: str
    pins: str
    """The file that has the exact versions."""
    beside: str
    """Which versions of the other dependencies these are."""
    pythons: str
    """What the package itself allows (`Requires-Python`): pip installs it on no other."""
    transports: tuple[Transport, ...] = tuple(Transport)

    @property
    def version(self) -> str:
        """Its version, as pinned."""
        return pinned(self.pins)["rasa-sdk"]


NEWEST = Sdk("newest", "requirements/runtime.txt", "the newest", ">=3.10,<3.15")
OLDEST = Sdk(
    "oldest",
    "requirements/floor.txt",
    "the oldest",
    ">=3.8,<3.11",
    transports=(Transport.HTTP, Transport.IN_PROCESS),
)
SDKS = (
    NEWEST,
    Sdk("3.12", "requirements/matrix/rasa-sdk-3.12.txt", "the newest that fit", ">3.8,<3.13"),
    Sdk(
        "3.6",
        "requirements/matrix/rasa-sdk-3.6.txt",
        "the newest that fit",
        OLDEST.pythons,
        OLDEST.transports,
    ),
    OLDEST,
)


@dataclass(frozen=True)
class Cell:
    """One of each."""

    sdk: Sdk
    python: str
    transport: Transport

    @property
    def why_not(self) -> str | None:
        """Why it cannot be run, None where it is."""
        if self.transport not in self.sdk.transports:
            return f"has no {self.transport.value}"
        if self.python not in SpecifierSet(self.sdk.pythons):
            return "does not install"
        return None

    def __str__(self) -> str:
        return f"{self.sdk.name}-{self.python}-{self.transport.value}"


CELLS = tuple(Cell(*parts) for parts in product(SDKS, PYTHONS, Transport))
RUN = tuple(cell for cell in CELLS if cell.why_not is None)

RASA_PINS = "requirements/rasa.txt"
ADDED_TO_RASA = "requirements/in-rasa.txt"


def pinned(file: str) -> dict[str, str]:
    """Return the versions that a file of pins has for every Python and system, by name."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))
