"""Lets Rasa keep conversations in its stores, and what a page shows erase or find some of them.

`python rasa_stores.py JSON`, beside the stores' `NAME.yml`: it prints what was said and what is
left, as JSON.
"""

import asyncio
import json
import subprocess
import sys
import time

from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import read_endpoint_config

Talks = dict[str, list[Event]]
SENDERS = ("o'Brien [1-9]* 100%", "o'Brien 1")
DAY = 86_400


async def keeping(name: str, talks: Talks) -> TrackerStore:
    """Open a store, and keep these conversations in it."""
    endpoint = read_endpoint_config(f"{name}.yml", "tracker_store")
    store = TrackerStore.create(endpoint, Domain.empty())
    for sender, events in talks.items():
        await store.save(DialogueStateTracker.from_events(sender, events))
    return store


async def left_of(store: TrackerStore, talks: Talks) -> list[int]:
    """Return how many events of each conversation Rasa finds."""
    found = [await store.retrieve_full_tracker(sender) for sender in talks]
    return [len(each.events) if each else 0 for each in found]


def types(script: str, said: str) -> str:
    """Run a block of a page; `said` is typed when it asks."""
    return subprocess.check_output(("sh", "-ec", script), input=f"{said}\n", text=True)


async def erase(name: str, script: str) -> dict[str, object]:
    """Let the page erase the first of two conversations."""
    talks: Talks = {sender: [SessionStarted(), UserUttered("oi")] for sender in SENDERS}
    store = await keeping(name, talks)
    return {"said": types(script, SENDERS[0]), "left": await left_of(store, talks)}


async def clean_up(statement: str, days: dict[str, list[int]]) -> list[int]:
    """Run a statement; `days` says how old events are, and below 0 that a session began."""
    now = time.time()
    talks: Talks = {
        sender: [
            (SessionStarted if age < 0 else BotUttered)(timestamp=now - DAY * abs(age))
            for age in ages
        ]
        for sender, ages in days.items()
    }
    store = await keeping("sql", talks)
    store.engine.execute(statement)
    return await left_of(store, talks)


async def find(statements: list[str], script: str) -> dict[str, object]:
    """Look for a conversation that was tampered with: by its status, and by its CPF."""
    customers = {"rejected": None, "tampered": "52998224725", "ok": "11144477735"}
    talks: Talks = {
        status: [UserUttered("oi"), SlotSet("ps7_status", status), SlotSet("cpf", cpf)]
        for status, cpf in customers.items()
    }
    store = await keeping("sql", talks)
    engine = store.engine.execution_options(no_parameters=True)
    selected = [[row[0] for row in engine.execute(each)] for each in statements]
    return {"selected": selected, "by_cpf": types(script, "52998224725")}


async def main(
    scripts: dict[str, str],
    days: dict[str, list[int]],
    recipe: str,
    selects: list[str],
    by_cpf: str,
) -> dict[str, object]:
    """Do it all."""
    erased = {name: await erase(name, script) for name, script in scripts.items()}
    found = await find(selects, by_cpf)
    return {"erased": erased, "left": await clean_up(recipe, days), **found}


sys.stdout.write(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))) + "\n")
