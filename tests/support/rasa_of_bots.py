"""Runs Rasa's own commands for bots, each in its folder: `python rasa_of_bots.py JSON`.

One process loads Rasa, which takes most of the time of a command, and forks one for each bot; a bot
that is alone needs no other. It ends with the first bot that fails, or when told.
"""

import json
import os
import sys

from rasa_command import main  # before the rest of Rasa

# isort: split
import rasa.core.agent
import rasa.core.run
import rasa.model_testing
import rasa.model_training  # noqa: F401 - loaded for the forks

AT_ONCE = 2
"""How many bots learn at the same time; those that have learned only wait for messages."""
BOTS = json.loads(sys.argv[1])


def live(folder: str, log: str, variables: dict[str, str], commands: list[list[str]]) -> None:
    """Run the commands of a bot, one after another; one that fails ends the process."""
    os.chdir(folder)
    os.environ.update(variables)
    sys.path += variables.get("PYTHONPATH", "").split(os.pathsep)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    for arguments in commands:
        if arguments[0] == "run":
            os.write(LEARNED, b".")
        sys.argv = ["rasa", *arguments]
        main()


READY, LEARNED = os.pipe()
if len(BOTS) == 1:
    sys.exit(live(*BOTS[0]))
for number, bot in enumerate(BOTS):
    if number >= AT_ONCE and not os.read(READY, 1):
        break
    if os.fork() == 0:
        live(*bot)
        os._exit(0)
while os.wait()[1] == 0:
    pass
sys.exit(1)
