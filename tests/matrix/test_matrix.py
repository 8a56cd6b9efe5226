"""One cell of the matrix: a rasa-sdk on a Python, over each transport that it has.

noxfile.py runs these tests once for each environment that it makes. Without it they look at the
environment in which they run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from actions.ps7.testing import PERSONAS, Simulator
from tests.host.conftest import seal_keys
from tests.matrix.hosts import HOSTS
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.pins import RUNTIME, pinned

PYTHON = Path(os.environ.get("PS7_MATRIX_PYTHON") or sys.executable)
PINS = os.environ.get("PS7_MATRIX_PINS") or RUNTIME
SDK = pinned(PINS)["rasa-sdk"]
HAS_GRPC = Version(SDK) >= Version("3.10")

ANA = PERSONAS["ana"]
PAYLOAD = {**ANA.payload, "visits": {"count": 3, "minutes": [1, 2.5, None, True]}}
"""Numbers too: over gRPC they all come back as floats."""
METADATA = {"contextId": "visitor"}


@pytest.mark.release
@pytest.mark.parametrize("transport", HOSTS)
async def test_a_customer_is_looked_up_held_verified_and_forgotten(
    transport: str, tmp_path: Path
) -> None:
    """Every answer whole, with one request to PS7, and a server that ends without a complaint."""
    if transport == "gRPC" and not HAS_GRPC:
        pytest.skip(f"rasa-sdk {SDK} has no gRPC")
    user = Dialogue()
    unknown: dict[str, Any] = dict(user.slots)
    async with Simulator() as ps7:
        ps7.answer(METADATA["contextId"], body={**ANA.answer, "payload": PAYLOAD})
        settings = {**ps7.environment, "PS7_SEAL_KEYS": seal_keys()}
        async with HOSTS[transport](PYTHON, tmp_path, settings) as send:
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
