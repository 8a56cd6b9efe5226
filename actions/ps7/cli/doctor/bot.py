"""A bot as its files describe it: read as Rasa does, merged, and what is wrong with the files.

YAML that is not as Rasa expects it is ignored: `rasa data validate` reports it.
"""

from __future__ import annotations

import math
import os
import re
from collections import ChainMap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...customer import FILLED_BY_ACTIONS, SESSION_ACTION
from .report import Finding, caution, error, listed, ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Table = dict[str, Any]
Sources = dict[str, list[Path]]
"""The files and folders of a bot, under `domain`, `data`, `config`, and `folder` for its own."""

_USUAL = "domain.yml domain.yaml domain data config.yml endpoints.yml credentials.yml"
_ELSEWHERE = "config"
"""The folder in which some bots keep the last three of these."""
_E2E = ("e2e_tests", "tests")
ACTIONS = "actions"
_KEYS = {
    "domain": {"intents", "entities", "actions", "slots", "forms", "responses", "session_config"},
    "data": {"rules", "stories", "flows"},
    "e2e": {"stub_custom_actions"},
}
"""Keys of which a file of this kind has one, as for Rasa; of training data: that name slots."""
_OPTIONAL = ("data", "config", "endpoints", "credentials")
_COPY, _MODULE = "ps7", "rasa_ps7"
_MOST_VALUES = 200_000
"""Aliases within aliases make a small file too large to read."""
_IMPORTED = re.compile(rf"^\s*(?:import|from) {_MODULE}\b", re.MULTILINE)


@dataclass(frozen=True)
class Script:
    """A rule, a story, or a flow of Rasa Pro."""

    title: str
    content: Table

    def names(self, key: str) -> list[str]:
        """Return the names under a key at any depth, each once."""
        return list(dict.fromkeys(self._names(self.content, key)))

    def _names(self, content: object, key: str) -> Iterator[str]:
        for name, value in table(content).items():
            for each in rows(value) or [value]:
                if name == key:
                    yield from table(each) or [str(each)]
                yield from self._names(each, key)


class Bot:
    """All of it, merged: if a name comes twice, the first one applies.

    Content is None if no file of its kind was looked at.
    """

    def __init__(self, parts: dict[str, list[Table]], code: str | None) -> None:
        def said(key: str) -> Table:
            return dict(ChainMap(*(table(part.get(key)) for part in parts["domain"])))

        listed = [entry for part in parts["domain"] for entry in rows(part.get("actions"))]
        self.slots = {name: table(slot) for name, slot in said("slots").items()}
        self.actions = dict(_action(entry) for entry in reversed(listed))
        """Those that the domain lists, and whether each is sent the domain in any case."""
        self.forms = {name: table(form) for name, form in said("forms").items()}
        self.responses, self.session = said("responses"), said("session_config")
        self.scripts = list(_scripts(parts["data"])) if "data" in parts else None
        self.config = parts["config"][0] if parts.get("config") else None
        self.endpoints = parts["endpoints"][0] if parts.get("endpoints") else None
        self.credentials = parts["credentials"][0] if parts.get("credentials") else None
        self.code = code
        self.e2e_tests = parts.get("e2e", [])

    @property
    def action_endpoint(self) -> Table:
        """What endpoints.yml has about the action server."""
        return table((self.endpoints or {}).get("action_endpoint"))

    @property
    def has_session_start(self) -> bool:
        """Whether the bot has, or is said to have, an `action_session_start`."""
        return SESSION_ACTION in self.actions or SESSION_ACTION in (self.code or "")

    @property
    def looks_up_at_start(self) -> bool | None:
        """Whether a session starts with the lookup; None if no code was read."""
        if SESSION_ACTION not in self.actions:
            return False
        return None if self.code is None else "PS7SessionStart" in self.code

    @property
    def is_calm(self) -> bool:
        """Whether a language model takes part in the dialogue."""
        kinds = {mapping.get("type") for slot in self.slots.values() for mapping in mappings(slot)}
        flows = any(script.title.startswith("flow ") for script in self.scripts or ())
        pro = kinds & {"controlled", "from_llm"}
        return flows or bool(pro) or "CommandGenerator" in str(self.config)


