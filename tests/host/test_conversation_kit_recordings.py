"""The conversation kit against recordings of a real Rasa: same payloads, same texts, same slots.

They are of Rasa Open Source 3.6.21, the last one there is, with the bot in data/kit_bot. Beside
each step (text, metadata, whether the session before has expired) is what Rasa called and said, and
beside each event how Rasa stores it. The script that recorded them is in git's history:
tests/host/record_conversation_kit.py.
"""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions.ps7.testing import Conversation
from actions.ps7.testing.rasa_in_memory import stored

DATA = Path(__file__).parent / "data"
BOT = DATA / "kit_bot"


def _recording(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((DATA / f"kit_recording_{name}.json").read_text(encoding="utf-8"))


def _without_accidents(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the same with one value for all times and one for all ids."""
    if isinstance(value, list):
        return [_without_accidents(each) for each in value]
    if not isinstance(value, dict):
        return value
    accidents: dict[str, object] = {"timestamp": 0, "latest_event_time": 0}
    accidents |= dict.fromkeys(("model_id", "assistant_id", "message_id"), "id")
    return {
        key: _without_accidents(each) if each is None or key not in accidents else accidents[key]
        for key, each in value.items()
    }


class _AsLaxAsRasa(Conversation):
    """Takes a name that the domain does not know, as Rasa does and as was recorded."""

    def _expect(self, *_: object) -> None:
        pass


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every call that reaches the executor, as it reaches it."""
    seen: list[dict[str, Any]] = []
    run = ActionExecutor.run

    async def listening(executor: ActionExecutor, call: Any) -> object:  # noqa: ANN401 - a call
        seen.append(json.loads(json.dumps(call)))
        return await run(executor, call)

    monkeypatch.setattr(ActionExecutor, "run", listening)
    return seen


@pytest.mark.parametrize("variant", ["plain", "carry_nothing", "session_start"])
async def test_it_sends_what_rasa_sends(variant: str, calls: list[dict[str, Any]]) -> None:
    """Payloads are equal key for key, times and ids aside, over sessions, restart and rewind."""
    recording = _recording(variant)
    domain = [BOT / "domain"]
    if variant != "plain":
        domain.append(BOT / "variants" / f"{variant}.yml")
    names = runpy.run_path(str(BOT / "actions.py"), run_name="kit_bot")
    actions = [each for each in names.values() if getattr(each, "__module__", "") == "kit_bot"]
    bot = _AsLaxAsRasa(domain, actions, sender_id="kit")
    for step in recording["steps"]:
        calls.clear()
        if step["expired"]:
            bot.expire_session()
        result = await bot.user(step["text"], metadata=step["metadata"])
        for action in step["ran"]:
            result += await bot.run(action)
        assert all(call["domain"] == recording["domain"] for call in calls)
        sent = [_without_accidents({**call, "domain": None}) for call in calls]
        assert sent == step["calls"]
        assert (result.texts, bot.slots) == (step["texts"], step["slots"])


@pytest.mark.parametrize(("returned", "kept"), _recording("of_events"))
def test_it_keeps_events_as_rasa_does(returned: dict[str, Any], kept: dict[str, Any]) -> None:
    """Fields that an action leaves out have Rasa's values, and no field is lost or added."""
    now = {**stored(returned, timestamp=0, origin={})}
    if returned["event"] in {"user", "bot"}:
        now.setdefault("metadata", {})  # Rasa always notes a model there
    assert _without_accidents(now) == kept
