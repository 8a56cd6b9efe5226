"""A sound bot for the doctor to look at, as parsed YAML, and what is found in a changed one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from ruamel.yaml import YAML

from actions.ps7.cli.bot.code import Code
from actions.ps7.cli.bot.content import Bot
from actions.ps7.cli.doctor import channels, judge
from actions.ps7.cli.domain import OSS, fragment
from actions.ps7.cli.findings import Finding
from actions.ps7.cli.output import Mark
from actions.ps7.customer import SlotNames

SECRETS = {
    "PS7_USERNAME": "planted-user",
    "PS7_PASSWORD": "planted-password",
    "PS7_SEAL_KEYS": json.dumps([Fernet.generate_key().decode()]),
    "PS7_ARRIVAL_KEYS": json.dumps(["planted-1234567890-abcdefghijklmnop"]),
}
"""Settings without a fault, and nothing of which is to be shown."""
SOUND: dict[str, Any] = YAML(typ="safe").load(fragment(OSS, ("segment",)))
SOUND["session_config"] = {"carry_over_slots_to_new_session": False}
USUAL, STATUS_VALUES = SOUND["slots"]["segment"], SOUND["slots"]["ps7_status"]["values"]
"""A sound domain: what a bot merges."""


def sound(*, without: Any = (), more: Any = None, **slots: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a sound domain without some slots, with these changes to others, and with more.

    A change to `...` removes a key; what is said of a slot that is not there yet is added to the
    usual one.
    """
    domain = copy.deepcopy(SOUND) | (more or {})
    for name in without:
        del domain["slots"][name]
    for name, changes in slots.items():
        declared = {**domain["slots"].get(name, USUAL), **changes}
        domain["slots"][name] = {key: value for key, value in declared.items() if value is not ...}
    return domain


def bot_of(domain: Mapping[str, Any], code: str | None = None, **parts: Any) -> Bot:  # noqa: ANN401 - YAML
    """Return a bot of this domain, and of the content of other files."""
    files = {"domain": dict(domain), **parts}
    read = {kind: [(Path(f"{kind}.yml"), part)] for kind, part in files.items()}
    of_actions = None if code is None else Code(Path("actions"), {Path("actions/own.py"): code})
    return Bot(read, of_actions)


def found_in(
    bot: Bot,
    renames: Mapping[str, str] | None = None,
    to_clear: Sequence[str] = (),
    metadata_keys: Sequence[str] = ("contextId",),
) -> list[Finding]:
    """Return all that the doctor finds in a bot."""
    names = renames or {}
    return [
        *judge.check_slots(bot, names, to_clear),
        *judge.check_runs(bot),
        *judge.check_dialogue(bot, SlotNames(names).among(bot.slots)),
        *channels.check(bot, metadata_keys, None),
    ]


def wrong(found: Iterable[Finding]) -> list[str]:
    """Return level, id and text of what is not ok. It comes with advice, and the rest with none."""
    findings = list(found)
    assert all(bool(each.do) == (each.level is not Mark.OK) for each in findings)
    return [written(each) for each in findings if each.level is not Mark.OK]


def written(finding: Finding) -> str:
    """Return level, id and text of a finding."""
    return f"{finding.level.value} {finding.id}: {finding.found}"


def wrong_in(document: str) -> list[str]:
    """Return level, id and text of what is not ok in the command's JSON."""
    return [
        f"{each['level']} {each['id']}: {each['found']}"
        for each in json.loads(document)["findings"]
        if each["level"] != "ok"
    ]


def assert_found(found: Sequence[str], expected: Sequence[str]) -> None:
    """Check that this and nothing else was found: texts begin as expected."""
    begun = [text[: len(start)] for text, start in zip(found, expected, strict=False)]
    assert (begun, len(found)) == (list(expected), len(expected)), found
