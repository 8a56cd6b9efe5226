"""What holds for every test: nothing leaves this machine, and what fails cheaply fails first."""

from __future__ import annotations

import sys
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.conversation.fixtures", "tests.security.account", "pytester"]

# How fast a machine makes up examples says nothing about the code: no deadline for one of them.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")

_SHARING = ("conversation", "matrix")
"""Markers of the tests that share servers."""

_OUTBOUND = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Let this process talk to loopback addresses and to Unix sockets, and to nobody else."""
    if event not in _OUTBOUND or not isinstance(address := arguments[1], tuple):
        return
    host = address[0]
    if host != "localhost" and not ip_address(host).is_loopback:
        message = f"a test reached for {host}: tests talk to this machine only"
        raise ConnectionRefusedError(message)


sys.addaudithook(_refuse_the_network)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run whatever needs a real Rasa last; where tests are spread over workers, first on one.

    A worker takes a file at a time; tests that share servers which are slow to start count as one.
    """
    spread = hasattr(config, "workerinput")
    items.sort(key=lambda item: bool(item.get_closest_marker("conversation")), reverse=spread)
    for item in items:
        file = "/".join(item.path.with_suffix("").parts[-2:])
        group = next((name for name in _SHARING if item.get_closest_marker(name)), file)
        item.add_marker(pytest.mark.xdist_group(group))
