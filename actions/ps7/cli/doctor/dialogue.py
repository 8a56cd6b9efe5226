"""What rules, stories, flows, responses, policies and prompts make of our slots, and channels.

Pure: a bot and the names of its slots in, findings out. `rasa data validate` checks the rest.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...slots import is_personal
from .bot import SESSION_START, influences, rows, table
from .report import Finding, caution, error, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .bot import Bot

_CARRY_OVER = "carry_over_slots_to_new_session"
_LEARN_FROM_STORIES = ("MemoizationPolicy", "TEDPolicy", "UnexpecTEDIntentPolicy")
_RASAS_CHOICE = ("MemoizationPolicy", "UnexpecTEDIntentPolicy", "TEDPolicy", "RulePolicy")
"""What Rasa Open Source takes where config.yml names no policies."""
_REWINDS = "action_default_fallback"
_FILLED_IN = frozenset({"text", "image", "custom", "buttons", "attachment", "quick_replies"})
"""The parts of a response in which Rasa fills in variables."""
_VARIABLE = re.compile(r"(?<!{)(?:{{)*{([^\n{}]+)}")
_SLOT = re.compile(r"slots\.(\w+)")
_DROP_METADATA = {
    *("botframework", "callback", "facebook", "hangouts", "mattermost", "rocketchat", "slack"),
    *("telegram", "twilio", "twilio_voice", "webexteams"),
}
"""Channels of Rasa that hand a bot no metadata, or none but their own."""


def check(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what reads our slots, and what writes them. `ours`: the bot's name to the default."""
    if bot.config is not None and not bot.is_calm:
        yield from _policies(bot, ours)
    for name in ours:
        waiting = [each.title for each in bot.scripts or () if name in each.names("slot_was_set")]
        if waiting and not influences(bot.slots[name]):
            found = f"{listed(waiting)} cannot see slot {name}, so this condition is ignored"
            how = f"declare {name} with `influence_conversation: true`"
            yield error("condition-ignored", found, how)
    if bot.session.get(_CARRY_OVER) not in {True, False}:
        found = "the domain does not say whether a new session keeps the slots of the last one, "
        found += "and Rasa keeps them: on a shared device, the next user meets the last one's "
        how = f"set `{_CARRY_OVER}: false` under `session_config:`; or true, where one sender id "
        yield caution("session-carry-over", f"{found}customer", f"{how}is always one person")
    yield from _quoted(bot, ours)
    if bot.is_calm:
        yield from _calm(bot, ours)


def _policies(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    configured = [table(entry) for entry in rows((bot.config or {}).get("policies"))]
    policies = {str(each.get("name")): each for each in configured} or dict.fromkeys(_RASAS_CHOICE)
    learning = [name for name in policies if name.endswith(_LEARN_FROM_STORIES)]
    stories = [each for each in bot.scripts or () if each.title.startswith("story ")]
    known = {name for story in stories for name in story.names("slot_was_set")}
    seen = [name for name in ours if influences(bot.slots[name]) and name not in known]
    if learning and seen and (stories or bot.scripts is None):
        found = f"stories of {listed(learning)} may stop matching: {listed(seen)} influences them"
        how = "declare it with `influence_conversation: false` and branch in conditional "
        how += "responses, or write `slot_was_set` into the stories"
        yield caution("slot-featurised", found, how)
    rules = table(policies.get("RulePolicy"))
    falls_back = "RulePolicy" in policies and rules.get("enable_fallback_prediction") is not False
    if falls_back and rules.get("core_fallback_action_name", _REWINDS) == _REWINDS:
        found = f"where no rule fits, RulePolicy runs {_REWINDS}, which undoes that turn's lookup"
        how = "set `enable_fallback_prediction: false` and answer `nlu_fallback` by a rule"
        yield caution("fallback-rewinds", found, how)


def _quoted(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check for responses that quote a customer, who may be another one by now."""
    for response, variations in bot.responses.items():
        said = [item for each in map(table, rows(variations)) for item in each.items()]
        filled_in = str([value for key, value in said if key in _FILLED_IN])
        quotes = {name: ours.get(name, "") for name in _VARIABLE.findall(filled_in)}
        # A masked CPF may be shown, and to its owner alone.
        tell = [name for name, own in quotes.items() if is_personal(own) or own == "cpf_masked"]
        if tell:
            found = f"response {response} quotes {listed(tell)}: where the action server is away, "
            found += "Rasa fills in an earlier customer's data, left of the turn before"
            how = "let an action fill in {conta_verificada} (no slot) from `verified_context`"
            yield caution("response-quotes", found, how)


def _calm(bot: Bot, ours: Mapping[str, str]) -> Iterator[Finding]:
    """Check what differs where a language model takes part."""
    raw = [name for name, default in ours.items() if is_personal(default)]
    if raw:
        found = f"Rasa Pro shows {listed(raw)} to sub-agents and Enterprise Search, in their "
        how = "remove them from the domain (cpf_masked may stay); an action reads "
        yield caution("calm-personal", f"{found}prompts", f"{how}`verified_context`")
    alone = [name for name in ours if not bot.slots[name].get("shared_for_coexistence")]
    if alone and "BasedRouter" in str(bot.config):
        found = f"a change between flows and the NLU-based assistant resets {listed(alone)}"
        how = "declare our slots with `shared_for_coexistence: true`"
        yield caution("calm-coexistence", found, how)
    for flow in bot.scripts or ():
        for key, does in (("collect", "collects"), ("set_slots", "sets")):
            for name in (each for each in flow.names(key) if each in ours):
                found = f"{flow.title} {does} slot {name}: a guess of the model replaces PS7's word"
                how = "use a slot of the bot's own, and let actions alone write this one"
                yield error("flow-writes", found, how)
        guard = dict.fromkeys(_SLOT.findall(str(flow.content.get("if"))))
        read = [name for name in guard if name in ours]
        if read and bot.looks_up_at_start is False:
            found = f"the guard of {flow.title} reads {listed(read)}: empty at the first message"
            how = f"derive your {SESSION_START} from PS7SessionStart and list it under `actions:`"
            yield caution("flow-guard", found, how)


def check_channels(bot: Bot, metadata_keys: Sequence[str]) -> Iterator[Finding]:
    """Check whether a contextId and an answer come through the channels of credentials.yml."""
    channels = table(bot.credentials)
    without = [name for name in channels if name in _DROP_METADATA]
    if without:
        found = f"in credentials.yml, {listed(without)} let no metadata of yours through to the "
        found += "bot: no contextId arrives there"
        how = "derive a channel of your own from it, with `get_metadata`: docs/integration.md"
        yield caution("channel-metadata", found, how)
    if any("cvg" in name.lower() for name in channels) and "cvg_body" not in str(metadata_keys):
        found = "VIER's channel puts metadata under cvg_body, and PS7_METADATA_KEYS names no path "
        found += "there"
        how = "set PS7_METADATA_KEYS='[\"cvg_body.contextId\"]', or where it is in that body"
        yield caution("channel-path", found, how)
    if table(channels.get("socketio")).get("session_persistence") is True and not bot.is_calm:
        found = "socketio has `session_persistence: true`: with python-socketio 5.10 or newer, "
        found += "which Rasa 3.6.21 brings, no answer arrives"
        how = "install python-socketio<5.10 where Rasa runs, or set it to false"
        yield caution("socketio-persistence", found, how)
