"""What `init` changes in the bot of this folder, and what it leaves to a person.

A step that finds its work done plans nothing, so `init` can be run again, also after a failure in
between: names come before the fragment that has them.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...customer import CUSTOMER_SLOTS, SESSION_ACTION, STATUS, SlotNames
from ...settings import SlotSettings
from ..disk import build_files, is_ignored, is_tracked, lines, read, repository
from ..doctor import bot as bots
from ..doctor.settings import SIMULATORS, names_set
from ..domain import CALM, OSS, PORTUGUESE, fragment
from ..key import new_seal_key
from ..output import CommandError
from .changes import Change, Plan
from .undo import with_journal
from .yaml_text import appended, with_endpoint, with_greeting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Collection, Mapping

    from ..doctor.bot import Bot, Sources
    from ..domain import Flavour

_OWN, _FRAGMENT = Path("domain/bot.yml"), Path("domain/ps7/domain.yml")
_SESSION_START = '''\
from {module} import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Knows the customer before the first turn."""
'''
_LATER = "action_ps7_context first: until then a contextId that comes later is not noticed there"
_SIMULATOR = {
    "PS7_BASE_URL": "http://127.0.0.1:8099",
    "PS7_USERNAME": "simulator",
    "PS7_PASSWORD": SIMULATORS,
}
_ENV, _GITIGNORE = Path(".env"), Path(".gitignore")
_MOVED = (
    r"^(?!.*(--domain|-d)[ =]domain\b).*(domain\.ya?ml|\brasa (train|test|shell|interactive|data))"
)
"""A line that names the place of the domain, or has Rasa look for it."""


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
    _import(plan, bot)
    if flavour is CALM or options.at_session_start:
        _start_session(plan, bot, alone=options.at_session_start)
    endpoints = sources.get("endpoints", [Path("endpoints.yml")])[0]
    if "action_endpoint" not in (bot.endpoints or {}) and not plan.change(endpoints, with_endpoint):
        server = "name the action server under `action_endpoint:`, or Rasa runs no action"
        plan.left.append(f"{endpoints}: {server}")
    called = SlotNames(names)
    declared = bot.slots if is_merged else [called.of(name) for name in chosen]
    segment = called.of("segment")
    if segment in declared:
        _greet(plan, bot, sources, options.greet, segment)
    else:
        plan.left.append(f"slot {segment} is not declared, so nothing greets by it")
    if not is_merged:
        _merge(plan, sources, flavour, options, names)
    return with_journal(plan, leave_out={_GITIGNORE, *([] if is_tracked(_ENV) else [_ENV])})


def _merge(
    plan: Plan,
    sources: Sources,
    flavour: Flavour,
    options: argparse.Namespace,
    names: Mapping[str, str],
) -> None:
    """Put the fragment beside the bot's own domain."""
    _move(plan, sources)
    if read(_FRAGMENT) is not None:
        status = SlotNames(names).of(STATUS)
        plan.left.append(f"{_FRAGMENT} is there and declares no {status}: mend it, or nothing runs")
        return
    at_start = options.at_session_start
    text = fragment(flavour, options.slots, at_session_start=at_start, names=names)
    if at_start:
        plan.left.append(f"let each rule or flow that needs the customer call {_LATER}")
    about = f"the plugin's slots and actions, {text.count(chr(10))} lines"
    plan.changes[_FRAGMENT] = Change(_FRAGMENT, None, text, about)


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
    """Set what is set nowhere. A key goes into no file that git keeps, or that others may read."""
    there = {name.upper() for name in names_set()}
    in_git = is_tracked(_ENV) is not False
    lines = []
    if not there & _SIMULATOR.keys():
        lines += ["# PS7: here the simulator, which `rasa-ps7 simulate --port 8099` starts."]
        lines += ["# Git keeps this file: never put the bank's password here."] if in_git else []
        lines += [f"{name}={value}" for name, value in _SIMULATOR.items()]
    if "PS7_SEAL_KEYS" not in there and not in_git:
        lines += ["# Encrypts what PS7 said of a customer. Keep it secret: commit it nowhere."]
        lines += [f"PS7_SEAL_KEYS={json.dumps([new_seal_key()])}"]
    if names:
        lines += ["# What this bot calls slots of the plugin."]
        lines += [f"PS7_SLOT_NAMES={json.dumps(names)}"]
    if in_git and "PS7_SEAL_KEYS" not in there:
        plan.left.append(
            f"git keeps {_ENV}, so no key was put into it: set PS7_SEAL_KEYS (`rasa-ps7 key` makes "
            "one) and later PS7's real password in the environment of the action server, or as "
            "files in the folder of PS7_SECRETS_DIR; until then its restart loses every customer"
        )
    if not lines:
        return
    if not in_git:
        _leave_out_of_git(plan)
    plan.change(_ENV, lambda text: appended(text, "".join(f"{line}\n" for line in lines)))
    plan.changes[_ENV] = replace(plan.changes[_ENV], private=not in_git)


def _leave_out_of_git(plan: Plan) -> None:
    ignored = read(_GITIGNORE)
    may_be = repository(Path()) is not None or ignored is not None
    if may_be and not is_ignored(_ENV) and _ENV.name not in (ignored or "").splitlines():
        plan.change(_GITIGNORE, lambda text: appended(text, f"{_ENV}\n"))


def _import(plan: Plan, bot: Bot) -> None:
    """Let what runs the bot's actions load the plugin."""
    actions = bots.actions_in(Path(), bot.action_endpoint)
    if not ((actions / "ps7").is_dir() or bots.imports_plugin(bot.code or "")):
        module = actions if actions.suffix else actions / "__init__.py"
        plan.change(module, lambda text: appended(text, "import rasa_ps7\n"))


def _start_session(plan: Plan, bot: Bot, *, alone: bool) -> None:
    """Let a session start with the lookup; alone: nothing else makes it."""
    if "PS7SessionStart" in (bot.code or ""):
        return
    actions = bots.actions_in(Path(), bot.action_endpoint)
    if bot.has_session_start:
        files = [actions] if actions.suffix else sorted(actions.rglob("*.py"))
        found = lines([(file, read(file)) for file in files], SESSION_ACTION)
        plan.left.append(
            f"derive your {SESSION_ACTION} ({found[0] if found else 'not found'}) from "
            "PS7SessionStart, as docs/integration.md shows: until then "
            + ("nobody is known" if alone else "the first message finds no customer")
        )
        return
    module = ".ps7" if (actions / "ps7").is_dir() else "rasa_ps7"
    start = _SESSION_START.format(module=module)
    session = actions if actions.suffix else actions / "ps7_session.py"
    plan.change(session, lambda text: appended(text, f"\n\n{start}" if text else start))


def _greet(plan: Plan, bot: Bot, sources: Sources, response: str, slot: str) -> None:
    if response not in bot.responses:
        plan.left.append(f"there is no response {response} to greet by segment: --greet names it")
        return
    answers = [bots.table(answer) for answer in bots.rows(bot.responses[response])]
    conditions = [answer["condition"] for answer in answers if "condition" in answer]
    if f"'{slot}'" in str(conditions):
        return
    language = str((bot.config or {}).get("language", "en"))
    edit = partial(with_greeting, response=response, slot=slot, language=language)
    files = (file for path in sources["domain"] for file in bots.files(path))
    if conditions or not any(plan.change(file, edit) for file in files):
        why = "has conditions already" if conditions else "is not written in separate lines"
        plan.left.append(f"{response} {why}: greet by slot {slot} there, or all hear the same")


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
    if alone and (said := lines(((file, read(file)) for file in build_files()), _MOVED)):
        plan.left.append(
            f"the domain is a folder now: `rasa train` fails without `--domain domain`; see to "
            f"{', '.join(said)}"
        )
