"""The Python code of a bot's actions, as text: nothing of it is run, or imported."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ...customer import SESSION_ACTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .files import Reader

COPY, MODULE = "ps7", "rasa_ps7"
_IMPORTED = re.compile(rf"^\s*(?:import|from) {MODULE}\b", re.MULTILINE)
_WORD = re.compile(r"""["'](\w{1,200})["']""")
_IMPORT = re.compile(r"^(?:import|from) +([A-Za-z_]\w*)", re.MULTILINE)
"""At the beginning of a line: what is tried, or imported later, may be missing."""
_READS_ENV_FILE = re.compile(r"^\s*(?:import|from) +(?:dotenv|environs|decouple)\b", re.MULTILINE)
_NOT_THE_BOTS = {"node_modules", "site-packages", "venv", "__pycache__"}


@dataclass(frozen=True)
class Code:
    """Modules, by their files."""

    place: Path
    """The package, or the one module."""
    files: Mapping[Path, str]

    @cached_property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.files.values())

    @cached_property
    def words(self) -> set[str]:
        """What is between quotes: names of actions and responses among it."""
        return set(_WORD.findall(self.text))

    @property
    def has_copy(self) -> bool:
        """Whether the plugin lies among the modules as a folder."""
        return (self.place / COPY).is_dir()

    @property
    def imports_plugin(self) -> bool:
        """Whether it imports the installed package; a comment that names it does not."""
        return _IMPORTED.search(self.text) is not None

    @property
    def looks_up(self) -> bool:
        """Whether a session starts with the lookup."""
        return "PS7SessionStart" in self.text

    @property
    def starts_session(self) -> bool:
        """Whether it has a session start."""
        return SESSION_ACTION in self.words

    @property
    def reads_env_file(self) -> bool:
        """Whether it reads a `.env` by itself."""
        return _READS_ENV_FILE.search(self.text) is not None

    def lacking(self) -> list[str]:
        """Return what it imports and the environment of this process does not have."""
        names = set(_IMPORT.findall(self.text)) - sys.stdlib_module_names - {MODULE, "__main__"}
        return [name for name in sorted(names) if not (_near(self.place, name) or find_spec(name))]


def _near(place: Path, name: str) -> Path | None:
    """Return the bot's own module or package of a name: the action server starts above `place`."""
    near = (at / each for at in (place.parent, place) for each in (name, f"{name}.py"))
    return next((each for each in near if each.exists()), None)


def module_or_package(named: Path) -> Path:
    """Return the package of that name, or the module."""
    module = named.with_name(f"{named.name}.py")
    return module if module.is_file() and not (named / "__init__.py").exists() else named


def read(reader: Reader, place: Path) -> Code | None:
    """Read the code of a bot's actions; None if there are none. A copy of the plugin is none."""
    if not place.exists():
        return None
    files, modules = dict[Path, str](), [place]
    for module in modules:  # and the bot's own ones that these import, wherever they lie
        found = reader.below(module, _is_python, _NOT_THE_BOTS) if module.is_dir() else [module]
        new = [each for each in found if each not in files and (place / COPY) not in each.parents]
        files |= {file: reader.lenient(file) for file in new}
        names = {name for file in new for name in _IMPORT.findall(files[file])} - {MODULE}
        modules += filter(None, (_near(place, name) for name in sorted(names)))
    return Code(place, files)


def elsewhere(reader: Reader, top: Path, names: Iterable[str]) -> list[Path]:
    """Return the packages of a repository that name these actions, the one with most first."""
    wanted, found = set(names), dict[Path, set[str]]()
    for file in reader.below(top, _is_python, _NOT_THE_BOTS):
        named = wanted & set(_WORD.findall(reader.lenient(file)))
        if named:
            found.setdefault(_package(file), set()).update(named)
    return sorted(found, key=lambda place: (-len(found[place]), place))


def _package(file: Path) -> Path:
    """Return the folder `actions` of a module, or its package at the top; else the module."""
    place = next((each for each in file.parents if each.name == "actions"), file)
    while (place.parent / "__init__.py").is_file():
        place = place.parent
    return place


def _is_python(name: str) -> bool:
    return name.endswith(".py")


def lines(texts: Iterable[tuple[Path, str]], pattern: str) -> list[str]:
    """Return `file:line` for each line in which a pattern is found."""
    return [
        f"{file}:{number}"
        for file, text in texts
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]
