"""What differs where a language model takes part (Rasa Pro, CALM): prompts, guards, flows.

Pure: a bot and the names of its slots in, findings out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...slot_table import is_personal
from .finding import Finding, caution, error, listed
from .running import SESSION_START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...slot_names import SlotNames
    from .bot import Bot

_SLOT = re.compile(r"slots\.(\w+)")


def check(bot: Bot, names: SlotNames) -> list[Finding]:
    """Check what a prompt may show, and what flows do with our slots."""
    if not bot.is_calm:
        return []
    ours = names.among(bot.slots)
    return [
        *_prompts(ours),
        *_coexistence(bot, ours),
        *_written(bot, ours),
        *_guards(bot, ours),
    ]


def _prompts(ours: dict[str, str]) -> Iterator[Finding]:
    raw = [name for name, default in ours.items() if is_personal(default)]
    if raw:
        yield caution(
            "calm-personal",
            f"{listed(raw)} can stand in a prompt: Rasa Pro shows set slots to sub-agents and "
            "Enterprise Search",
            "remove them from the domain (cpf_masked may stay), and read the customer from "
            "`verified_context` in an action",
        )


def _coexistence(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    routed = any(name.endswith("BasedRouter") for name in bot.pipeline)
    alone = [name for name in ours if not bot.slots[name].shared]
    if routed and alone:
        yield caution(
            "calm-coexistence",
            f"{listed(alone)} {'is' if len(alone) == 1 else 'are'} reset where the router changes "
            "between flows and the NLU-based assistant",
            "declare our slots with `shared_for_coexistence: true`",
        )


def _written(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    for flow in bot.flows:
        for does, slots in (("collects", flow.collects), ("sets", flow.sets)):
            for name in dict.fromkeys(slots):
                if name in ours:
                    yield error(
                        "flow-writes",
                        f"flow {flow.name} {does} slot {name}: what the model makes of a message "
                        "stands where PS7's word should",
                        "use a slot of the bot's own, and let actions alone write this one",
                    )


def _guards(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    """Find guards that the first message meets before any action has run."""
    if SESSION_START in bot.actions and bot.session_start_looks_up is not False:
        return
    for flow in bot.flows:
        read = [name for name in dict.fromkeys(_SLOT.findall(flow.guard)) if name in ours]
        if read:
            yield caution(
                "flow-guard",
                f"the guard of flow {flow.name} reads {listed(read)}, which is empty when the "
                "first message is understood",
                f"derive your {SESSION_START} from PS7SessionStart and list it under `actions:`",
            )
