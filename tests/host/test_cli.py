"""The command `rasa-ps7`, as a person at a terminal uses it: help, ends, and its small tools."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import io
import json
import os
import re
import runpy
import shlex
import sys
from importlib.machinery import ModuleSpec
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7.cli.arguments import PROGRAM
from actions.ps7.cli.command import main, parser
from actions.ps7.testing import Simulator
from tests.support.arriving import arrived
from tests.support.command import command, start
from tests.support.processes import ROOT

KEY, OLDER = "new-key-" * 4, "old-key-" * 4
SEALS = [Fernet.generate_key().decode() for _ in range(3)]


@pytest.fixture(autouse=True)
def given(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Work in an empty folder, where nothing is set."""
    return isolated


@pytest.fixture
def arrival_keys(given: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set the keys of the back-end, and nothing else."""
    given.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    return given


# -- help -----------------------------------------------------------------------------------------


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return every subcommand's parser by its name."""
    [subparsers] = (action for action in parser()._actions if action.dest == "==SUPPRESS==")
    choices: Any = subparsers.choices
    return dict(choices)


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_examples_that_work(
    name: str, given: pytest.MonkeyPatch
) -> None:
    """A newcomer can copy them: the command line takes each, and each says what it is for."""
    given.setenv("COLUMNS", "80")
    text = commands()[name].format_help()
    assert max(map(len, text.splitlines())) <= 80
    assert "%(" not in text
    shown = text.partition("\nexamples:\n")[2].rstrip().splitlines()
    assert len(shown) >= 4
    assert all(line.startswith("      ") and len(line) > 12 for line in shown[1::2])
    for example in shown[::2]:
        program, *line = shlex.split(example)
        assert (program, line[0]) == (PROGRAM, name)
        assert parser().parse_args([*takewhile(lambda word: word not in "<>", line)]).run


def test_the_list_of_commands_and_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a line that says what it is for; a folder that was copied knows its version too."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [version] = re.findall(r'^version = "(.*)"$', project, re.MULTILINE)
    for option, expected in (
        ("--help", [f"\n    {name}" for name in commands()]),
        ("--version", [f"rasa-ps7 {version}\n"]),
    ):
        with pytest.raises(SystemExit) as ending:
            main([option])
        out = capsys.readouterr().out
        assert (ending.value.code, [each for each in expected if each not in out]) == (0, [])


# -- ends -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "COMMAND"),
        ("sign ana", "--sender"),
        ("sign 'a b' --sender s", "printable characters without white space"),
        ("sign ana --sender s --seconds 0", "a whole number from 1 to 120"),
        ("sign ana --sender s --seconds 121", "a whole number from 1 to 120"),
        ("sign ana --sender s --seconds soon", "a whole number from 1 to 120"),
        ("lookup ana --flow-id 'a b'", "1 to 128 of A-Z a-z 0-9 . _ -"),
        ("lookup ana --encoded 2", "invalid choice"),
        ("key --keep -1", "a whole number from 0 on"),
        ("domain", "--oss --calm"),
        ("domain --oss --calm", "not allowed with"),
        ("domain --oss --slots cpf,nome,ps7_status", "customer: nome, ps7_status"),
        ("simulate --port x", "a port is a number"),
    ],
)
def test_what_cannot_be_done_is_said(
    capsys: pytest.CaptureFixture[str], line: str, complaint: str
) -> None:
    """In one line, with the exit code that every command has for it."""
    with pytest.raises(SystemExit) as ending:
        main(shlex.split(line))
    assert ending.value.code == 2
    assert complaint in capsys.readouterr().err


async def test_unusable_settings_are_one_message(tmp_path: Path) -> None:
    """Every variable at fault, no value of one, and no traceback."""
    variables = {"PS7_BASE_URL": "planted", "PS7_USERNAME": "planted"}
    ended = await command("lookup", "ana", cwd=tmp_path, variables=variables)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "The PS7 settings are not usable:\n"
        "  PS7_BASE_URL cannot be used; it expects scheme, host and port of PS7, such as "
        "https://cec.example.com, and the path in front of PS7's own if its gateway has one; "
        "http is for a loopback host only; this one does not begin with https:// and a host\n"
        "  PS7_PASSWORD is missing; it expects a text of printable characters; looked in the "
        "environment, .env in this folder (not there) and PS7_SECRETS_DIR (not set)\n"
    )


