"""The command `rasa-ps7`, as a person at a terminal uses it."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.command import main
from actions.ps7.dialogue.arrival import Door, on_time
from actions.ps7.dialogue.context_id import Found, find

if TYPE_CHECKING:
    from pathlib import Path

KEY, OLDER = "new-key-" * 4, "old-key-" * 4


@pytest.fixture
def arrival_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Work in an empty folder, where nothing but the keys is set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    return monkeypatch


def let_in(token: str, sender_id: str) -> Found:
    found = find({"metadata": {"contextId": token}}, [], None, ["contextId"])
    assert found is not None
    return on_time(Door([KEY]).read(found, sender_id), datetime.now(tz=timezone.utc))


@pytest.mark.usefixtures("arrival_keys")
def test_sign_prints_a_token_of_the_newest_key(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, to be pasted into a message's metadata; PS7 itself need not be configured."""
    assert main(["sign", "ana", "--sender", "sender-1"]) == 0
    out, err = capsys.readouterr()
    read = let_in(out.removesuffix("\n"), "sender-1")
    assert (read.context_id, read.encoded, err) == ("ana", None, "")
    assert read.opens is not None
    assert read.opens[1] - read.opens[0] == 130  # 120 s, and the clocks' 10 s


@pytest.mark.usefixtures("arrival_keys")
def test_sign_takes_options(capsys: pytest.CaptureFixture[str]) -> None:
    """How long the token is good, and what PS7 is told beside the contextId."""
    main(["sign", "ana", "--sender", "sender-1", "--seconds", "5", "--encoded", "0"])
    read = let_in(capsys.readouterr().out.strip(), "sender-1")
    assert read.encoded == 0
    assert read.opens is not None
    assert read.opens[1] - read.opens[0] == 15


def test_sign_without_a_key(
    arrival_keys: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which variable is missing."""
    arrival_keys.delenv("PS7_ARRIVAL_KEYS")
    assert main(["sign", "ana", "--sender", "sender-1"]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "PS7_ARRIVAL_KEYS is not set: there is no key to sign with\n")


def test_sign_with_a_bad_key(
    arrival_keys: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what the variable expects, and not what stands in it."""
    arrival_keys.setenv("PS7_ARRIVAL_KEYS", '["planted"]')
    assert main(["sign", "ana", "--sender", "sender-1"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "PS7_ARRIVAL_KEYS cannot be used; it expects a JSON list of secrets of at least" in err
    assert "planted" not in err


@pytest.mark.usefixtures("arrival_keys")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["sign", "ana"], "--sender"),
        (["sign", "a b", "--sender", "s"], "printable characters without white space"),
        (["sign", "ana", "--sender", "s", "--seconds", "0"], "a whole number from 1 to 120"),
        (["sign", "ana", "--sender", "s", "--seconds", "121"], "a whole number from 1 to 120"),
        (["sign", "ana", "--sender", "s", "--seconds", "soon"], "a whole number from 1 to 120"),
    ],
)
def test_what_cannot_be_done_is_said(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    """In one line, with the exit code that every command has for it."""
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert ending.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_package_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m actions.ps7` is `rasa-ps7` for a bot that has the folder."""
    monkeypatch.delitem(sys.modules, "actions.ps7.__main__", raising=False)
    assert importlib.import_module("actions.ps7.__main__").main is main  # and nothing happens
    monkeypatch.delitem(sys.modules, "actions.ps7.__main__")
    monkeypatch.setattr(sys, "argv", ["rasa-ps7", "sign", "--help"])
    with pytest.raises(SystemExit) as ending:
        runpy.run_module("actions.ps7", run_name="__main__")
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith("usage: rasa-ps7 sign")
