"""The conversation kit against recordings of a real Rasa: same payloads, same texts, same slots."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rasa_sdk.executor import ActionExecutor

from actions.ps7.testing import Conversation
from actions.ps7.testing.rasa_in_memory.replay import stored

if TYPE_CHECKING:
    from types import ModuleType

    from rasa_sdk import Action

DATA = Path(__file__).parent / "data"


EVENTS = json.loads((DATA / "kit_recording_of_events.json").read_text(encoding="utf-8"))


def _load(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"conversation_kit_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _bot(variant: str) -> tuple[list[Path], list[type[Action]]]:
    domain = [DATA / "kit_bot" / "domain"]
    if variant != "plain":
        domain.append(DATA / "kit_bot" / "variants" / f"{variant}.yml")
    module = _load(DATA / "kit_bot" / "actions.py")
    actions = [
        each for each in vars(module).values() if getattr(each, "__module__", "") == module.__name__
    ]
    return domain, actions


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
    without_accidents = _load(
        Path(__file__).parent / "record_conversation_kit.py"
    ).without_accidents
    recording = json.loads((DATA / f"kit_recording_{variant}.json").read_text(encoding="utf-8"))
    domain, actions = _bot(variant)
    bot = Conversation(domain, actions, sender_id="kit")
    for step in recording["steps"]:
        calls.clear()
        if step["expired"]:
            bot.expire_session()
        result = await bot.user(step["text"], metadata=step["metadata"])
        for action in step["ran"]:
            result += await bot.run(action)
        assert all(call["domain"] == recording["domain"] for call in calls)
        assert [without_accidents({**call, "domain": None}) for call in calls] == step["calls"]
        assert result.texts == step["texts"]
        assert bot.slots == step["slots"]


@pytest.mark.parametrize(("returned", "kept"), EVENTS)
def test_it_keeps_events_as_rasa_does(returned: dict[str, Any], kept: dict[str, Any]) -> None:
    """Fields that an action leaves out have Rasa's values, and no field is lost or added."""
    now = {**stored(returned, timestamp=0, origin={})}
    if returned["event"] in {"user", "bot"}:
        now.setdefault("metadata", {})  # Rasa always notes a model there
    recorder = _load(Path(__file__).parent / "record_conversation_kit.py")
    assert recorder.without_accidents(now) == kept
