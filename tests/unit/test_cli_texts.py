"""The texts of the commands are files: they say what the code does, and each its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit

from actions.ps7.cli.arguments import FILES as FOR_A_BOT
from actions.ps7.cli.findings import by_variant
from actions.ps7.cli.init.environment import _SIMULATOR
from actions.ps7.cli.lookup import _EXIT_CODES
from actions.ps7.cli.masking import shape
from actions.ps7.cli.texts import parts
from actions.ps7.outcomes import Reason
from actions.ps7.settings import SECRETS_DIR, PS7Settings

CLI = Path(__file__).parents[2] / "actions" / "ps7" / "cli"
READ_BY = {
    "finding": "findings.txt",
    "left_to_you": "remaining.txt",
    "refusal": "refusals.txt",
}
FILES = (*READ_BY.values(), "help.txt")
CODE = [each.read_text("utf-8") for each in sorted(CLI.rglob("*.py"))]
SETTINGS = {f"PS7_{name.upper()}" for name in PS7Settings.model_fields} | {SECRETS_DIR, ".env"}


def texts(file: str) -> dict[str, str]:
    return {name.split()[0]: text for name, text in parts(file).items()}


def named(call: ast.Call, scope: ast.AST) -> str:
    """Return all texts that a call can mean: by its own words, or where those are set or listed."""
    known, name = texts(READ_BY[ast.unparse(call.func)]), ast.unparse(call.args[0])
    places: list[ast.AST] = [] if isinstance(call.args[0], ast.Call) else [call.args[0]]
    for each in ast.walk(scope):
        if isinstance(each, ast.Assign) and name in map(ast.unparse, each.targets):
            places.append(each.value)
        if isinstance(each, ast.For) and name in ast.unparse(each.target):
            places.append(each.iter)
    words = {str(getattr(each, "value", "")) for place in places for each in ast.walk(place)}
    return "".join(known[each] for each in words & known.keys())


def test_a_text_has_a_gap_for_all_that_it_is_given() -> None:
    """So what a line is to name is in it. Names and gaps that are put together are left out."""
    for scope in [each for file in CODE for each in ast.parse(file).body]:
        for call in ast.walk(scope):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in READ_BY:
                gaps = {gap for _, gap, *_ in Formatter().parse(named(call, scope)) if gap}
                given = {each.arg for each in call.keywords}
                assert gaps == given or None in given or not named(call, scope), ast.unparse(call)


def test_a_variant_of_a_finding_is_one_of_something() -> None:
    """The code names it, or it is a reason or a setting, of which the settings' words are said."""
    bad = [text for name, text in texts("findings.txt").items() if name.startswith("settings-bad")]
    assert {text.partition("\n")[0] for text in bad} == {"{text}"}
    others = by_variant().keys() - {*Reason, *SETTINGS}
    assert [each for each in others if each not in "".join(CODE)] == []


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
    known = {
        *re.findall(r'"(--[\w-]+)"', "".join(CODE)),
        *(f"--{kind}" for kind in FOR_A_BOT),
        *OTHERS,
    }
    said = "".join(text for file in FILES for text in texts(file).values())
    assert {*re.findall(r"(?<![\w-])--[a-z][\w-]+", said)} - known == set()
    port = str(urlsplit(_SIMULATOR["PS7_BASE_URL"]).port)
    assert {*re.findall(r"simulate --port (\d+)", said)} == {port}
