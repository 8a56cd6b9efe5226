"""Records what a real Rasa Open Source does with the bot in data/kit_bot.

    <a python that has rasa 3.6.21> tests/host/record_conversation_kit.py

Trains the bot in each of its variants, plays the steps that stand in its recording (text, metadata,
whether the session before has expired), and writes what Rasa called and said beside them; likewise,
beside each event of data/kit_recording_of_events.json, how Rasa stores it. The tests hold these
against the conversation kit. To be run again when another Rasa is to be matched, or a step or an
event was added. rasa is imported by name: the type check has none.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from aiohttp import web

BOT = Path(__file__).parent / "data" / "kit_bot"


def recording(name: str) -> Path:
    """Return the file of a recording."""
    return BOT.parent / f"kit_recording_{name}.json"


def load(file: Path) -> Any:  # noqa: ANN401 - a module, its names known to who asks for it
    """Return a Python file as a module, without a place in the import system."""
    spec = spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def without_accidents(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return the same with one value for all times and one for all ids."""
    if isinstance(value, list):
        return [without_accidents(each) for each in value]
    if not isinstance(value, dict):
        return value
    accidents: dict[str, object] = {"timestamp": 0, "latest_event_time": 0}
    accidents |= dict.fromkeys(("model_id", "assistant_id", "message_id"), "id")
    return {
        key: without_accidents(each) if each is None or key not in accidents else accidents[key]
        for key, each in value.items()
    }


class Recorder:
    """A real Rasa agent and the action server that listens to it."""

    def __init__(self) -> None:
        self.executor = import_module("rasa_sdk.executor").ActionExecutor()
        self.executor.register_package(load(BOT / "actions.py"))
        self.calls: list[dict[str, Any]] = []

    async def webhook(self, request: web.Request) -> web.Response:
        """Answer a call of Rasa's, and keep it."""
        call = await request.json()
        self.calls.append(call)
        return web.json_response(await self.executor.run(call))

    async def play(self, steps: list[dict[str, Any]], model: str, port: int) -> dict[str, Any]:
        """Return the domain and, with each step, what Rasa called and what the user got."""
        rasa, channel = (
            import_module("rasa.core.agent"),
            import_module("rasa.core.channels.channel"),
        )
        endpoint = import_module("rasa.utils.endpoints").EndpointConfig
        url = f"http://127.0.0.1:{port}/webhook"
        agent = rasa.Agent.load(model, action_endpoint=endpoint(url))
        store, played = agent.tracker_store, []
        for step in steps:
            before = await store.get_or_create_full_tracker("kit", append_action_listen=False)
            for event in before.events if step["expired"] else ():
                event.timestamp -= 7200  # twice the time after which a session ends
            await store.save(before)
            self.calls.clear()
            output, metadata = channel.CollectingOutputChannel(), step["metadata"]
            await agent.handle_message(
                channel.UserMessage(
                    step["text"], output, "kit", input_channel="rest", metadata=metadata
                )
            )
            after = await store.retrieve_full_tracker("kit")
            played.append(
                {
                    "text": step["text"],
                    "metadata": metadata,
                    "expired": step["expired"],
                    "ran": _ran([event.as_dict() for event in after.events]),
                    "texts": [message["text"] for message in output.messages if "text" in message],
                    "slots": after.current_slot_values(),
                    "calls": [without_accidents({**call, "domain": None}) for call in self.calls],
                }
            )
        return {"domain": self.calls[-1]["domain"], "steps": played}


def _ran(events: list[dict[str, Any]]) -> list[str]:
    """Return what the policies chose after the last message."""
    start = max(index for index, event in enumerate(events) if event["event"] == "user")
    return [
        event["name"]
        for event in events[start:]
        if event["event"] == "action" and event["policy"] == "RulePolicy"
        if event["name"] != "action_listen"
    ]


async def record(variant: str) -> None:
    """Train and play one variant of the bot, and write the file."""
    with tempfile.TemporaryDirectory() as folder:
        bot = shutil.copytree(BOT, Path(folder) / "bot")
        if variant != "plain":
            shutil.copy(bot / "variants" / f"{variant}.yml", bot / "domain")
        train = import_module("rasa.model_training").train
        paths = (str(bot / name) for name in ("domain", "config.yml", "data"))
        model = await asyncio.to_thread(train, *paths, output=folder)
        recorder = Recorder()
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/webhook", recorder.webhook)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        steps = json.loads(recording(variant).read_text(encoding="utf-8"))["steps"]
        played = await recorder.play(steps, model.model, runner.addresses[0][1])
        await runner.cleanup()
    lines = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in played["steps"])
    domain = json.dumps(played["domain"], ensure_ascii=False)
    text = f'{{"rasa": "3.6.21",\n "domain": {domain},\n "steps": [\n  {lines}]}}\n'
    recording(variant).write_text(text, encoding="utf-8")


def record_events() -> None:
    """Write how Rasa stores the events."""
    from_parameters = import_module("rasa.shared.core.events").Event.from_parameters
    file = recording("of_events")
    pairs = [
        [event, without_accidents(from_parameters(event).as_dict())]
        for event, _ in json.loads(file.read_text(encoding="utf-8"))
    ]
    lines = ",\n ".join(json.dumps(pair, ensure_ascii=False) for pair in pairs)
    file.write_text(f"[{lines}]\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    for each in ("plain", "carry_nothing", "session_start"):
        asyncio.run(record(each))
    record_events()