def test_ctrl_c_ends_any_command(given: pytest.MonkeyPatch) -> None:
    """With the exit code that shells give a process which SIGINT ended."""

    def interrupted(_: object) -> str:
        raise KeyboardInterrupt

    given.setattr("actions.ps7.cli.key.json.dumps", interrupted)
    assert main(["key"]) == 130


def test_a_pipe_that_was_closed_is_an_end(given: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The output goes nowhere from then on: the interpreter flushes it once more as it ends."""
    with (tmp_path / "out").open("w", encoding="utf-8") as out:

        def closed() -> None:
            raise BrokenPipeError

        given.setattr("sys.stdout", out)
        given.setattr(out, "flush", closed, raising=False)
        assert main(["key"]) == 141
        given.undo()
        assert os.fstat(out.fileno()).st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116


@pytest.mark.asyncio(loop_scope="session")
async def test_output_that_takes_ascii_alone_gets_escapes(ps7: Simulator, tmp_path: Path) -> None:
    """A character that cannot be written is no error; the content of a file is UTF-8 as ever."""
    variables = {**ps7.environment, "PYTHONIOENCODING": "ascii"}
    ended = await command("lookup", "ana", "--show", cwd=tmp_path, variables=variables)
    assert (ended.code, ended.err) == (0, "")
    assert "  Personnalit\\xe9\n" in ended.out
    ended = await command("domain", "--oss", cwd=tmp_path, variables=variables)
    assert ended.out == await asyncio.to_thread((ROOT / "domain.yml").read_text, "utf-8")


# -- sign -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("arrival_keys")
@pytest.mark.parametrize(
    ("options", "encoded", "seconds"),
    [([], None, 120), (["--seconds", "5", "--encoded", "0"], 0, 5)],
)
def test_sign_prints_a_token_of_the_newest_key(
    capsys: pytest.CaptureFixture[str], options: list[str], encoded: int | None, seconds: int
) -> None:
    """One line, to be pasted into a message's metadata; PS7 itself need not be configured."""
    assert main(["sign", "ana", "--sender", "s-1", *options]) == 0
    out, err = capsys.readouterr()
    read = arrived(out.removesuffix("\n"), [KEY], "s-1")
    assert (read.context_id, read.encoded, err) == ("ana", encoded, "")
    assert read.valid is not None
    assert read.valid[1] - read.valid[0] == seconds + 10  # by which clocks may differ


@pytest.mark.usefixtures("arrival_keys")
def test_what_is_personal_can_come_from_the_standard_input(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each `-`: a list of processes shows none of it."""
    given.setattr("sys.stdin", io.StringIO("ana\r\n+55 11\n"))
    assert main(["sign", "-", "--sender", "-"]) == 0
    token = capsys.readouterr().out.strip()
    assert arrived(token, [KEY], "+55 11").context_id == "ana"
    given.setattr("sys.stdin", io.StringIO("two words\n"))
    with pytest.raises(SystemExit) as ending:
        main(["lookup", "-"])
    assert ending.value.code == 2
    err = capsys.readouterr().err
    assert "standard input: 1 to 256 printable characters without white space" in err
    assert "two words" not in err


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
def test_no_usable_key(
    given: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    value: str | None,
    complaint: str,
) -> None:
    """It says what the variable expects, not what stands in it, and makes no key in its place."""
    if value is not None:
        given.setenv(complaint.split(maxsplit=1)[0], value)
    assert main(line.split()) == 1
    out, err = capsys.readouterr()
    assert (out, "planted" in err) == ("", False)
    assert err.splitlines()[-1].startswith(complaint)


# -- key ------------------------------------------------------------------------------------------


def made(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """Make keys, and return them; nothing else is written into a pipe."""
    assert main(["key", *arguments]) == 0
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (1, "")
    keys: list[str] = json.loads(out)
    return keys


def test_key_makes_what_its_variable_takes(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, a new one each time; the key for arrivals signs a token that is accepted."""
    [key], [other] = made(capsys), made(capsys)
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"
    assert key != other
    [key] = made(capsys, "--arrival")
    given.setenv("PS7_ARRIVAL_KEYS", json.dumps([key]))
    given.setattr("sys.stdout", out := io.StringIO())  # any stream will do
    assert main(["sign", "ana", "--sender", "s-1"]) == 0
    assert arrived(out.getvalue().strip(), [key], "s-1").context_id == "ana"


@pytest.mark.usefixtures("arrival_keys")
@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ("", SEALS[:1]),
        ("--keep 0", []),
        ("--keep 2", SEALS[:2]),
        ("--keep 9", SEALS),
        ("--arrival --keep 5", [KEY, OLDER]),
    ],
)
def test_key_rotates(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: str, kept: list[str]
) -> None:
    """A new one in front of the newest, as many of which stay as was said."""
    given.setenv("PS7_SEAL_KEYS", json.dumps(SEALS))
    new, *rest = made(capsys, "--rotate", *options.split())
    assert rest == kept
    assert new not in SEALS


