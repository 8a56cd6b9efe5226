"""How a turn ends: what a fault is to lead to, and everything that must be true after it."""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import dataclass
from typing import Any

from actions.ps7.testing import Simulator
from tests.faults.conftest import OF_A_CUSTOMER, OWN
from tests.faults.secrets import APP_SECRET, CONTEXT_ID, CREDENTIALS, SENDER_ID, found
from tests.faults.watch import Watch

GRACE = 1.0
"""Seconds that a turn may take beyond its deadline, on a busy machine."""
MET = {"deadline": {"DEADLINE": 1.2}, "read_timeout": {"READ_TIMEOUT": 0.3}}
"""The limit that a fault meets, by its reason: a short one."""
CUSTOMER = ("22233366638", "52998224725", "00123456", "5511900000001")
"""What the simulator's answers say of a customer."""
LINE = re.compile(
    r"PS7 lookup: outcome=(?P<outcome>[a-z]+) reason=(?P<reason>[a-z_]+) status=(\d+|-) "
    r"attempts=(?P<attempts>\d+) ms=\d+ correlation=[0-9a-f-]{36} context=[0-9a-f]{12}"
)


@dataclass(frozen=True)
class End:
    """How a turn must end."""

    outcome: str
    reason: str
    requests: int
    token_requests: int = 0


def check(watch: Watch, slots: dict[str, Any], ps7: Simulator, end: End) -> None:
    """Look at everything that must be true after a turn."""
    customer = {name: slots[name] for name in OF_A_CUSTOMER}
    assert (slots["ps7_status"], slots[OWN]) == (end.outcome, "stale")
    if end.outcome == "ok":
        assert customer["cpf"] in CUSTOMER
        assert "stale" not in customer.values()
    else:
        assert customer == dict.fromkeys(customer)

    line, *probe = watch.lines(logging.INFO)
    said = LINE.fullmatch(line)
    assert said, line
    assert (said["outcome"], said["reason"]) == (end.outcome, end.reason)
    assert int(said["attempts"]) == end.requests
    # A refusal of our credentials sets off a probe, which meets the same at the token endpoint.
    probes = int(end.outcome == "denied")
    opened = probes if end.reason == "token_refused" else 0
    assert len(probe) == probes
    assert len(watch.lines(logging.WARNING, logging.ERROR)) == opened
    probed = 0 if opened else probes
    token_requests = end.token_requests + opened
    assert (len(ps7.requests), len(ps7.token_requests)) == (end.requests + probed, token_requests)
    attempts = ["ps7.attempt"] * end.requests + ["ps7.lookup"]
    assert watch.spans.names == attempts + ["ps7.attempt"] * probed + ["ps7.probe"] * probes
    assert [event for span in watch.spans.ended for event in span.events] == []
    assert watch.seconds <= float(os.environ["PS7_DEADLINE"]) + GRACE
    silent(watch, ps7)


def silent(watch: Watch, ps7: Simulator) -> None:
    """Find no secret in anything that was said."""
    tokens = {request.headers.get("Authorization", "Bearer -")[7:] for request in ps7.requests}
    keys = json.loads(os.environ["PS7_SEAL_KEYS"])
    planted = (CONTEXT_ID, SENDER_ID, *CREDENTIALS.values(), APP_SECRET, *CUSTOMER, *keys)
    assert found([*planted, *(tokens - {"-"})], watch.said()) == []
