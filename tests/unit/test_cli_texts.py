"""The texts of the commands are files: the code that uses each, and what fills it, fit them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit

import pytest

from actions.ps7.cli.arguments import FILES as FOR_A_BOT
from actions.ps7.cli.init.environment import _SIMULATOR
from actions.ps7.cli.lookup import _EXIT_CODES
from actions.ps7.cli.masking import shape
from actions.ps7.cli.texts import parts
from actions.ps7.outcomes import Reason
from actions.ps7.settings import SECRETS_DIR, PS7Settings

CLI = Path(__file__).parents[2] / "actions" / "ps7" / "cli"
FILES = {
    "finding": "findings.txt",
    "left_to_you": "remaining.txt",
    "refusal": "refusals.txt",
    "add_command": "help.txt",
}
"""By the function that reads each."""
SETTINGS = {f"PS7_{name.upper()}" for name in PS7Settings.model_fields} | {SECRETS_DIR, ".env"}
VARIANTS = SETTINGS | {reason.value for reason in Reason}
"""What is asked for by what follows the colon."""


def texts(file: str) -> dict[str, str]:
    return {name.split()[0]: text for name, text in parts(file).items()}


def names(node: ast.AST, scope: ast.AST) -> Iterator[str]:
    """Yield a pattern for each text that an expression of a function can be."""
    match node:
        case ast.Constant(value=str(text)):
            yield re.escape(text)
        case ast.IfExp():
            yield from (*names(node.body, scope), *names(node.orelse, scope))
        case ast.JoinedStr():
            found = ([*names(each, scope)] for each in node.values)
            yield "".join(each[0] if len(each) == 1 else f"({'|'.join(each)})" for each in found)
        case ast.FormattedValue():
            yield from names(node.value, scope)
        case ast.BinOp():
            ends = [*names(node.right, scope)]
            yield from (f"{first}{end}" for first in names(node.left, scope) for end in ends)
        case ast.Name(id=name):
            yield from _held(name, scope) or [".*"]
        case _:
            yield ".*"


def _held(name: str, scope: ast.AST) -> list[str]:
    """Return patterns for what a name of a function is, where it is set or goes through a list."""
    found: list[str] = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign) and name in map(ast.unparse, node.targets):
            found += names(node.value, ast.Module([], []))
        if isinstance(node, ast.For) and re.search(rf"\b{name}\b", ast.unparse(node.target)):
            held = ast.walk(node.iter)
            found += [re.escape(str(each.value)) for each in held if isinstance(each, ast.Constant)]
    return found


@cache
def trees() -> dict[Path, ast.Module]:
    return {each: ast.parse(each.read_text("utf-8")) for each in sorted(CLI.rglob("*.py"))}


def calls(function: str) -> Iterator[tuple[str, ast.Call, list[str]]]:
    """Yield each call of a function: where it is, the call, and patterns for the name it gives."""
    for file, tree in trees().items():
        for scope in tree.body:
            for node in ast.walk(scope):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
                    name = node.args[1 if function == "add_command" else 0]
                    yield f"{file.name}:{node.lineno}", node, [*names(name, scope)]


@pytest.mark.parametrize(("function", "file"), FILES.items())
def test_no_text_is_missing_or_wrongly_filled(function: str, file: str) -> None:
    """Each name that the code gives is there, and gets what its gaps want, and no more."""
    known = texts(file)
    for where, call, patterns in calls(function):
        filled = {each.arg for each in call.keywords}
        found = [
            text for name, text in known.items() for each in patterns if re.fullmatch(each, name)
        ]
        assert found, f"{where}: {file} has no {patterns}"
        gaps = {gap for each in found for _, gap, *_ in Formatter().parse(each) if gap}
        if None not in filled and len(found) < len(known):
            assert gaps == filled, f"{where}: {patterns} wants {gaps}, and is given {filled}"


@pytest.mark.parametrize(("function", "file"), FILES.items())
def test_no_text_is_unused(function: str, file: str) -> None:
    """Some code names it, or what follows its colon is a reason, or a setting."""
    given = [each for *_, patterns in calls(function) for each in patterns if each != ".*"]
    used = {name for name in texts(file) for each in given if re.fullmatch(each, name)}
    code = map(ast.walk, trees().values())
    used |= {str(node.value) for each in code for node in each if isinstance(node, ast.Constant)}
    used |= {name for name in texts(file) if name.partition(":")[2] in VARIANTS}
    assert texts(file).keys() - used == set()


ADVICE = (Path(__file__).parent / "data" / "advice.txt").read_text("utf-8").splitlines()


def test_each_finding_has_its_own_advice() -> None:
    """Some words of it, which no other advice has, for each: two of them cannot be swapped."""
    words = dict(line.split(" ", 1) for line in ADVICE)
    advice = {name: text.strip().partition("\n")[2] for name, text in texts("findings.txt").items()}
    assert words.keys() == {name for name, text in advice.items() if text}
    assert [name for name in words if words[name] not in advice[name]] == []
    others = [
        (name, other)
        for name, phrase in words.items()
        for other, text in advice.items()
        if phrase in text and text != advice[name]
    ]
    assert others == []


def test_a_text_says_what_the_code_does() -> None:
    """Exit codes, shapes and outcomes; and an address has its parts where they belong."""
    lookup, findings = " ".join(texts("help.txt")["lookup"].split()), texts("findings.txt")
    assert ", ".join(f"{code} {outcome}" for outcome, code in _EXIT_CODES.items()) in lookup
    assert f"digits as {shape('1')} and letters as {shape('b')}" in lookup
    for name, text in findings.items():
        for outcome in re.findall(r"turns end in `(\w+)`", text):
            assert Reason(name.partition(":")[2]).outcome == outcome, name
    (url,) = re.findall(r"http://\w+:\w+@\w+:\w+|http://\S+", findings["proxy-login"])
    proxy = urlsplit(url.replace(":port", ":1"))
    assert (proxy.username, proxy.password, proxy.hostname) == ("user", "password", "host")
    page = (CLI.parents[2] / "docs" / "ps7.md").read_text("utf-8")
    for each in re.findall(r"PS7_ENCODED=\w", "".join(findings.values())):
        assert f"try `{each}`" in page


OTHERS = {"--cached", "--enable-api", "--env-file", "--password", "--port", "--username"}
"""Options of git, Rasa, docker and the simulator that the texts name."""


def test_an_option_that_a_text_names_is_there() -> None:
    """Of whichever program; and the simulator is started at the port that `init` writes."""
    code = [node for tree in trees().values() for node in ast.walk(tree)]
    known = {str(each.value) for each in code if isinstance(each, ast.Constant)} | OTHERS
    known |= {f"--{kind}" for kind in FOR_A_BOT}
    said = "".join(text for file in FILES.values() for text in texts(file).values())
    assert {*re.findall(r"(?<![\w-])--[a-z][\w-]+", said)} - known == set()
    port = str(urlsplit(_SIMULATOR["PS7_BASE_URL"]).port)
    assert {*re.findall(r"simulate --port (\d+)", said)} == {port}
