"""Each rasa-sdk on each Python over each transport: the same customer, the same answers.

Before a release: at every change tests/host looks up with the newest SDK and the oldest. Where an
environment has not been made its tests are skipped, but never in CI.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from actions.ps7.testing import PERSONAS, Simulator
from tests.host.conftest import seal_keys
from tests.matrix import page
from tests.matrix.cells import NEWEST, RUN, Cell, Sdk, Transport, pinned
from tests.matrix.environments import interpreter, usable
from tests.matrix.hosts import HOSTS
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.processes import ROOT

ANA = PERSONAS["ana"]
PAYLOAD = {**ANA.payload, "visits": {"count": 3, "minutes": [1, 2.5, None, True]}}
"""Numbers too: over gRPC they all come back as floats."""
METADATA = {"contextId": "visitor"}
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


@pytest.mark.release
@pytest.mark.parametrize("cell", RUN, ids=str)
async def test_a_customer_is_looked_up_held_verified_and_forgotten(
    cell: Cell, tmp_path: Path
) -> None:
    """Every answer whole, with one request to PS7, and a server that ends without a complaint."""
    python, user = usable(interpreter(cell.sdk, cell.python)), Dialogue()
    unknown: dict[str, Any] = dict(user.slots)
    async with Simulator() as ps7:
        ps7.answer(METADATA["contextId"], body={**ANA.answer, "payload": PAYLOAD})
        settings = {**ps7.environment, "PS7_SEAL_KEYS": seal_keys()}
        async with HOSTS[cell.transport](python, tmp_path, settings) as send:
            await user.turn(send, metadata=METADATA)
            found = dict(user.slots)
            assert found.pop("ps7_context")
            assert found.pop("ps7_expires_at")
            assert found.pop("ps7_payload") == PAYLOAD
            assert found == ANA.slots

            for action in (LOOK_UP, VERIFY):
                for given in (METADATA, {}):
                    assert await user.turn(send, action, given) == {}
            user.slots["account"] = "00000000"
            assert await user.turn(send, VERIFY) == {"account": ANA.slots["account"]}

            await user.turn(send, FORGET)
            assert await user.turn(send, metadata=METADATA) == {}
            assert user.slots.pop("ps7_context"), "the seal says that this contextId was forgotten"
            assert user.slots | {"ps7_context": None} == unknown | {"ps7_status": "missing"}
        assert [request.json for request in ps7.requests] == [METADATA]


@pytest.mark.release
@pytest.mark.parametrize(
    ("sdk", "python"),
    [
        pytest.param(sdk, python, id=f"{sdk.name}-{python}")
        for sdk, python in dict.fromkeys((cell.sdk, cell.python) for cell in RUN)
    ],
)
def test_an_environment_is_what_the_table_says(sdk: Sdk, python: str) -> None:
    """Python and packages as pinned; and the reasons for cells that are not run are true."""
    command = (usable(interpreter(sdk, python)), "-c", PROBE)
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    packages = {canonicalize_name(name): one for name, one in found["packages"].items()}
    pins = {canonicalize_name(name): version for name, version in pinned(sdk.pins).items()}
    assert {name: packages.get(name) for name in pins} == pins
    assert found["python"] == python
    assert SpecifierSet(found["pythons"]) == SpecifierSet(sdk.pythons)
    assert found["grpc"] == (Transport.GRPC in sdk.transports)


def test_the_newest_aiohttp_that_is_allowed_is_run() -> None:
    """The connection rule rests on names of its own: no minor version is allowed that was not."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (aiohttp,) = (each for each in project["dependencies"] if each.startswith("aiohttp"))
    major, minor = pinned(NEWEST.pins)["aiohttp"].split(".")[:2]
    assert f"<{major}.{int(minor) + 1}" in aiohttp.split(",")


@pytest.mark.parametrize(("path", "table"), page.tables(), ids=["cells", "rasa"])
def test_each_table_is_as_the_cells_and_pins_make_it(path: Path, table: str) -> None:
    """Otherwise `python -m tests.matrix.page` writes it anew."""
    text = path.read_text(encoding="utf-8")
    assert page.in_place(text, table) == text
