"""What a test that fails leaves behind."""

from __future__ import annotations

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

LEAVES = """
import gc
import socket
def test_that_fails():
    left = socket.socket()
    assert left is None
def test_that_looks_around():
    gc.collect()
"""


def test_what_a_failed_test_leaves_open_is_no_fault_of_the_next(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would fail as well, with what was never its own."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(f"[pytest]\npythonpath = {ROOT}")
    pytester.makeconftest("from tests.conftest import pytest_runtest_protocol")
    pytester.makepyfile(LEAVES)
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1, failed=1)
