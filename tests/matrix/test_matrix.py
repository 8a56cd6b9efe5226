"""Each rasa-sdk on each Python over each transport: the same customer, the same answers.

At every change those of the environments at hand, before a release all. Where an environment has
not been made its tests are skipped, but never in CI.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from actions.ps7.testing import Simulator
from tests.matrix.cells import OLDEST, RUN, Cell, Sdk, Transport, pinned
from tests.matrix.environments import at_hand, interpreter
from tests.matrix.visits import Visits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.matrix

PROBE = """
import importlib.metadata, importlib.util, json, pathlib, sys
found = importlib.metadata.distributions()
package = pathlib.Path(importlib.util.find_spec("rasa_sdk").origin).parent
print(json.dumps({
    "python": "{}.{}".format(*sys.version_info),
    "packages": {one.metadata["Name"]: one.version for one in found},
    "pythons": importlib.metadata.metadata("rasa-sdk")["Requires-Python"],
    "grpc": (package / "grpc_server.py").exists(),
}))
"""


ENVIRONMENTS = dict.fromkeys((cell.sdk, cell.python) for cell in RUN)


def marks(sdk: Sdk, python: str) -> tuple[pytest.MarkDecorator, ...]:
    """Return `release` for an environment that only `make matrix` makes."""
    return () if at_hand(sdk, python) else (pytest.mark.release,)


def usable(sdk: Sdk, python: str) -> Path:
    """Return an interpreter that has this rasa-sdk; skip the test where none stands."""
    found = interpreter(sdk, python)
    if found is None:
        made_by = "make floor" if sdk is OLDEST else "make matrix"
        reason = f"`{made_by}` has not made the environment, or from other pins"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def visits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Visits]:
    """Run all cells that the chosen tests ask for and whose environments stand."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    asked = (item.callspec.params["cell"] for item in items if "visits" in item.fixturenames)
    cells = (cell for cell in asked if isinstance(cell, Cell))
    standing = [cell for cell in cells if interpreter(cell.sdk, cell.python)]
    async with Simulator() as ps7:
        running = Visits(ps7, tmp_path_factory.mktemp("matrix"), standing)
        yield running
        await running.end_all()


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "cell",
    [pytest.param(cell, id=str(cell), marks=marks(cell.sdk, cell.python)) for cell in RUN],
)
async def test_a_customer_is_looked_up_held_verified_and_forgotten(
    cell: Cell, visits: Visits, request: pytest.FixtureRequest
) -> None:
    """Over this transport as over all, with one request to PS7, and a server that ends well."""
    usable(cell.sdk, cell.python)
    try:
        await visits.end(cell)
    except BaseException:
        request.node.add_report_section("call", "server", visits.log(cell))
        raise


@pytest.mark.parametrize(
    ("sdk", "python"),
    [
        pytest.param(sdk, python, id=f"{sdk.name}-{python}", marks=marks(sdk, python))
        for sdk, python in ENVIRONMENTS
    ],
)
def test_an_environment_is_what_the_table_says(sdk: Sdk, python: str) -> None:
    """Python and packages as pinned; and the reasons for cells that are not run are true."""
    command = (usable(sdk, python), "-c", PROBE)
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    packages = {canonicalize_name(name): one for name, one in found["packages"].items()}
    pins = {canonicalize_name(name): version for name, version in pinned(sdk.pins).items()}
    assert {name: packages.get(name) for name in pins} == pins
    assert found["python"] == python
    assert SpecifierSet(found["pythons"]) == SpecifierSet(sdk.pythons)
    assert found["grpc"] == (Transport.GRPC in sdk.transports)
