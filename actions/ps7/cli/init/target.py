"""The bot that `init` changes: its files, where the plugin's go, and what its slots are called."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ...customer import CUSTOMER_SLOTS, FIXED_NAMES, STATUS, SlotNames
from ..arguments import FILES
from ..bot import code, surroundings
from ..bot import sources as bots
from ..bot.files import Reader
from ..domain import CALM, OSS, PORTUGUESE
from ..findings import listed
from ..output import CommandError, Mark
from ..texts import refusal
from ..variables import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Iterator, Mapping

    from ..bot.content import Bot
    from ..bot.sources import Sources
    from ..domain import Flavour


@dataclass(frozen=True)
class Target:
    """A bot, and what was chosen for it."""

    bot: Bot
    sources: Sources
    flavour: Flavour
    slots: Collection[str]
    """Those of the customer that were chosen, or that its kind of Rasa has by default."""
    names: Mapping[str, str]
    """What the bot calls the plugin's slots, if not by their default names."""
    new_names: Mapping[str, str]
    """Those of them that are set nowhere yet."""
    options: argparse.Namespace

    @property
    def is_merged(self) -> bool:
        """Whether the plugin's slots are in the domain already."""
        return SlotNames(self.names).of(STATUS) in self.bot.slots

    @property
    def domain(self) -> Path:
        """The folder of the domain: what Rasa's `--domain` is given."""
        path = self.sources["domain"][0]
        return path if path.is_dir() else path.with_suffix("")

    @property
    def fragment(self) -> Path:
        """Where the plugin's domain file goes."""
        return self.domain / code.COPY / "domain.yml"

    @property
    def actions(self) -> Path:
        """The package, or the one module, of the bot's actions."""
        return bots.actions_of(self.sources, self.bot.action_endpoint)

    @property
    def home(self) -> Path:
        """The folder in which the action server starts, and whose .env it reads."""
        in_rasa = "actions_module" in self.bot.action_endpoint
        return Path() if in_rasa or "actions" not in self.sources else self.actions.parent


def find(options: argparse.Namespace) -> Target:
    """Find the bot of this folder.

    CommandError if there is none, if a file of it cannot be read, if Rasa 3 would refuse it, or if
    its actions are in a place that has to be named.
    """
    sources = _sources(options)
    said, bot = bots.read(sources)
    if bot is None:
        raise CommandError("\n".join(f"{each.found}: nothing was changed" for each in said))
    for each in () if options.calm else said:
        if each.id == "rasa-3" and each.level is Mark.ERROR:
            raise CommandError(f"{each.found}: nothing was changed. {each.do}")
    _check_actions(bot, sources)
    flavour = CALM if options.calm or bot.is_calm else OSS
    chosen = flavour.slots if options.slots is None else options.slots
    names = load().slot_names
    new_names: dict[str, str] = {}
    if not (names or SlotNames(names).of(STATUS) in bot.slots):
        ours = CUSTOMER_SLOTS if options.slots is None else chosen
        names = new_names = _names(bot, ours, pt=options.pt)
    return Target(bot, sources, flavour, chosen, names, new_names, options)


def _sources(options: argparse.Namespace) -> Sources:
    sources = bots.in_folder(Path())
    for kind in FILES:
        if named := getattr(options, kind):
            sources[kind] = [Path(os.path.relpath(path)) for path in named]
    domain = sources.get("domain", [])
    if not domain:
        near = [str(folder) for folder in _bots_below()]
        name = "bot-below" if near else "bot-none"
        raise CommandError(refusal(name, near=listed(near or [""])))
    if absent := [str(path) for paths in sources.values() for path in paths if not path.exists()]:
        raise CommandError(f"{absent[0]} does not exist: nothing was changed")
    reader = bots.reader_of(sources)
    beside = [path for path in domain if path.is_file() or [*bots.files(reader, path)]]
    if len(beside) > 1:
        raise CommandError(refusal("domain-both", both=listed([*map(str, domain)])))
    return {**sources, "domain": beside or domain}


def _bots_below() -> list[Path]:
    reader = Reader([Path()])
    found = reader.below(Path(), lambda name: name in {"domain.yml", "domain.yaml"}, {"tests"})
    return list(dict.fromkeys(file.parent for file in found))[:3]


def _check_actions(bot: Bot, sources: Sources) -> None:
    """Check that the code of the bot's own actions is where it is looked for."""
    absent = bot.code_less_actions
    if not absent or "actions" in sources or len(absent) < len(bot.own_actions):
        return  # none, or as it was said, or the doctor names the few
    top = surroundings.top(Path())
    places = code.elsewhere(Reader([top]), top, absent)
    if places:
        at = os.path.relpath(places[0])
        raise CommandError(refusal("actions-elsewhere", names=listed(absent[:3]), at=at))


def _names(bot: Bot, ours: Collection[str], *, pt: bool) -> dict[str, str]:
    """Return the names of our slots that are not the default ones.

    A slot that the bot has already stays the bot's: ours gets a name that the bot does not have.
    """
    names = {name: PORTUGUESE[name] for name in ours if pt and name in PORTUGUESE}
    for name in dict.fromkeys((*CUSTOMER_SLOTS, *ours)):
        called = names.get(name, name)
        if called in bot.slots:
            taken = {*bot.slots, *names.values(), *FIXED_NAMES}
            names[name] = next(new for new in _other_names(name, called, pt=pt) if new not in taken)
    return names


def _other_names(name: str, called: str, *, pt: bool) -> Iterator[str]:
    yield f"{called}_cliente" if pt else f"customer_{name}"
    yield f"ps7_{called}"
    yield from (f"ps7_{called}_{number}" for number in count(2))
