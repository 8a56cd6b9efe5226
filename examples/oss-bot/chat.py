"""Talk to the example bot in a terminal: `make chat`, or `python examples/oss-bot/chat.py`.

Starts what a bank has anyway: PS7 (here its simulator), the action server and Rasa; trains the bot
if its files have changed; talks by `rasa-ps7 chat`; and ends all of it at the end. Needs a Python
that has Rasa beside the one that runs it: `PS7_RASA_PYTHON`, or `.venv-rasa` at the root of the
project.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from rasa_ps7.cli.command import main as command
from rasa_ps7.testing import FAULTS, PERSONAS, Fault, Persona
from servers import BOT, running, trained


def main() -> int:
    """Start everything, talk, end everything."""
    parser = argparse.ArgumentParser(description="Talk to the example bot in a terminal.")
    parser.add_argument("--models", type=Path, default=BOT / "models", help="where models are kept")
    parser.add_argument("--faults", action="store_true", help="list the faults of PS7 too")
    options = parser.parse_args()
    # Leave the same way at a SIGTERM, so that no process stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        del os.environ[name]  # meant for another bot
    print("This trains the bot if it changed, and starts four servers: half a minute,")
    print("at the first time some minutes. Ctrl+D ends all of it.", flush=True)
    with running(trained(options.models)) as servers:
        print("\nType as the customer would, or let a customer arrive: `:as ana`.\n")
        arrivals: list[Persona | Fault] = [*PERSONAS.values()]
        arrivals += FAULTS.values() if options.faults else ()
        for customer in arrivals:
            print(f"  :as {customer.context_id:<14} {customer.title}")
        if not options.faults:
            print(f"  {len(FAULTS)} faults of PS7 can arrive too: `make chat FAULTS=1` lists them")
        print(flush=True)
        code = command(["chat", "--url", servers.rasa])
        if handed_over := servers.desk_log.read_text(encoding="utf-8"):
            print(f"\nWhat the agents' desk was handed over:\n{handed_over}", end="")
        return code


if __name__ == "__main__":
    sys.exit(main())
