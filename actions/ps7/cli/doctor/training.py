"""What rules, stories, answers and policies make of our slots.

Pure: a bot and the names of its slots in, findings out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .finding import Finding, caution, error, listed, ok
from .slots import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ...slot_names import SlotNames
    from .bot import Bot

CARRY_OVER = "carry_over_slots_to_new_session"
EXPIRY = "session_expiration_time"
_LEARN_FROM_STORIES = ("MemoizationPolicy", "TEDPolicy", "UnexpecTEDIntentPolicy")
_RASAS_CHOICE = ("MemoizationPolicy", "UnexpecTEDIntentPolicy", "TEDPolicy", "RulePolicy")
"""What Rasa Open Source takes where config.yml names no policies."""
_REWINDS = "action_default_fallback"
_MOST_SHOWN = 3


def check(bot: Bot, names: SlotNames) -> list[Finding]:
    """Check who sees our slots, and what they are expected to hold."""
    ours = names.among(bot.slots)
    return [
        *_featurised(bot, ours),
        *_unseen(bot, ours),
        *_values(bot, ours),
        *_fallback(bot),
        *_controlled(bot, ours),
        *_session(bot),
    ]


def _policies(bot: Bot) -> Iterable[Mapping[str, object]]:
    """Give the policies of config.yml, or Rasa's own choice where it leaves them to Rasa."""
    if bot.policies == () and not bot.is_calm:
        return [{"name": name} for name in _RASAS_CHOICE]
    return bot.policies or ()


def _featurised(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    """Find slots that change what story policies see, where these may not have been told."""
    policies = [str(policy.get("name")) for policy in _policies(bot)]
    learning = [name for name in policies if name.endswith(_LEARN_FROM_STORIES)]
    stories = [story for story in bot.stories if story.kind == "story"]
    if not learning or (bot.has_data and not stories):
        return
    told = {name for story in stories for name, _ in story.waits_for}
    seen = [name for name in ours if bot.slots[name].influences and name not in told]
    if seen:
        yield caution(
            "slot-featurised",
            f"{listed(seen)} {'influences' if len(seen) == 1 else 'influence'} the conversation, "
            f"and {listed(learning)} {'learns' if len(learning) == 1 else 'learn'} from stories "
            "that were written without: they may stop matching",
            "declare it with `influence_conversation: false` and branch in conditional responses, "
            "or write `slot_was_set` into the stories",
        )


def _unseen(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    """Find rules that wait for a slot which they cannot see."""
    blind: dict[str, list[str]] = {}
    vague: dict[str, list[str]] = {}
    for story in bot.stories:
        for name, value in story.waits_for:
            if name not in ours:
                continue
            if not bot.slots[name].influences:
                blind.setdefault(name, []).append(f"{story.kind} “{story.name}”")
            elif bot.slots[name].type == "text" and value not in (..., None):
                vague.setdefault(name, []).append(f"{story.kind} “{story.name}”")
    for name, where in blind.items():
        yield error(
            "condition-ignored",
            f"slot {name} does not influence the conversation, so its condition is ignored in "
            f"{_some(where)}",
            f"declare {name} with `influence_conversation: true`",
        )
    for name, where in vague.items():
        yield error(
            "condition-vague",
            f"slot {name} is text, of which Rasa sees only whether it is set, not the value that "
            f"{_some(where)} names",
            "branch on it in a conditional response, or declare it as categorical",
        )


def _values(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    """Find conditions that wait for a value which never comes."""
    expected = [
        *((f"{s.kind} “{s.name}”", *pair) for s in bot.stories for pair in s.waits_for),
        *((f"response {name}", slot, value) for name, slot, value in bot.conditions),
        *((f"flow {flow.name}", *pair) for flow in bot.flows for pair in flow.compares),
    ]
    for where, slot, value in dict.fromkeys((w, s, v) for w, s, v in expected if _hashable(v)):
        known = CATEGORIES.get(ours.get(slot, ""))
        if known and value not in (..., None) and str(value).lower() not in known:
            yield error(
                "value-unknown",
                f"{where} waits for {slot} to be {value!s:.40}, which it never is",
                f"it is one of {listed(list(known))}",
            )


def _fallback(bot: Bot) -> Iterator[Finding]:
    for policy in () if bot.is_calm else _policies(bot):
        falls_back = policy.get("enable_fallback_prediction", True) is not False
        to = policy.get("core_fallback_action_name", _REWINDS)
        if policy.get("name") == "RulePolicy" and falls_back and to == _REWINDS:
            yield caution(
                "fallback-rewinds",
                f"where no rule fits, RulePolicy runs {_REWINDS}: it takes back what the lookup of "
                "that turn wrote, until the next run",
                "set `enable_fallback_prediction: false` and answer `nlu_fallback` by a rule",
            )


def _controlled(bot: Bot, ours: dict[str, str]) -> Iterator[Finding]:
    """Find Rasa Pro's word in a bot of Rasa Open Source, as far as one can tell."""
    if bot.is_calm:
        return
    slots = [
        name
        for name in ours
        if any(mapping.get("type") == "controlled" for mapping in bot.slots[name].mappings)
    ]
    if slots:
        yield caution(
            "slot-controlled",
            f"{_some([f'slot {name}' for name in slots])} has the mapping `type: controlled`, "
            "which Rasa Open Source refuses",
            "write `type: custom` and `action:`, unless this bot runs on Rasa Pro",
        )


def _session(bot: Bot) -> Iterator[Finding]:
    carry_over, expiry = bot.session.get(CARRY_OVER), bot.session.get(EXPIRY)
    if carry_over is False:
        kept_not = f"a new session starts without the last one's slots ({CARRY_OVER}: false)"
        yield ok("session", kept_not)
    elif carry_over is True:
        yield ok(
            "session",
            f"a new session keeps the last one's customer ({CARRY_OVER}: true): right where one "
            "sender id is always one person, and wrong on a device that people share",
        )
    else:
        yield caution(
            "session-carry-over",
            "the domain does not say whether a new session keeps the last one's slots, and Rasa "
            "keeps them: on a device that people share, the next one meets the last one's customer",
            f"set `{CARRY_OVER}: false` under `session_config:`; or true, where one sender id is "
            "always one person",
        )
    if expiry == 0:
        yield caution(
            "session-endless",
            f"sessions never end ({EXPIRY}: 0), so nothing but time lets go of a customer",
            "set it to some minutes, or run action_ps7_forget where a conversation ends",
        )


def _some(where: list[str]) -> str:
    where = list(dict.fromkeys(where))
    more = len(where) - _MOST_SHOWN
    return listed(where) if more <= 0 else f"{', '.join(where[:_MOST_SHOWN])} and {more} more"


def _hashable(value: object) -> bool:
    return not isinstance(value, (dict, list))
