"""The account of the attacks, as a plugin: one ledger for a run, however many processes it has.

`tests/conftest.py` registers it, because the process that writes the summary of a run whose tests
are spread over workers collects no tests itself, and so reads no other conftest.
"""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from tests.security.ledger import Ledger

_LEDGER = pytest.StashKey[Ledger]()


class Worker(Protocol):
    """A process that runs tests for this one, as pytest-xdist tells of it."""

    config: pytest.Config
    workeroutput: dict[str, Any]


@pytest.fixture(scope="session")
def ledger(pytestconfig: pytest.Config) -> Ledger:
    """Give the account of this process."""
    return pytestconfig.stash.setdefault(_LEDGER, Ledger())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the account over, where this is a worker."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None and _LEDGER in session.config.stash:
        output["attacks"] = session.config.stash[_LEDGER].plain()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Worker) -> None:
    """Take over the account of a worker; one that broke down has handed over none."""
    plain = getattr(node, "workeroutput", {}).get("attacks")
    if plain:
        node.config.stash.setdefault(_LEDGER, Ledger()).add(plain)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Write down what was tried, and what came of it."""
    lines = list(config.stash.get(_LEDGER, Ledger()).lines())
    if lines:
        terminalreporter.section("attacks on the action server")
        terminalreporter.write("\n".join([*lines, ""]))
