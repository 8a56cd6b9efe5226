"""What makes `action_ps7_context` run: a slot mapping, rules and flows, the start of a session.

Pure: a bot and the names of its slots in, findings out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...slot_names import FILLED_BY_ACTIONS
from .finding import Finding, caution, error, listed, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bot import Bot

LOOK_UP = "action_ps7_context"
VERIFY = "action_ps7_verify"
FORGET = "action_ps7_forget"
SESSION_START = "action_session_start"
_VALIDATES = "action_validate_slot_mappings"
_EVERY_TURN = (
    f"merge the plugin's domain.yml, whose slot ps7_status has the mapping `type: custom, action: "
    f"{LOOK_UP}`, which needs no rule (Rasa Pro: `type: controlled, run_action_every_turn: "
    f"{LOOK_UP}`)"
)


def check(bot: Bot) -> list[Finding]:
    """Say what runs the lookup, and what may undo what it wrote."""
    return [*_runs(bot), *_listed(bot), *_sent(bot), *_validates(bot)]


def _runs(bot: Bot) -> Iterator[Finding]:
    always, sometimes = _mapped(bot)
    called = _called(bot, LOOK_UP)
    starts = SESSION_START in bot.actions and bot.session_start_looks_up is not False
    start = f"its own {SESSION_START}" if starts else ""
    ways = [
        *(f"slot {name} (on every turn)" for name in always[:1]),
        *called,
        *([start] if start and bot.session_start_looks_up else []),
    ]
    if always or called:
        yield ok("runs", f"{LOOK_UP} is run by {listed(ways)}")
    elif sometimes:
        yield caution(
            "runs-sometimes",
            f"{LOOK_UP} is run by slot {sometimes[0]} under conditions alone, not on every turn",
            "remove `conditions`, `intent` and `not_intent` from this mapping",
        )
    elif starts:
        yield caution(
            "runs-at-start",
            f"{LOOK_UP} is run by {start} at most: a contextId that comes later is not looked up, "
            "and a lookup that failed is not repeated",
            _EVERY_TURN,
        )
    elif bot.has_data:
        yield error("runs-never", f"nothing runs {LOOK_UP}", _EVERY_TURN)
    else:
        yield caution(
            "runs-unknown",
            f"no slot of the domain runs {LOOK_UP}",
            f"{_EVERY_TURN}; or let rules and flows be looked at too, with --data",
        )


def _mapped(bot: Bot) -> tuple[list[str], list[str]]:
    """Give the slots that run the lookup on every turn, and those that do now and then."""
    always: list[str] = []
    sometimes: list[str] = []
    for slot in bot.slots.values():
        for mapping in slot.mappings:
            named = mapping.get("action") or mapping.get("run_action_every_turn")
            if named != LOOK_UP or mapping.get("type") not in FILLED_BY_ACTIONS:
                continue
            limited = any(mapping.get(key) for key in ("conditions", "intent", "not_intent"))
            (sometimes if limited else always).append(slot.name)
    return always, sometimes


def _called(bot: Bot, action: str) -> list[str]:
    """Say which rules, stories and flows run an action."""
    ways = [f"{story.kind} “{story.name}”" for story in bot.stories if action in story.actions]
    return ways + [f"flow {flow.name}" for flow in bot.flows if action in flow.actions]


def _listed(bot: Bot) -> Iterator[Finding]:
    for action in (LOOK_UP, VERIFY, FORGET):
        called = _called(bot, action)
        if called and action not in bot.actions:
            yield error(
                "action-unlisted",
                f"{called[0]} runs {action}, which is not listed under `actions:` of the domain",
                f"add `- {action}` there",
            )


def _sent(bot: Bot) -> Iterator[Finding]:
    """Find actions of ours that Rasa calls without the domain."""
    ours = [LOOK_UP, VERIFY, FORGET]
    if bot.session_start_looks_up is not False:
        ours.append(SESSION_START)
    without = [name for name in ours if bot.actions.get(name) is False]
    if bot.selective and without:
        yield error(
            "domain-not-sent",
            f"endpoints.yml sets `enable_selective_domain`, and {listed(without)} "
            f"{'ask' if without[1:] else 'asks'} for no domain: rasa-sdk 3.21 refuses the call, an "
            "older one runs it and no slot is known to be the bot's own",
            f"list {'each' if without[1:] else 'it'} as `- {without[0]}: {{send_domain: true}}`",
        )


def _validates(bot: Bot) -> Iterator[Finding]:
    if _VALIDATES in bot.actions:
        yield caution(
            "slot-validation",
            f"the domain lists {_VALIDATES}: it is shown what our action writes, and may change it",
            "let it leave the plugin's slots alone; what it changes is put back on the next run",
        )