def test_key_for_a_machine(
    given: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The variable, and its value as a list; it reads what the action server reads, files too."""
    (tmp_path / "PS7_SEAL_KEYS").write_text(json.dumps(SEALS))
    given.setenv("PS7_SECRETS_DIR", str(tmp_path))
    assert main(["key", "--rotate", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"variable": "PS7_SEAL_KEYS", "value": [said["value"][0], SEALS[0]]}


# -- simulate -------------------------------------------------------------------------------------


async def test_simulate_is_ps7(tmp_path: Path) -> None:
    """It prints where it listens, answers a lookup there, and takes the simulator's own options."""
    options = ("--username", "bot", "--password", "-")
    process = await start("simulate", *options, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdin.write(b"secret\n")
    first = (await process.stdout.readline()).decode()
    assert first.startswith("PS7 simulator: http://127.0.0.1:")
    url = first.removeprefix("PS7 simulator: ").strip()
    variables = {"PS7_BASE_URL": url, "PS7_USERNAME": "bot", "PS7_PASSWORD": "secret"}
    known = await command("lookup", "ana", cwd=tmp_path, variables=variables)
    refused = {**variables, "PS7_PASSWORD": "other"}
    unknown = await command("lookup", "ana", cwd=tmp_path, variables=refused)
    assert (known.code, unknown.code) == (0, 12)
    process.terminate()
    out, _ = await process.communicate()
    assert b"secret" not in out


# -- the entry point ------------------------------------------------------------------------------


MAIN = "actions.ps7.__main__"


def test_the_package_is_the_command(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m actions.ps7` is `rasa-ps7`; where it is imported, nothing runs."""
    given.delitem(sys.modules, MAIN, raising=False)
    importlib.import_module(MAIN)
    given.delitem(sys.modules, MAIN)
    given.setattr(sys, "argv", ["rasa-ps7", "sign", "--help"])
    with pytest.raises(SystemExit) as ending:
        runpy.run_module("actions.ps7", run_name="__main__")
    assert ending.value.code == 0
    assert capsys.readouterr().out.startswith("usage: rasa-ps7 sign")


def test_a_copy_without_its_command_says_so(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line; a module that is missing within the command is a fault like any other."""
    entry = importlib.import_module(MAIN)
    given.setitem(sys.modules, "actions.ps7.cli.command", None)
    with pytest.raises(ModuleNotFoundError):
        entry.main()
    given.setattr(entry, "__package__", "actions")  # which has no cli/
    given.setattr(entry, "__spec__", ModuleSpec("actions.__main__", None))
    assert entry.main() == 2
    said = "The command is not installed here: this copy of rasa-ps7 has no cli/.\n"
    assert capsys.readouterr() == ("", said)


def test_a_copy_without_testing_has_every_command_that_needs_none(
    given: pytest.MonkeyPatch,
) -> None:
    """`testing/` may be left out: it has the simulator, and what replays Rasa."""
    every = commands().keys()
    for name in ("actions.ps7.testing", "actions.ps7.testing.simulator.__main__"):
        given.setitem(sys.modules, name, None)
    assert commands().keys() == every - {"simulate", "explain"}
