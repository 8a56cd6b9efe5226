"""A sound bot for the doctor to look at, as parsed YAML, and what is said about a changed one."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from actions.ps7.cli.doctor import calm, naming, parsed, responses, running, slots, training
from actions.ps7.cli.doctor.finding import Finding, Level
from actions.ps7.slot_names import SlotNames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actions.ps7.cli.doctor.bot import Bot

STATUS_VALUES = [
    *("ok", "missing", "invalid", "rejected"),
    *("denied", "unavailable", "expired", "tampered"),
]
SOUND: dict[str, Any] = {
    "actions": ["action_ps7_context", "action_ps7_verify", "action_ps7_forget"],
    "session_config": {
        "session_expiration_time": 60,
        "carry_over_slots_to_new_session": False,
    },
    "slots": {
        "ps7_status": {
            "type": "categorical",
            "values": STATUS_VALUES,
            "influence_conversation": False,
            "mappings": [{"type": "custom", "action": "action_ps7_context"}],
        },
        **{
            name: {
                "type": "text",
                "influence_conversation": False,
                "mappings": [{"type": "custom"}],
            }
            for name in ("ps7_context", "segment")
        },
    },
}


def sound(*, without: Sequence[str] = (), **slots: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Give a sound domain, without some slots, and with these changes to others, or with these."""
    domain = copy.deepcopy(SOUND)
    for name in without:
        del domain["slots"][name]
    usual = {"type": "text", "influence_conversation": False, "mappings": [{"type": "custom"}]}
    for name, changes in slots.items():
        declared = {**domain["slots"].get(name, usual), **changes}
        domain["slots"][name] = {key: value for key, value in declared.items() if value is not ...}
    return domain


def bot_of(
    domain: Mapping[str, Any],
    data: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    **more: Any,  # noqa: ANN401 - any field of a bot
) -> Bot:
    """Give what the files of a bot say; None where one is not looked at."""
    parts = [] if data is None else [data]
    bot = replace(
        parsed.domain([domain]),
        stories=parsed.stories(parts),
        flows=parsed.flows(parts),
        has_data=data is not None,
        **more,
    )
    return bot if config is None else parsed.configured(bot, config)


def complaints(
    bot: Bot, renames: Mapping[str, str] | None = None, to_clear: Sequence[str] = ()
) -> list[tuple[str, str, str]]:
    """Give level, id and text of everything that the doctor finds wrong with a bot.

    Whatever is wrong comes with advice, and what is well with none.
    """
    names = SlotNames(renames or {})
    found = [
        *slots.check(bot, names),
        *naming.check(bot, renames or {}, to_clear),
        *running.check(bot),
        *training.check(bot, names),
        *responses.check(bot, names),
        *calm.check(bot, names),
    ]
    return wrong(found)


def wrong(found: Sequence[Finding]) -> list[tuple[str, str, str]]:
    """Give level, id and text of what is not ok, each with its advice below."""
    assert all(bool(finding.do) == (finding.level is not Level.OK) for finding in found)
    return [
        (finding.level.value, finding.id, finding.found)
        for finding in found
        if finding.level is not Level.OK
    ]
