"""Runs one of Rasa's own commands: `python rasa_command.py …` is `rasa …`, and is ready sooner.

A model needs skops, which looks through every module that is loaded: eight seconds for it after
TensorFlow, and one before.
"""

import sys

import skops.io  # noqa: F401 - before Rasa
from rasa.__main__ import main

if __name__ == "__main__":
    sys.argv[0] = "rasa"
    main()
