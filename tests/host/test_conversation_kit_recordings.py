"""The conversation kit against recordings of a real Rasa: same payloads, same texts, same slots."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions.ps7.testing import Conversation
from actions.ps7.testing.rasa_in_memory import stored
from tests.host import record_conversation_kit as recorder


def _recording(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(recorder.recording(name).read_text(encoding="utf-8"))


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
    domain = [recorder.BOT / "domain"]
    if variant != "plain":
        domain.append(recorder.BOT / "variants" / f"{variant}.yml")
    module = recorder.load(recorder.BOT / "actions.py")
    ours = (each for each in vars(module).values() if isinstance(each, type))
    actions = [each for each in ours if each.__module__ == module.__name__]
    bot = _AsLaxAsRasa(domain, actions, sender_id="kit")
    for step in recording["steps"]:
        calls.clear()
        if step["expired"]:
            bot.expire_session()
        result = await bot.user(step["text"], metadata=step["metadata"])
        for action in step["ran"]:
            result += await bot.run(action)
        assert all(call["domain"] == recording["domain"] for call in calls)
        sent = [recorder.without_accidents({**call, "domain": None}) for call in calls]
        assert sent == step["calls"]
        assert (result.texts, bot.slots) == (step["texts"], step["slots"])


@pytest.mark.parametrize(("returned", "kept"), _recording("of_events"))
def test_it_keeps_events_as_rasa_does(returned: dict[str, Any], kept: dict[str, Any]) -> None:
    """Fields that an action leaves out have Rasa's values, and no field is lost or added."""
    now = {**stored(returned, timestamp=0, origin={})}
    if returned["event"] in {"user", "bot"}:
        now.setdefault("metadata", {})  # Rasa always notes a model there
    assert recorder.without_accidents(now) == kept
