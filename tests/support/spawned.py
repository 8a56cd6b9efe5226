"""What tests run in a spawned process, which has to find it by name."""

from __future__ import annotations

import asyncio
import logging
import pickle
from multiprocessing.connection import Connection

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict, TrackerState


def run_pickled(
    results: Connection, pickled: bytes, tracker: TrackerState, domain: DomainDict
) -> None:
    """Unpickle the bound `run` of an action, run it, and send back what it did and how it logs."""
    run = pickle.loads(pickled)  # noqa: S301 - made by the test
    events = asyncio.run(run(CollectingDispatcher(), Tracker.from_dict(tracker), domain))
    root = logging.getLogger()
    results.send((events, root.level, len(root.handlers)))
