"""What `init` changes in the bot of this folder, and what it leaves to a person.

It is planned as data, shown as a diff, then checked and written. A step that finds its work done
plans nothing, so `init` can be run again, also after a failure in between: names come before the
fragment that has them.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...settings import SlotSettings
from ...slots import CUSTOMER_SLOTS, STATUS, SlotNames
from ..doctor import bot as bots
from ..doctor import judge
from ..doctor.settings import names_set
from ..domain import CALM, OSS, PORTUGUESE, fragment
from ..key import new_seal_key
from ..output import CommandError
from .yaml_text import appended, with_endpoint, with_greeting, without_fallback

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from ..doctor.bot import Bot, Sources

_OWN, _FRAGMENT = Path("domain/bot.yml"), Path("domain/ps7/domain.yml")
_MODULE, _PACKAGE, _COPY = Path("actions.py"), Path("actions/__init__.py"), Path("actions/ps7")
_SESSION = Path("actions/ps7_session.py")
_SESSION_START = '''\
from {module} import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Knows the customer before the first turn."""
'''
_LATER = "action_ps7_context first: beside the session's start, nothing else looks it up"
_SIMULATOR = {
    "PS7_BASE_URL": "http://127.0.0.1:8099",
    "PS7_USERNAME": "simulator",
    "PS7_PASSWORD": "simulator",
}
_ENV, _GITIGNORE = Path(".env"), Path(".gitignore")
_ENDPOINTS, _CONFIG = Path("endpoints.yml"), Path("config.yml")
_IGNORES_ENV = {".env", "/.env", "*.env", ".env*", "**/.env"}


_OWNER_ALONE = 0o600
_MAY_HOLD_SECRETS = {".env", "endpoints.yml"}
_KEY = re.compile(r"(PS7_SEAL_KEYS=).*")


@dataclass(frozen=True)
class Change:
    """A file of a bot: what it says now, and what it is to say."""

    path: Path
    before: str | None
    """None where it is not there."""
    after: str
    about: str = ""
    """What a new file is, where its content would be too long to be shown."""
    moves_to: Path | None = None

    @property
    def title(self) -> tuple[str, str]:
        """What happens to it, and its name."""
        if self.moves_to is not None:
            return "moved", f"{self.path} -> {self.moves_to}"
        what = f" ({self.about}, {self.after.count(chr(10))} lines)" if self.about else ""
        return "new" if self.before is None else "changed", f"{self.path}{what}"

    def diff(self) -> Iterator[str]:
        """Yield the lines of a unified diff. No line around the changes where one may be secret."""
        before, after = (self.before or "").splitlines(), self.after.splitlines()
        old, new = "/dev/null" if self.before is None else self.path, self.moves_to or self.path
        around = 0 if self.path.name in _MAY_HOLD_SECRETS else 3
        for line in difflib.unified_diff(before, after, str(old), str(new), "", "", around, ""):
            yield _KEY.sub(r"\1(a new key)", line)


@dataclass
class Plan:
    """The changes, in the order in which they are made, and what a person has to do."""

    changes: dict[Path, Change] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def change(self, path: Path, edit: Callable[[str], str | None]) -> bool:
        r"""Plan an edit, which sees `\n` where each line ends in `\r\n`; whether it can be made."""
        change = self.changes.get(path) or Change(path, before := read(path), before or "")
        text = change.after
        end = "\r\n" if 0 < text.count("\n") == text.count("\r\n") else "\n"
        after = edit(text.replace(end, "\n"))
        if after is not None:
            self.changes[path] = replace(change, after=after.replace("\n", end))
        return after is not None


def make(options: argparse.Namespace) -> Plan:
    """Plan what the bot of this folder needs."""
    sources = bots.in_folder(Path())
    if "domain" not in sources:
        raise CommandError("there is no domain.yml here and no folder domain: this is no bot")
    found, bot = bots.read(sources)
    if bot is None:
        raise CommandError("\n".join(f"{each.found}: nothing was changed" for each in found))
    flavour = CALM if options.calm or bot.is_calm else OSS
    chosen = flavour.slots if options.slots is None else options.slots
    names = SlotSettings.load().slot_names
    is_merged = SlotNames(names).of(STATUS) in bot.slots
    new_names: dict[str, str] = {}
    if not (is_merged or names):
        ours = CUSTOMER_SLOTS if options.slots is None else chosen
        names = new_names = _names(bot, ours, pt=options.pt)
    plan = Plan()
    _environment(plan, new_names)
    _actions(plan, bot, at_start=flavour is CALM or options.at_session_start)
    endpoints = bot.endpoints or {}
    if "action_endpoint" not in endpoints and not plan.change(_ENDPOINTS, with_endpoint):
        plan.left.append(f"{_ENDPOINTS}: name the action server under `action_endpoint:`")
    rewinds = "fallback-rewinds" in {each.id for each in judge.check_dialogue(bot, {})}
    if (
        flavour is OSS
        and rewinds
        and "utter_default" not in bot.responses  # then it says something of the bot's own
        and not plan.change(_CONFIG, without_fallback)
    ):
        plan.left.append(f"{_CONFIG}: set `enable_fallback_prediction: false` on the RulePolicy")
    called = SlotNames(names)
    declared = bot.slots if is_merged else [called.of(name) for name in chosen]
    segment = called.of("segment")
    if segment in declared:
        _greet(plan, bot, sources, options.greet, segment)
    else:
        plan.left.append(f"slot {segment} is not declared, so nothing greets by it")
    if is_merged:
        return plan
    _move(plan, sources)
    if read(_FRAGMENT) is not None:
        plan.left.append(f"{_FRAGMENT} is there and declares no {called.of(STATUS)}: mend it")
        return plan
    at_start = options.at_session_start
    text = fragment(flavour, options.slots, at_session_start=at_start, names=names)
    if at_start:
        plan.left.append("let each rule or flow that needs the customer call " + _LATER)
    plan.changes[_FRAGMENT] = Change(_FRAGMENT, None, text, "the plugin's slots and actions")
    return plan


def _names(bot: Bot, ours: Collection[str], *, pt: bool) -> dict[str, str]:
    """Return the names of our slots that are not the default ones.

    A slot that the bot has already stays the bot's: ours gets another name beside it.
    """
    names = {name: PORTUGUESE[name] for name in ours if pt and name in PORTUGUESE}
    for name in dict.fromkeys((*CUSTOMER_SLOTS, *ours)):
        called = names.get(name, name)
        if called in bot.slots:
            names[name] = f"{called}_cliente" if pt else f"customer_{name}"
    return names


def _environment(plan: Plan, names: Mapping[str, str]) -> None:
    """Set what is set nowhere, and keep the key out of git."""
    there = {name.upper() for name in names_set()}
    lines = []
    if not there & _SIMULATOR.keys():
        lines += ["# PS7: here the simulator, which `rasa-ps7 simulate --port 8099` starts."]
        lines += [f"{name}={value}" for name, value in _SIMULATOR.items()]
    if "PS7_SEAL_KEYS" not in there:
        lines += ["# Encrypts what PS7 said of a customer. Keep it secret: commit it nowhere."]
        lines += [f"PS7_SEAL_KEYS={json.dumps([new_seal_key()])}"]
    if names:
        lines += ["# What this bot calls slots of the plugin."]
        lines += [f"PS7_SLOT_NAMES={json.dumps(names)}"]
    if not lines:
        return
    ignored, here = read(_GITIGNORE), Path.cwd()
    is_in_git = any((folder / ".git").exists() for folder in (here, *here.parents))
    if (is_in_git or ignored is not None) and not _IGNORES_ENV & {*(ignored or "").splitlines()}:
        plan.change(_GITIGNORE, lambda text: appended(text, ".env\n"))
    plan.change(_ENV, lambda text: appended(text, "".join(f"{line}\n" for line in lines)))


def _actions(plan: Plan, bot: Bot, *, at_start: bool) -> None:
    """Let the action server load the plugin; at_start: and the look-up at the session's start."""
    is_module = _MODULE.is_file() and not _PACKAGE.exists()
    module, session = (_MODULE, _MODULE) if is_module else (_PACKAGE, _SESSION)
    code = (read(_MODULE) if is_module else bot.code) or ""
    if not (_COPY.is_dir() or bots.imports_plugin(code)):
        plan.change(module, lambda text: appended(text, "import rasa_ps7\n"))
    if not at_start or "PS7SessionStart" in code:
        return
    if bots.SESSION_START in bot.actions:
        plan.left.append(f"derive your {bots.SESSION_START} from PS7SessionStart")
        return
    start = _SESSION_START.format(module=".ps7" if _COPY.is_dir() else "rasa_ps7")
    plan.change(session, lambda text: appended(text, f"\n\n{start}" if text else start))


def _greet(plan: Plan, bot: Bot, sources: Sources, response: str, slot: str) -> None:
    if response not in bot.responses:
        plan.left.append(f"there is no response {response} to greet by segment: --greet names it")
        return
    answers = [bots.table(answer) for answer in bots.rows(bot.responses[response])]
    conditions = [answer["condition"] for answer in answers if "condition" in answer]
    if f"'{slot}'" in str(conditions):
        return
    edit = partial(with_greeting, response=response, slot=slot)
    files = (file for path in sources["domain"] for file in bots.files(path))
    if conditions or not any(plan.change(file, edit) for file in files):
        why = "has conditions already" if conditions else "is not written in lines of its own"
        plan.left.append(f"{response} {why}: greet by slot {slot} there")


def _move(plan: Plan, sources: Sources) -> None:
    """Let the bot's own domain lie in a folder."""
    alone = [path for path in sources["domain"] if path.is_file()]
    below = [file for path in sources["domain"] if path.is_dir() for file in bots.files(path)]
    if len(alone) > 1 or (alone and below):
        several = " and ".join(map(str, sources["domain"]))
        raise CommandError(
            f"{several} lie side by side: nothing was changed. Put all in the folder"
        )
    for path in alone:
        plan.change(path, str)
        plan.changes[path] = replace(plan.changes[path], moves_to=_OWN)


def read(path: Path) -> str | None:
    """Return what a file says; None where it is not there."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8: nothing was changed") from None
    except OSError as failure:
        raise CommandError(f"{path} cannot be read: {failure.strerror}") from failure


def check(changes: Iterable[Change]) -> None:
    """Check that each file can be written where it is, before any is."""
    for change in changes:
        for path in filter(None, (change.path, change.moves_to)):
            way = [path, *path.parents]
            links = [str(each) for each in way if each.is_symlink()]
            if links:
                raise CommandError(f"{links[0]} is a link: nothing was changed; edit what it names")
            there = [each for each in way if each.exists()]
            for each in there[: 1 + path.exists()]:
                if not os.access(each, os.W_OK):
                    raise CommandError(f"{each} is read-only: nothing was changed")


def write(changes: Iterable[Change]) -> None:
    """Write them in their order, each as a whole: what a failure leaves can be run again."""
    for path, moves_to, change in ((each.path, each.moves_to, each) for each in changes):
        try:
            for each in filter(None, (path, moves_to)):
                each.parent.mkdir(parents=True, exist_ok=True)
            if change.before != change.after:
                beside = path.with_name(f".{path.name}.rasa-ps7")
                beside.touch(_OWNER_ALONE if path == _ENV else 0o666)
                beside.write_bytes(change.after.encode())
                if path.exists():
                    shutil.copymode(path, beside)
                beside.replace(path)
            if moves_to is not None:
                path.rename(moves_to)
        except OSError as failure:
            raise CommandError(f"{path} cannot be written: {failure.strerror}") from failure
