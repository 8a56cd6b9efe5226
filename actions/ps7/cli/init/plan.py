"""What `init` changes in the bot of this folder.

A step that finds its work done plans nothing, so `init` can be run again, also after a failure in
between: names come before the fragment that has them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...customer import SESSION_ACTION, STATUS, SlotNames
from ..bot import sources as bots
from ..bot.yaml import rows, table
from ..domain import CALM, fragment
from ..texts import left_to_you, parts
from . import environment, remaining
from .changes import Change, Plan, read
from .edits import appended, with_endpoint, with_greeting, with_import

if TYPE_CHECKING:
    from ..bot.content import Bot
    from .target import Target

_SESSION_START = '''\
from {module} import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Knows the customer before the first turn."""
'''


def make(target: Target) -> Plan:
    """Plan what a bot needs."""
    plan = Plan()
    environment.set_up(plan, target)
    _import(plan, target)
    at_start = target.options.at_session_start
    if target.flavour is CALM or at_start:
        _start_session(plan, target, alone=at_start)
    endpoints = target.sources.get("endpoints", [bots.ENDPOINTS])[0]
    if not target.bot.action_endpoint and not plan.change(endpoints, with_endpoint):
        plan.left.append(left_to_you("endpoint", file=endpoints))
    called = SlotNames(target.names)
    declared = target.bot.slots if target.is_merged else [called.of(name) for name in target.slots]
    segment = called.of("segment")
    if segment in declared:
        _greet(plan, target, segment)
    else:
        plan.left.append(left_to_you("segment", slot=segment))
    if not target.is_merged:
        _merge(plan, target)
        plan.left += remaining.of_the_code(target)
        plan.left += remaining.of_the_surroundings(target)
    return plan


def _merge(plan: Plan, target: Target) -> None:
    """Put the fragment beside the bot's own domain, which then lies in a folder."""
    path = target.sources["domain"][0]
    if path.is_file():
        plan.change(path, str)
        plan.changes[path] = replace(plan.changes[path], moves_to=target.domain / "bot.yml")
        plan.left += remaining.moved_domain(target)
    if read(target.fragment) is not None:
        status = SlotNames(target.names).of(STATUS)
        plan.left.append(left_to_you("fragment", file=target.fragment, status=status))
        return
    at_start = target.options.at_session_start
    names, slots = target.names, target.options.slots
    text = fragment(target.flavour, slots, at_session_start=at_start, names=names)
    if at_start:
        plan.left.append(left_to_you("rules"))
    about = f"the plugin's slots and actions, {text.count(chr(10))} lines"
    plan.changes[target.fragment] = Change(target.fragment, None, text, about)


def _import(plan: Plan, target: Target) -> None:
    """Let what runs the bot's actions load the plugin; no package is made for actions elsewhere."""
    code, place = target.bot.code, target.actions
    if code is None and target.bot.own_actions:
        return
    if code is None or not (code.has_copy or code.imports_plugin):
        module = place if place.suffix else place / "__init__.py"
        plan.change(module, with_import)


def _start_session(plan: Plan, target: Target, *, alone: bool) -> None:
    """Let a session start with the lookup; alone: nothing else makes it."""
    code, place = target.bot.code, target.actions
    if code is not None and code.looks_up:
        return
    if target.bot.has_session_start:
        harm = "nobody is known" if alone else "the first message finds no customer"
        own = remaining.place_of(target, SESSION_ACTION)
        plan.left.append(left_to_you("session-start-derive", place=own, harm=harm))
        return
    if code is None and target.bot.own_actions:
        plan.left.append(left_to_you("session-start-elsewhere"))
        return
    module = ".ps7" if code is not None and code.has_copy else "rasa_ps7"
    start = _SESSION_START.format(module=module)
    session = place if place.suffix else place / "ps7_session.py"
    plan.change(session, lambda text: appended(text, f"\n\n{start}" if text else start))


def _greeting_for(bot: Bot) -> str:
    """Return the greeting in the language of a bot's responses, else in that of its config."""
    said = set(re.findall(r"\w+", str(bot.responses).lower()))
    known = {name: text.splitlines() for name, text in parts("greetings.txt").items()}
    language = str((bot.config or {}).get("language"))[:2].replace("br", "pt")
    likely = {name: len(said & {*words.split()}) for name, (_, words) in known.items()}
    best = max(known, key=lambda name: (likely[name], name == language, name == "en"))
    return known[best][0]


def _greet(plan: Plan, target: Target, slot: str) -> None:
    bot, response = target.bot, target.options.greet
    if response not in bot.responses:
        plan.left.append(left_to_you("greet-none", response=response))
        return
    answers = [table(answer) for answer in rows(bot.responses[response])]
    conditions = [answer["condition"] for answer in answers if "condition" in answer]
    if f"'{slot}'" in str(conditions):
        return
    greeting = target.options.greeting or _greeting_for(bot)
    edit = partial(with_greeting, response=response, slot=slot, greeting=greeting)
    if bot.scripts is not None and not bot.says(response):
        plan.left.append(left_to_you("greet-unsaid", response=response))
    elif conditions or not any(plan.change(file, edit) for file in bot.response_files):
        name = "greet-conditions" if conditions else "greet-form"
        plan.left.append(left_to_you(name, response=response, slot=slot))
