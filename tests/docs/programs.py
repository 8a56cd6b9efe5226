"""What commands in documents say, held against what is really there.

Nothing is run. What a command may be stands in the tables at the end; a program that is not in them
is a fault, so that a new one is looked at before anybody reads it.
"""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from actions.ps7.cli.command import main as cli
from actions.ps7.testing import FAULTS, PERSONAS
from actions.ps7.testing.simulator.command import main as simulator
from tests.docs.options import parsed_by, rasa, rasa_sdk
from tests.docs.shell import Command, commands
from tests.docs.words import no_variable, path_is_there
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def faults(code: str, document: str) -> list[str]:
    """Say what is wrong with the commands of a block; nothing where all is well."""
    try:
        parts = commands(code)
    except ValueError as error:
        return [f"no shell reads this: {error}"]
    return [fault for command in parts for fault in _faults(command, document)]


def _faults(command: Command, document: str) -> Iterator[str]:
    said = [*command.words, *command.variables]
    for name in re.findall(r"\bPS7_[A-Z0-9_]+", " ".join(said)):
        if no_variable(name):
            yield f"no setting is named {name}"
    if not command.words:
        return
    check = _PROGRAMS.get(command.program)
    if check is None:
        yield f"nothing is known of the program {command.program}"
    else:
        yield from check(command.arguments, document)


def _nothing(_: list[str], __: str) -> Iterable[str]:
    return ()


@cache
def make_targets() -> frozenset[str]:
    """Give what can be made here."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def _make(arguments: list[str], _: str) -> Iterator[str]:
    for target in (word for word in arguments if "=" not in word and not word.startswith("-")):
        if target not in make_targets():
            yield f"nothing to make is named {target}"


def _python(arguments: list[str], document: str) -> Iterator[str]:
    match arguments:
        case ["-m", module, *rest]:
            yield from _module(module, rest, document)
        case ["-c", code, *_]:
            yield from _code(code)
        case [script, *_] if script.endswith(".py"):
            yield from _files([script], document)
        case []:
            pass
        case _:
            yield f"python is called with {arguments}"


def _code(code: str) -> Iterator[str]:
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        yield f"no Python: {error}"
        return
    for node in ast.walk(tree):
        named = [node.module] if isinstance(node, ast.ImportFrom) else []
        named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for module in filter(None, named):
            if find_spec(module) is None:
                yield f"there is no module {module}"


def _module(module: str, arguments: list[str], document: str) -> Iterator[str]:
    if module in _MODULES:
        yield from _MODULES[module](arguments, document)
    elif module.partition(".")[0] not in {"benchmarks", "tests"} or find_spec(module) is None:
        yield f"nothing is known of the module {module}"


def _pip(arguments: list[str], document: str) -> Iterator[str]:
    match arguments:
        case ["install", *rest]:
            for word in (word for word in rest if not word.startswith("-")):
                try:
                    Requirement(word)
                except InvalidRequirement:
                    yield from _files([word], document)
        case ["freeze", "--all"]:
            pass
        case _:
            yield f"pip is called with {arguments}"


def _curl(arguments: list[str], _: str) -> Iterator[str]:
    for before, word in zip(["", *arguments], arguments, strict=False):
        if before == "-d":
            yield from _message(word)
        elif not before.startswith("-") and not word.startswith("-"):
            host = urlsplit(word if "://" in word else f"http://{word}").hostname
            if host not in {"localhost", "127.0.0.1"}:
                yield f"curl goes to {host}"


def _message(text: str) -> Iterator[str]:
    """Look at what is posted to a channel: somebody arrives whom the simulator knows."""
    try:
        body = json.loads(text)
    except ValueError:
        yield f"curl sends what is no JSON: {text}"
        return
    if not {"sender", "message"} <= body.keys():
        yield "a message to Rasa has a sender and a text"
    arrives = body.get("metadata", {}).get("contextId", "ana")
    who = {known.context_id for known in PERSONAS.values()} | {*FAULTS}
    if arrives not in who and arrives != "…":
        yield f"the simulator does not know {arrives}"


def _files(arguments: list[str], document: str) -> Iterator[str]:
    for word in arguments:
        if not word.startswith("-") and not path_is_there(word, document):
            yield f"there is no {word}"


def _pytest(arguments: list[str], document: str) -> Iterator[str]:
    match arguments:
        case ["-k", _]:
            pass
        case _:
            yield from _files(arguments, document)


def _copy(arguments: list[str], document: str) -> Iterable[str]:
    return _files(arguments[:-1], document)


_MODULES: dict[str, Callable[[list[str], str], Iterable[str]]] = {
    "actions.ps7": parsed_by(cli),
    "rasa_ps7": parsed_by(cli),
    "actions.ps7.testing.simulator": parsed_by(simulator),
    "rasa_ps7.testing.simulator": parsed_by(simulator),
    "rasa_sdk": parsed_by(rasa_sdk),
    "venv": _nothing,
    "twine": _nothing,
    "pip": _pip,
    "pytest": _pytest,
}
_PROGRAMS: dict[str, Callable[[list[str], str], Iterable[str]]] = {
    "make": _make,
    "python": _python,
    "python3": _python,
    "python3.10": _python,
    "pip": _pip,
    "rasa": rasa,
    "rasa-ps7": parsed_by(cli),
    "curl": _curl,
    "pytest": _pytest,
    "cp": _copy,
    "ln": _copy,
    "mv": _nothing,  # what it moves is the reader's own
    "mkdir": _nothing,
    "cd": _nothing,
    "echo": _nothing,
    "apt-get": _nothing,
    "docker": _nothing,
    "kubectl": _nothing,
    "openssl": _nothing,
    "git": _nothing,
    "grep": _nothing,
    "rm": _nothing,
    "sha256sum": _nothing,
}
