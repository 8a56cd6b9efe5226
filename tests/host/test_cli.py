"""The command `rasa-ps7`, as a person at a terminal uses it: help, ends, and its small tools."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import runpy
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7.cli.command import main, parser
from actions.ps7.cli.version import VERSION
from tests.support.arriving import arrived
from tests.support.command import Cli

KEY, OLDER = "new-key-" * 4, "old-key-" * 4
SEALS = [Fernet.generate_key().decode() for _ in range(2)]


@pytest.fixture
def arrival_keys(isolated: pytest.MonkeyPatch) -> None:
    """Set the keys of the back-end, and nothing else."""
    isolated.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))


# -- help -----------------------------------------------------------------------------------------


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return every subcommand's parser by its name."""
    [subparsers] = (action for action in parser()._actions if action.dest == "==SUPPRESS==")
    choices: Any = subparsers.choices
    return dict(choices)


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_examples(name: str, isolated: pytest.MonkeyPatch) -> None:
    """That the command line takes them is seen in tests/docs."""
    isolated.setenv("COLUMNS", "80")
    text = commands()[name].format_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "%(" not in text
    assert f"\nexamples:\n  rasa-ps7 {name}" in text


def test_a_folder_that_was_copied_knows_its_version(cli: Cli) -> None:
    """No installer wrote it down there."""
    assert cli("--version") == (0, f"rasa-ps7 {VERSION}\n", "")


# -- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "COMMAND"),
        ("sign ana", "--sender"),
        ("sign ana --sender s --seconds 0", "a whole number from 1 to 120"),
        ("sign ana --sender s --seconds 121", "a whole number from 1 to 120"),
        ("lookup ana --flow-id 'a b'", "1 to 128 of A-Z a-z 0-9 . _ -"),
        ("domain --oss --calm", "not allowed with"),
        ("domain --oss --slots cpf,nome,ps7_status", "customer: nome, ps7_status"),
        ("simulate --port 70000", "a port is a number"),
    ],
)
def test_what_cannot_be_done_is_said(cli: Cli, line: str, complaint: str) -> None:
    """In one line, with the exit code that every command has for it."""
    code, _, err = cli(line)
    assert code == 2, err
    assert complaint in err


def test_ctrl_c_ends_any_command(cli: Cli, isolated: pytest.MonkeyPatch) -> None:
    """With the exit code that shells give a process which SIGINT ended."""

    def interrupted(_: object) -> str:
        raise KeyboardInterrupt

    isolated.setattr("actions.ps7.cli.key.json.dumps", interrupted)
    assert cli("key").code == 130


def test_a_pipe_that_was_closed_is_an_end(isolated: pytest.MonkeyPatch) -> None:
    """That shows once what was written goes out. From then on the output goes nowhere.

    The interpreter flushes it once more as it ends.
    """
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as out:
        isolated.setattr("sys.stdout", out)
        assert main(["key"]) == 141
        out.flush()


def test_output_that_takes_ascii_alone_gets_escapes(isolated: pytest.MonkeyPatch) -> None:
    """A character that cannot be written is no error."""
    written = io.BytesIO()
    isolated.setattr("sys.stderr", io.TextIOWrapper(written, "ascii", write_through=True))
    assert main(["doctor", "--bot", "ação"]) == 1
    assert written.getvalue() == rb"a\xe7\xe3o is no folder: --bot takes that of a bot" + b"\n"


# -- sign -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("arrival_keys")
@pytest.mark.parametrize(
    ("options", "encoded", "seconds"),
    [("", None, 120), ("--seconds 120", None, 120), ("--seconds 1 --encoded 0", 0, 1)],
)
def test_sign_prints_a_token_of_the_newest_key(
    cli: Cli, options: str, encoded: int | None, seconds: int
) -> None:
    """One line, to be pasted into a message's metadata; PS7 itself need not be configured."""
    code, out, err = cli(f"sign ana --sender s-1 {options}")
    read = arrived(out.removesuffix("\n"), [KEY], "s-1")
    assert (code, read.context_id, read.encoded, err) == (0, "ana", encoded, "")
    assert read.valid is not None
    assert read.valid[1] - read.valid[0] == seconds + 10  # by which clocks may differ


