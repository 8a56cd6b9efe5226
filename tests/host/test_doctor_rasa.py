"""What the doctor says about the environment that has Rasa, as an interpreter sees it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from actions.ps7.cli.doctor import settings as doctor
from tests.support.command import Cli
from tests.support.doctor import assert_found, wrong
from tests.support.init_bots import lay_out
from tests.support.pins import RASA_PINS, pinned

NEEDS = ("pydantic>=2.7", "async-timeout>=4.0.3; python_version < '3.11'", "tzdata")
SLOW = (
    "warning jsonschema: Rasa 3.6.21 has jsonschema 4.0.0: each custom action costs it some 20 ms"
)
LACKS = "error rasa-environment: rasa-ps7 is in Rasa's environment, which lacks "
FITS = {"jsonschema": "3.2.0", "rasa_ps7": "0.1.0", "pydantic": "2.10.0", "async_timeout": "4.0.3"}
OLD = FITS | {"pydantic": "1.10.9", "async_timeout": "4.0.2"}


@pytest.fixture(autouse=True)
def _packages(isolated: pytest.MonkeyPatch) -> None:
    """Let this interpreter, and those that it starts, find a folder's packages before their own."""
    packages = str(Path("packages").absolute())
    isolated.setenv("PYTHONPATH", packages)
    isolated.syspath_prepend(packages)


def install(*needs: str, **versions: str) -> None:
    """Put packages there, of which the plugin needs others: all that the doctor asks about."""
    for name, version in versions.items():
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {need}" for need in needs if name == "rasa_ps7"]
        lay_out(Path("packages"), {f"{name}-{version}.dist-info/METADATA": "\n".join(lines)})


@pytest.mark.parametrize(
    ("needs", "versions", "expected"),
    [
        ((), {"jsonschema": "4.0.0"}, [SLOW]),
        (NEEDS, FITS, []),
        ((*NEEDS, "absent"), OLD, [f"{LACKS}pydantic>=2.7, async-timeout>=4.0.3 and absent"]),
    ],
)
def test_a_slow_jsonschema_and_missing_packages_are_found(
    needs: tuple[str, ...], versions: dict[str, str], expected: list[str]
) -> None:
    """A jsonschema that is slow; and what the plugin needs, where its wheel is there too."""
    install(*needs, rasa="3.6.21", **versions)
    assert_found(wrong(doctor.check_rasa(None)), expected)


def test_the_jsonschema_to_pin_is_the_one_pinned_here() -> None:
    """In the environment of the tests' Rasa."""
    install(rasa="3.6.21", jsonschema="4.17.3")
    (finding,) = doctor.check_rasa(None)
    assert finding.do.startswith(f"Pin jsonschema=={pinned(RASA_PINS)['jsonschema']} there, ")


def test_an_interpreter_without_rasa_is_an_error_only_if_it_was_named() -> None:
    """Of the command's own there is nothing to say."""
    install(jsonschema="4.17.3")
    assert list(doctor.check_rasa(None)) == []
    expected = f"error rasa-none: {sys.executable} has no Rasa Open Source"
    assert_found(wrong(doctor.check_rasa(sys.executable)), [expected])


@pytest.mark.parametrize("script", [None, "exit 1", "echo no JSON", "exec sleep 60"])
def test_an_interpreter_that_does_not_answer_is_one_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    """It is not there, it fails, it is something else, or it takes too long."""
    monkeypatch.setattr(doctor, "_SECONDS", 0.3)
    python = tmp_path / "python"
    if script is not None:
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o700)
    expected = f"error rasa-python: {python} does not say which packages it has"
    assert_found(wrong(doctor.check_rasa(str(python))), [expected])


def test_it_is_a_section_of_its_own(cli: Cli) -> None:
    """Also with the bot alone, and only where there is something to say."""
    assert "Rasa\n" not in cli("doctor --only-bot --domain .").out
    install(rasa="3.6.21", jsonschema="3.2.0")
    python = os.path.relpath(sys.executable)
    out = cli(f"doctor --only-bot --domain . --rasa-python {python}").out
    assert out.startswith("Rasa\n  ok       Rasa 3.6.21 has jsonschema 3.2.0\n")
