"""Finds the files of a bot where Rasa expects them, and reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ...customer import SESSION_ACTION
from ..findings import Finding, finding, listed
from . import code, shape
from .content import Bot
from .files import Reader
from .surroundings import top
from .yaml import NotYamlError, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .yaml import Table

Sources = dict[str, list[Path]]
"""The files and folders of a bot, under `domain`, `data`, `config`, and `folder` for its own."""

_USUAL = "domain.yml domain.yaml domain data config.yml endpoints.yml credentials.yml"
_ELSEWHERE = "config"
"""The folder in which some bots keep the last three of these."""
_E2E = ("e2e_tests", "tests")
ACTIONS, ENDPOINTS = "actions", Path("endpoints.yml")
_KEYS = {
    "domain": {*shape.FORMS} - {"version"},
    "data": {"rules", "stories", "flows", "responses"},
    "e2e": {"stub_custom_actions"},
}
"""Keys of which a file of this kind has one, as for Rasa; of training data those that say more
than NLU learns from."""
_OPTIONAL = ("data", "config", "endpoints", "credentials")
_MAY_LACK = ("data", "e2e")
"""Kinds of which a file that is too large is left out: training data may be long."""
_MODULE = re.compile(r"\w+(\.\w+)*")


def in_folder(folder: Path) -> Sources:
    """Find the files of a bot in the places where Rasa expects them, or many bots have them."""
    sources: Sources = {"folder": [folder]}
    for path in (folder / name for name in _USUAL.split()):
        beside = folder / _ELSEWHERE / path.name
        found = path if path.exists() or path.stem not in _OPTIONAL[1:] else beside
        if found.exists():
            sources.setdefault(path.stem, []).append(found)
    if tests := [path for name in _E2E if (path := folder / name).is_dir()]:
        sources["e2e"] = tests
    return sources


def reader_of(sources: Sources) -> Reader:
    """Return what reads a bot: in its repository, or folder, and what was named apart from it."""
    found, repositories = _found(sources), map(top, sources.get("folder", ()))
    named = [path for paths in sources.values() for path in paths if path not in found]
    return Reader([*named, *repositories])


def _found(sources: Sources) -> set[Path]:
    """Return what was found in the bot's folder, and may be a link out of it."""
    return {
        path
        for folder in sources.get("folder", ())
        for kind, paths in in_folder(folder).items()
        if kind != "folder"
        for path in paths
    }


def actions_of(sources: Sources, endpoint: Table) -> Path:
    """Return the package, or the one module, that has a bot's actions, or should have them."""
    if named := sources.get("actions"):
        return code.module_or_package(named[0])
    (folder,) = sources.get("folder", [Path()])
    module = str(endpoint.get("actions_module"))
    name = module if _MODULE.fullmatch(module) and endpoint.get("actions_module") else ACTIONS
    return code.module_or_package(folder / name.replace(".", "/"))


def read(sources: Sources) -> tuple[list[Finding], Bot | None]:
    """Read a bot; None if a file cannot be read, or if there is no domain."""
    reader, found = reader_of(sources), list[Finding]()
    parts = {
        kind: list(_parts(reader, kind, sources[kind], found))
        for kind in ("domain", *_OPTIONAL[1:], *_MAY_LACK)
        if kind in sources
    }
    if any(each.id != "file-skipped" for each in found):
        return found, None  # what is in the missing part is not known
    if not parts.get("domain"):
        return [finding("domain-none")], None
    domain = {file.resolve() for file, _ in parts["domain"]}  # a link may lead back to it
    if "data" in parts:
        parts["data"] = [each for each in parts["data"] if each[0].resolve() not in domain]
    number = len(parts["domain"])
    read_from = "one file" if number == 1 else f"{number} files"
    bot = Bot(parts, None)
    if "folder" in sources or "actions" in sources:
        bot.code = code.read(reader, actions_of(sources, bot.action_endpoint))
    absent = [f"{kind}.yml" for kind in _OPTIONAL[1:] if "folder" in sources and kind not in parts]
    unseen = f"; there is no {listed(absent)}" if absent else ""
    found.append(finding("domain", files=read_from, unseen=unseen))
    found += shape.check(bot)
    data = sources.get("data", ())
    old = [file for path in data for file in files(reader, path, ".md")]
    read = (reader.lenient(file) for path in data for file in files(reader, path))
    found += shape.check_markdown({file: reader.lenient(file) for file in old}, read)
    return [*found, *_around(sources, bot), *_loads(bot)], bot


def _parts(
    reader: Reader, kind: str, paths: Iterable[Path], found: list[Finding]
) -> Iterator[tuple[Path, Table]]:
    """Read files, and all below folders, that have one of the keys of their kind, or any.

    What has none is not parsed: training data for NLU may be long.
    """
    keys = _KEYS.get(kind)
    for path in paths:
        if not path.exists():
            found.append(finding("file-missing", path=path))
        for file in files(reader, path):
            try:
                text = reader.text(file)
                content = reader.table(text) if _may_have(text, keys) else {}
            except UnreadableError as failure:
                name = "file-skipped" if kind in _MAY_LACK else "file-unreadable"
                found.append(finding(name, file=file, why=failure))
                continue
            except NotYamlError as failure:
                found.append(finding("file-unreadable:yaml", file=file, why=failure))
                continue
            if not keys or keys & content.keys():
                yield file, content


def _may_have(text: str, keys: set[str] | None) -> bool:
    return not keys or any(key in text for key in keys)


def files(reader: Reader, path: Path, *ends: str) -> Iterator[Path]:
    """Yield a file itself, and of a folder the YAML files: its own before those further down."""
    if path.is_dir():
        yield from reader.below(path, lambda name: name.endswith(ends or (".yml", ".yaml")))
    elif path.exists():
        yield path


def _around(sources: Sources, bot: Bot) -> Iterator[Finding]:
    """Check that Rasa reads the whole domain, is of the right version, finds its action server."""
    file, folder = sources["domain"][0], sources["domain"][-1]
    if file.is_file() and folder.is_dir() and file.parent == folder.parent:
        yield finding("domain-both", file=file.name, folder=folder.name)
    if bot.endpoints is not None and not bot.endpoints.get("action_endpoint"):
        yield finding("endpoint-missing")


def _loads(bot: Bot) -> Iterator[Finding]:
    """Check that what runs the bot's actions has them, and runs the plugin's too."""
    if bot.code is None:
        return
    where = bot.code.place
    if bot.code_less_actions:
        yield finding("actions-missing", names=listed(bot.code_less_actions), where=where)
    copied, imported = bot.code.has_copy, bot.code.imports_plugin
    if copied and imported:
        yield finding("plugin-twice", where=where, copy=where / code.COPY)
    if not (copied or imported):
        yield finding("plugin-missing", where=where)
    if SESSION_ACTION in bot.actions and not (bot.code.starts_session or bot.code.looks_up):
        yield finding("session-start-missing")
