"""What the tests of this bot share: the plugin's fixtures, and a way to follow the bot's rules.

Run them in the folder above: `python -m pytest`. They need pytest and pytest-asyncio, no Rasa, and
no PS7. What they leave out is Rasa's own: which intent a text has, and how a form goes on.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence

    from rasa_ps7.testing import CustomerConversation

    Talk = Callable[..., Coroutine[Any, Any, list[str]]]

pytest_plugins = ["rasa_ps7.testing.pytest_plugin"]

BOT = Path(__file__).resolve().parents[1]
LISTEN = "action_listen"


class Rule(NamedTuple):
    """A rule of `data/rules.yml`."""

    intent: str
    conditions: Mapping[str, object]
    actions: Sequence[str]


def _read(rule: Mapping[str, Any]) -> Rule:
    first, *others = rule["steps"]
    asked = [slot for each in rule.get("condition", []) for slot in each["slot_was_set"]]
    conditions = {name: value for slot in asked for name, value in slot.items()}
    return Rule(first["intent"], conditions, [*(step["action"] for step in others), LISTEN])


RULES = [_read(rule) for rule in YAML(typ="safe").load(BOT / "data" / "rules.yml")["rules"]]


def next_action(intent: str, done: Sequence[str], slots: Mapping[str, object]) -> str:
    """Return what comes next, as Rasa's RulePolicy decides it: anew before each step.

    A rule fits if it begins with what was done, and its conditions hold now. Of those that fit, the
    one with the most conditions counts.
    """
    fitting = [
        rule
        for rule in RULES
        if rule.intent == intent
        and rule.actions[: len(done)] == list(done)
        and rule.conditions.items() <= {name: slots[name] for name in rule.conditions}.items()
    ]
    return max(fitting, key=lambda rule: len(rule.conditions)).actions[len(done)]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let the agents' desk take every conversation; return what it got."""
    taken: list[dict[str, Any]] = []

    async def take(_: object, context: dict[str, Any]) -> bool:
        taken.append(context)
        return True

    monkeypatch.setattr("actions.hand_over.desk.hand_over", take)
    return taken


@pytest.fixture
def talk(bot: CustomerConversation) -> Talk:
    """Send a message as the customer; return what the bot answers, as its rules have it.

    `await talk("qual meu saldo?", "ask_balance", "ana")`: what was said, the intent that it has,
    and who arrives with it, if somebody does.
    """

    async def say(text: str, intent: str, who: str | None = None) -> list[str]:
        if who is None:
            await bot.user(text, intent=intent)
        else:
            await bot.arrives(who, text, intent=intent)
        said: list[str] = []
        done: list[str] = []
        while (action := next_action(intent, done, bot.slots)) != LISTEN:
            ran = await bot.run(action)
            said += ran.texts
            done.append(action)
            if any(event["event"] == "pause" for event in ran.events):
                break  # Rasa runs no other action
        return said

    return say
