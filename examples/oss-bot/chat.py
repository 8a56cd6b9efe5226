"""Talk to the example bot in a terminal: `make chat`, or `python examples/oss-bot/chat.py`.

Starts what a bank has anyway: PS7 (here its simulator), the action server and Rasa; trains the bot
if its files have changed; and ends all of it at the end. Needs a Python that has Rasa beside the
one that runs it: `PS7_RASA_PYTHON`, or `.venv-rasa` at the root of the project.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any
from uuid import uuid4

from servers import BOT, running, trained

from actions.ps7.testing import FAULTS, PERSONAS, Fault, Persona

NOBODY = "nobody"
ARRIVALS: dict[str, Persona | Fault] = {**PERSONAS, **FAULTS}
HELP = "Type as the customer would.   :who NAME  somebody else arrives   :slots   :quit"


def main() -> None:
    """Start everything, talk, end everything."""
    parser = argparse.ArgumentParser(description="Talk to the example bot in a terminal.")
    parser.add_argument("--models", type=Path, default=BOT / "models", help="where models are kept")
    options = parser.parse_args()
    # Leave by the same door at a SIGTERM, so that no process stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with running(trained(options.models)) as servers:
            talk(Conversation(servers.rasa))
    except (EOFError, KeyboardInterrupt):
        print()


def talk(conversation: Conversation) -> None:
    """Ask who arrives, then carry words to and fro, and show what each turn changed.

    A contextId goes along with the first message only, as many channels do it.
    """
    print(f"\nWho arrives at the bot?\n  {NOBODY:<14} no contextId: an anonymous user")
    for name, who in ARRIVALS.items():
        print(f"  {name:<14} {who.title}")
    context_id = arrival(input(f"\nName [{NOBODY}]: "))
    print(f"\n{HELP}\n")
    known: dict[str, Any] = {}
    while True:
        typed = input("you: ").strip()
        command, _, rest = typed.partition(" ")
        if command == ":quit":
            return
        if command == ":who":
            context_id = arrival(rest)
        elif command == ":slots":
            show(conversation.slots())
        elif command.startswith(":"):
            print(HELP)
        elif typed:
            for answer in conversation.say(typed, context_id):
                print(f"bot: {answer}")
            context_id = None
            slots = conversation.slots()
            show({name: value for name, value in slots.items() if value != known.get(name)})
            known = slots


def arrival(typed: str) -> str | None:
    """Return the contextId of who was named: a name of the list, or a contextId as it is."""
    name = typed.strip()
    if name in {"", NOBODY}:
        return None
    who = ARRIVALS.get(name)
    print(f"  {who.title if who else 'a contextId of your own'}")
    return who.context_id if who else name


def show(slots: dict[str, Any]) -> None:
    """List slots, one a line."""
    for name, value in slots.items():
        print(f"     {name} = {value}")


class Conversation:
    """One conversation with the bot, over Rasa's REST channel."""

    def __init__(self, url: str) -> None:
        """Begin one that nobody has had before."""
        self._url = url
        self._sender = uuid4().hex

    def say(self, text: str, context_id: str | None) -> list[str]:
        """Send what was typed, with a contextId where one comes; give the answers."""
        message: dict[str, object] = {"sender": self._sender, "message": text}
        if context_id:
            message["metadata"] = {"contextId": context_id}
        answers = self._ask("/webhooks/rest/webhook", message)
        return [answer.get("text", "") for answer in answers]

    def slots(self) -> dict[str, Any]:
        """Return the slots as the tracker has them; of the seal, only that it is there."""
        path = f"/conversations/{self._sender}/tracker?include_events=NONE"
        slots: dict[str, Any] = self._ask(path)["slots"]
        del slots["session_started_metadata"]
        return slots | {"ps7_context": slots["ps7_context"] and "(sealed)"}

    def _ask(self, path: str, message: object = None) -> Any:  # noqa: ANN401 - any JSON may come
        """GET, or POST if there is something to send."""
        request = urllib.request.Request(  # noqa: S310 - our own server
            self._url + path,
            None if message is None else json.dumps(message).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - our own server
            return json.load(answer)


if __name__ == "__main__":
    main()
