"""The settings that `init` writes into a `.env`, and the rule that keeps it out of git."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..bot import surroundings
from ..bot.code import lines as found_in
from ..git import is_ignored, is_tracked, repository
from ..key import new_seal_key
from ..texts import left_to_you
from ..variables import ENV, SIMULATORS, in_env_file, names_set
from .changes import read
from .edits import appended

if TYPE_CHECKING:
    from .changes import Plan
    from .target import Target

_SIMULATOR = {
    "PS7_BASE_URL": "http://127.0.0.1:8099",
    "PS7_USERNAME": "simulator",
    "PS7_PASSWORD": SIMULATORS,
}

_KEEPS_QUOTES = r"^-?include\b.*\.env\b|--env-file\b"
"""Make and `docker run` take quotes for a part of the value, and a shell needs them."""


def set_up(plan: Plan, target: Target) -> None:
    """Set what is set nowhere. A key goes into no file that git keeps, or that others may read."""
    env = _env_file(plan, target)
    there = {name.upper() for name in (*names_set(), *in_env_file(env))}
    in_git = is_tracked(env) is not False
    quote = "" if found_in(surroundings.texts(surroundings.BUILDS), _KEEPS_QUOTES) else "'"
    lines = []
    if not there & _SIMULATOR.keys():
        lines += ["# PS7: here the simulator, which `rasa-ps7 simulate --port 8099` starts."]
        lines += ["# PS7: git has this file: never put the bank's password here."] if in_git else []
        lines += [f"{name}={value}" for name, value in _SIMULATOR.items()]
    if "PS7_SEAL_KEYS" not in there and not in_git:
        lines += ["# PS7: encrypts what it said of a customer. Keep it secret: commit it nowhere."]
        lines += [f"PS7_SEAL_KEYS={quote}{json.dumps([new_seal_key()])}{quote}"]
    if target.new_names:
        lines += ["# PS7: what this bot calls slots of the plugin."]
        lines += [f"PS7_SLOT_NAMES={quote}{json.dumps(target.new_names)}{quote}"]
    if in_git and "PS7_SEAL_KEYS" not in there:
        plan.left.append(left_to_you("env-tracked", env=env))
    if target.new_names and not in_git:
        plan.left.append(left_to_you("names", env=env, fragment=target.fragment))
    ignored = [] if in_git or not lines else [env.name]
    ignored += _environment_in_use()
    _leave_out_of_git(plan, env.parent, ignored)
    if lines:
        plan.change(env, lambda text: appended(text, "".join(f"{line}\n" for line in lines)))
        plan.changes[env] = replace(plan.changes[env], private=not in_git)


def _env_file(plan: Plan, target: Target) -> Path:
    """Return the .env that the action server reads, or that the bot's own code does."""
    env = target.home / ENV
    reads = target.bot.code is not None and target.bot.code.reads_env_file
    above = surroundings.env_above(target.home) if reads and not os.path.lexists(env) else None
    if above is None:
        return env
    plan.left.append(left_to_you("env-above", env=above))
    return above


def _environment_in_use() -> list[str]:
    """Return the environment of this command, if it is in this folder and git would take it."""
    python = Path(sys.prefix)
    inside = sys.prefix != sys.base_prefix and python.parent == Path.cwd()
    return [f"{python.name}/"] if inside and is_ignored(Path(python.name)) is False else []


def _leave_out_of_git(plan: Plan, folder: Path, names: list[str]) -> None:
    """Plan rules that keep files out of git; also without a repository, for the day it gets one."""
    rules = folder / ".gitignore"
    for name in names:
        if repository(folder) is None:
            known = (read(rules) or "").splitlines()[-1:] == [name]
        else:
            known = bool(is_ignored(folder / name.rstrip("/")))
        if not known:
            plan.change(rules, partial(appended, block=f"{name}\n"))
