"""Trains, tests and serves bots by Rasa's own commands: `python rasa_of_bots.py folder=port …`.

One process loads Rasa, which takes most of the time of a command, and forks one for each bot. What
each says goes into `rasa.log` in its folder. It ends with the first bot that fails, or when told.
"""

import os
import sys

import rasa.core.agent
import rasa.core.run
import rasa.model_testing
import rasa.model_training  # noqa: F401 - loaded for the forks
from rasa.__main__ import main

AT_ONCE = 2
"""How many bots learn at the same time; those that have learned only wait for messages."""
BOTS = [each.rsplit("=", 1) for each in sys.argv[1:]]


def rasa_command(*arguments: str) -> None:
    """Run one command in this process; one that fails ends it."""
    sys.argv = ["rasa", *arguments]
    main()


def live(folder: str, port: str) -> None:
    """Do what a builder types, in the bot's folder."""
    os.chdir(folder)
    log = os.open("rasa.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    domain = "domain" if os.path.isdir("domain") else "domain.yml"  # noqa: PTH112
    rasa_command("train", "--domain", domain, "--fixed-model-name", "bot")
    tests = ("test", "core", "--stories", "tests", "--fail-on-prediction-errors", "--no-plot")
    rasa_command(*tests, "--out", "results", "--endpoints", "endpoints.yml")
    os.write(LEARNED, b".")
    rasa_command("run", "--enable-api", "-i", "127.0.0.1", "-p", port)


READY, LEARNED = os.pipe()
for number, (folder, port) in enumerate(BOTS):
    if number >= AT_ONCE and not os.read(READY, 1):
        break
    if os.fork() == 0:
        live(folder, port)
        os._exit(0)
while os.wait()[1] == 0:
    pass
sys.exit(1)
