"""What holds for every test: no network but this machine's, a time limit, and the order."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Generator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.support import needs

pytest_plugins = [
    *("tests.conversation.fixtures", "tests.support.command", "tests.support.log"),
    "pytester",
]

# How fast a machine makes up examples says nothing about the code: no deadline for one of them.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")

# A script that starts a job with `&` leaves SIGINT ignored, and every process that a test starts
# would inherit that: Ctrl+C would not end it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# `git commit --all` names its index to a hook, and a test's own repository would write into that.
for variable in [name for name in os.environ if name.startswith("GIT_")]:
    del os.environ[variable]

# What is imported stays: to look for garbage in it again and again takes a third of the time until
# tests run, and some of theirs.
gc.disable()

_SLOW_TO_START = 1800
"""Seconds for a test with a real Rasa: the first waits until a bot is trained and servers run, as
long as they make progress."""

_ID, _KEY = 60, re.compile(r"[\w-]{43}=")
"""Characters of a case's name at most; a Fernet key, which differs from run to run."""

_OUTBOUND = {"socket.connect", "socket.sendto", "socket.sendmsg"}


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse every connection but those to loopback addresses and Unix sockets."""
    if event not in _OUTBOUND or not isinstance(address := arguments[1], tuple):
        return
    host = address[0]
    if host != "localhost" and not ip_address(host).is_loopback:
        message = f"a test reached for {host}: tests talk to this machine only"
        raise ConnectionRefusedError(message)


sys.addaudithook(_refuse_the_network)


@pytest.fixture
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Work in a folder without a `.env`, and without a variable that a developer has set."""
    for name in [name for name in os.environ if name.startswith(("PS7_", "SSL_CERT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage from here on, in what tests make."""
    collected = yield
    gc.freeze()
    gc.enable()
    return collected


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what takes long last, above all a real Rasa; where tests are spread over workers, first.

    A worker takes a file at a time; those that share servers count as one: the bots in a real Rasa,
    what runs Rasa by itself, and attacks.
    """
    spread = hasattr(config, "workerinput")
    items.sort(key=_takes_long, reverse=spread)
    for item in items:
        with_rasa = item.get_closest_marker("conversation") is not None
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(_group(item)))
        if with_rasa and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(_SLOW_TO_START))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, bool, bool]:
    """Collect what a test may leave open, before one that may not would be blamed for it.

    Its connections are garbage when pytest has dropped its arguments, and no sooner. So is all that
    a test had at hand when it failed.
    """
    failed_before = item.session.testsfailed
    done = yield
    failed = item.session.testsfailed > failed_before
    if failed:
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            vars(sys).pop(name, None)  # which pytest keeps for a debugger
    if failed or (_leaves_open(item) and not _leaves_open(nextitem)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Warning if failed else ResourceWarning)
            gc.collect()
    return done


def _leaves_open(item: pytest.Item | None) -> bool:
    marks = () if item is None else item.iter_markers("filterwarnings")
    return any(str(mark.args[0]).startswith("ignore:unclosed") for mark in marks)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Note which tests this machine lacks something for: once, and not in each worker as well."""
    if not hasattr(config, "workerinput"):
        needs.note(terminalreporter.stats.get("skipped", []))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case by what it has, or by the argument that is there or is not."""
    if isinstance(val, bool):
        return argname if val else f"not {argname}"
    if val is None or val in ((), [], {}):
        return f"no {argname}"
    if isinstance(val, (bytes, dict, list, tuple)) or (isinstance(val, str) and len(val) > _ID):
        said = json.dumps(val, ensure_ascii=False, skipkeys=True, default=_in_a_name)
        return " ".join(re.findall(r"[\w./=-]+", _KEY.sub("", said)))[:_ID] or None
    return argname if getattr(val, "__name__", "") == "<lambda>" else None  # None: as pytest does


def _in_a_name(val: object) -> str:
    return str(val[:_ID]) if isinstance(val, bytes) else ""


def _takes_long(item: pytest.Item) -> int:
    """Return how long it takes with what it shares servers with: 0 for most."""
    if item.get_closest_marker("conversation"):
        return 3
    long = {"deploy": 2, "monitoring": 2, "examples": 1, "faults": 1, "model": 1, "security": 1}
    return long.get(item.path.parent.name, 0)


def _group(item: pytest.Item) -> str:
    if item.get_closest_marker("conversation"):
        return "conversation" if "rasa_bots" in getattr(item, "fixturenames", ()) else "rasa alone"
    folder = item.path.parent.name
    return folder if folder == "security" else f"{folder}/{item.path.stem}"