@pytest.mark.usefixtures("arrival_keys")
def test_what_is_personal_can_come_from_the_standard_input(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """A line for each `-`: a list of processes shows none of it."""
    isolated.setattr("sys.stdin", io.StringIO("ana\r\n+55 11 \ntwo words\n"))
    assert arrived(cli("sign - --sender -").out.strip(), [KEY], "+55 11 ").context_id == "ana"
    code, _, err = cli("lookup -")
    assert code == 2, err
    assert "two words" not in err
    assert "standard input: 1 to 256 printable characters without white space" in err


SECRETS = "cannot be used; it expects a JSON list of secrets of at least 32 bytes each"
FERNET = "cannot be used; it expects a JSON list of Fernet keys, newest first"


@pytest.mark.parametrize(
    ("line", "value", "complaint"),
    [
        ("sign ana --sender s", None, "PS7_ARRIVAL_KEYS is not set: there is no key to sign with"),
        ("sign ana --sender s", '["planted"]', f"  PS7_ARRIVAL_KEYS {SECRETS}"),
        ("sign ana --sender s", "", f"  PS7_ARRIVAL_KEYS {SECRETS}"),
        ("key --rotate", None, "PS7_SEAL_KEYS is not set: there is nothing to rotate"),
        ("key --rotate", '["planted"]', f"  PS7_SEAL_KEYS {FERNET}"),
    ],
)
def test_sign_and_rotate_refuse_without_a_usable_key(
    cli: Cli, isolated: pytest.MonkeyPatch, line: str, value: str | None, complaint: str
) -> None:
    """It says what the variable expects, not what stands in it, and makes no key in its place."""
    if value is not None:
        isolated.setenv(complaint.split(maxsplit=1)[0], value)
    code, out, err = cli(line)
    assert (code, out) == (1, "")
    assert "planted" not in err
    assert err.splitlines()[-1].startswith(complaint)


# -- key ------------------------------------------------------------------------------------------


def test_key_makes_what_its_variable_takes(cli: Cli, isolated: pytest.MonkeyPatch) -> None:
    """One line, a new one each time; the key for arrivals signs a token that is accepted."""
    (code, out, err), other = cli("key"), cli("key").out
    [key] = json.loads(out)
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"
    assert (code, out.count("\n"), err) == (0, 1, "")
    assert out != other
    made = cli("key --arrival").out
    assert len(json.loads(made)[0]) == 43, "32 bytes of chance"
    isolated.setenv("PS7_ARRIVAL_KEYS", made)
    token = cli("sign ana --sender s-1").out.strip()
    assert arrived(token, json.loads(made), "s-1").context_id == "ana"


ROTATED = """\
1. Set PS7_SEAL_KEYS to this everywhere, and restart the action servers one after the other:
{}
2. Once all have it, set it to this everywhere, and restart them again:
{}
"""


def test_key_rotates(cli: Cli, isolated: pytest.MonkeyPatch) -> None:
    """In two steps, so that in between no server meets a key that it does not have."""
    isolated.setenv("PS7_SEAL_KEYS", json.dumps(SEALS))
    ended = cli("key --rotate")
    new = json.loads(ended.out.splitlines()[3])[0]
    steps = [json.dumps(keys) for keys in ([*SEALS, new], [new, *SEALS])]
    assert ended == (0, ROTATED.format(*steps), "")


def test_key_json_names_the_variable_and_its_steps(
    cli: Cli, isolated: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable, and its value as a list; it reads what the action server reads, files too."""
    (tmp_path / "PS7_ARRIVAL_KEYS").write_text(json.dumps([KEY, OLDER]))
    isolated.setenv("PS7_SECRETS_DIR", str(tmp_path))
    assert json.loads(cli("key --json").out).keys() == {"variable", "value"}
    said = json.loads(cli("key --arrival --rotate --json").out)
    new = said["steps"][1][0]
    steps = [[KEY, OLDER, new], [new, KEY, OLDER]]
    assert said == {"variable": "PS7_ARRIVAL_KEYS", "steps": steps}


# -- the entry point ------------------------------------------------------------------------------


MAIN = "actions.ps7.__main__"


def test_the_package_is_the_command(
    isolated: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m actions.ps7` is `rasa-ps7`; where it is imported, below, nothing runs."""
    isolated.delitem(sys.modules, MAIN, raising=False)
    isolated.setattr(sys, "argv", ["rasa-ps7", "sign", "--help"])
    with pytest.raises(SystemExit) as ending:
        runpy.run_module("actions.ps7", run_name="__main__")
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith("usage: rasa-ps7 sign")


def test_a_copy_without_its_command_says_so(
    isolated: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line; a module that is missing within the command is a fault like any other."""
    entry = importlib.import_module(MAIN)
    isolated.setitem(sys.modules, "actions.ps7.cli.command", None)
    with pytest.raises(ModuleNotFoundError):
        entry.main()
    isolated.setattr(entry, "__package__", "actions")  # which has no cli/
    isolated.setattr(entry, "__spec__", ModuleSpec("actions.__main__", None))
    assert entry.main() == 2
    said = "The command is not installed here: this copy of rasa-ps7 has no cli/.\n"
    assert capsys.readouterr() == ("", said)


def test_a_copy_without_testing_has_every_command_that_needs_none(
    isolated: pytest.MonkeyPatch,
) -> None:
    """`testing/` may be left out: it has the simulator, and what replays Rasa."""
    every = commands().keys()
    for name in ("actions.ps7.testing", "actions.ps7.testing.simulator.__main__"):
        isolated.setitem(sys.modules, name, None)
    assert commands().keys() == every - {"simulate", "explain"}