def imports_plugin(code: str) -> bool:
    """Whether a bot's code imports the installed package; a comment that names it does not."""
    return _IMPORTED.search(code) is not None


def mappings(slot: Table) -> list[Table]:
    """Return what fills a slot."""
    return [entry for entry in map(table, rows(slot.get("mappings"))) if entry]


def filled_by(slot: Table) -> list[str]:
    """Return the mappings of a slot that are not of an action."""
    kinds = dict.fromkeys(str(each["type"]) for each in mappings(slot) if "type" in each)
    return [kind for kind in kinds if kind not in FILLED_BY_ACTIONS]


def influences(slot: Table) -> bool:
    """Whether rules and stories see a slot: Rasa's default, but for the type `any`."""
    return slot.get("influence_conversation", True) is True and slot.get("type") != "any"


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


def actions_in(folder: Path, endpoint: Table) -> Path:
    """Return the package, or the one module, that has a bot's actions."""
    named = folder / str(endpoint.get("actions_module") or ACTIONS).replace(".", "/")
    module = named.with_suffix(".py")
    return module if module.is_file() and not (named / "__init__.py").exists() else named


def read(sources: Sources) -> tuple[list[Finding], Bot | None]:
    """Read a bot; None if a file cannot be read, or if there is no domain."""
    found: list[Finding] = []
    parts: dict[str, list[Table]] = {
        kind: list(_parts(sources[kind], _KEYS.get(kind), found))
        for kind in ("domain", *_OPTIONAL, "e2e")
        if kind in sources
    }
    if found:
        return found, None  # what is in the missing part is not known
    if not parts.get("domain"):
        how = "give the file or folder that `rasa train --domain` is given"
        return [error("domain-none", "there is no domain to look at", how)], None
    number = len(parts["domain"])
    read_from = "one file" if number == 1 else f"{number} files"
    bot = Bot(parts, None)
    absent = [kind for kind in _OPTIONAL if "folder" in sources and kind not in sources]
    unseen = f"; not found, and so not looked at: {listed(absent)}" if absent else ""
    found = [ok("domain", f"the domain was read, from {read_from}{unseen}")]
    for folder in sources.get("folder", ()):
        actions = actions_in(folder, bot.action_endpoint)
        bot.code = _code(actions)
        found += _loads(actions, bot)
    return [*found, *_around(sources, bot)], bot


def _parts(paths: Iterable[Path], keys: set[str] | None, found: list[Finding]) -> Iterator[Table]:
    """Read files, and all below folders, that have one of these keys, or any.

    What has none is not parsed: training data for NLU may be long.
    """
    for path in paths:
        if not path.exists():
            found.append(error("file-missing", f"{path} does not exist", "correct the path"))
        for file in files(path):
            try:
                text = file.read_text(encoding="utf-8")
                content = parsed(text) if not keys or any(key in text for key in keys) else {}
            except (OSError, ValueError) as failure:
                found.append(_unreadable(file, failure.__cause__))
                continue
            if not keys or keys & content.keys():
                yield content


def _unreadable(file: Path, cause: BaseException | None) -> Finding:
    mark = getattr(cause, "problem_mark", None)
    line = "" if mark is None else f" (line {mark.line + 1})"
    if type(cause).__name__ == "DuplicateKeyError":
        found = f"{file} has the same key twice{line}"
        how = "make one of the two; Rasa may say nothing and read nothing of this file"
    elif isinstance(cause, OverflowError):
        found = f"{file} has aliases that stand for more than {_MOST_VALUES:,} values"
        how = "write out what they stand for; nothing else of the file was read"
    else:
        found = f"{file} cannot be read as YAML{line}"
        how = "correct it; Rasa does not take it either"
    return error("file-unreadable", found, how)


def files(path: Path) -> Iterator[Path]:
    """Yield a file itself, and of a folder the YAML files: its own before those further down."""
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path, followlinks=True):
        files = sorted(Path(folder, name) for name in names if not name.startswith("."))
        yield from (file for file in files if file.suffix in {".yml", ".yaml"})


def parsed(text: str) -> Table:
    """Read YAML as Rasa does; ValueError if it is not YAML."""
    from ruamel.yaml import YAML  # an action server never needs it
    from ruamel.yaml.error import YAMLError

    parser = YAML(typ="safe", pure=True)  # YAML 1.2, as for Rasa: `no` and `on` are text
    try:
        if "&" in text:
            _refuse_many(parser.compose(text))
        return table(parser.load(text))
    except (YAMLError, RecursionError, OverflowError) as failure:
        raise ValueError("no YAML that can be read") from failure


def _refuse_many(node: Any) -> None:
    if _values(node, {}) > _MOST_VALUES:
        raise OverflowError


def _values(node: Any, known: dict[int, float]) -> float:
    """Count the values of a YAML node, its aliases followed; infinite in a circle."""
    if id(node) not in known:
        known[id(node)] = math.inf
        parts = node.value if isinstance(getattr(node, "value", None), list) else ()
        below = (each for part in parts for each in (part if isinstance(part, tuple) else (part,)))
        known[id(node)] = 1 + sum(_values(each, known) for each in below)
    return known[id(node)]


def _action(entry: object) -> tuple[str, bool]:
    name, options = next(iter(table(entry).items()), (str(entry), {}))
    return name, table(options).get("send_domain") is True


def _scripts(data: Iterable[Table]) -> Iterator[Script]:
    for part in data:
        for kind, group in (("rule", "rules"), ("story", "stories")):
            for content in map(table, rows(part.get(group))):
                yield Script(f"{kind} “{content.get(kind)}”", content)
        for name, content in table(part.get("flows")).items():
            yield Script(f"flow {name}", table(content))


def _code(actions: Path) -> str | None:
    """Read the code of a bot's actions; None if there are none."""
    if not actions.exists():
        return None
    package = [*sorted(actions.glob("*.py")), *sorted(actions.glob("*/*.py"))]
    files = [actions] if actions.suffix else [f for f in package if f.parent.name != _COPY]
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)


def _around(sources: Sources, bot: Bot) -> Iterator[Finding]:
    """Check that Rasa reads the whole domain, and finds its action server."""
    file, folder = sources["domain"][0], sources["domain"][-1]
    if file.is_file() and folder.is_dir() and file.parent == folder.parent:
        found = f"{file.name} lies beside the folder {folder.name}: `rasa train` reads it alone"
        how = f"move {file.name} into the folder, and train with `--domain {folder.name}`"
        yield caution("domain-both", found, how)
    if bot.endpoints is not None and not bot.endpoints.get("action_endpoint"):
        found = "endpoints.yml names no action server: Rasa runs no action of the plugin"
        how = "add `action_endpoint:` with `url: http://localhost:5055/webhook`, or where it is"
        yield error("endpoint-missing", found, how)


def _loads(actions: Path, bot: Bot) -> Iterator[Finding]:
    """Check that what runs the bot's actions runs the plugin's too."""
    if bot.code is None:
        return
    copied, imported = (actions / _COPY).is_dir(), imports_plugin(bot.code)
    if copied and imported:
        found = f"{actions} has a copy of the plugin and imports {_MODULE} too: it does not start"
        how = f"keep one of them: delete {actions / _COPY}, or every `import {_MODULE}`"
        yield error("plugin-twice", found, how)
    if not (copied or imported):
        found = f"{actions} has no copy of the plugin and imports none"
        how = f"copy actions/ps7 or `import {_MODULE}` there"
        if "actions_module" not in bot.action_endpoint:
            how += f", or start with `--actions {_MODULE}`"
        yield caution("plugin-missing", found, how)
    has_start = SESSION_ACTION in bot.code or "PS7SessionStart" in bot.code
    if SESSION_ACTION in bot.actions and not has_start:
        found = (
            f"the domain lists {SESSION_ACTION}, and the bot has no such action: Rasa loses the "
        )
        how = "write a subclass of PS7SessionStart, or take it off the list under `actions:`"
        yield error("session-start-missing", f"{found}first message of each session", how)


def table(content: object) -> Table:
    """Return a mapping as it is, and anything else as an empty one."""
    return {str(key): value for key, value in content.items()} if isinstance(content, dict) else {}


def rows(content: object) -> list[Any]:
    """Return a list as it is, and anything else as an empty one."""
    return content if isinstance(content, list) else []
