"""`python -m actions.ps7`: the command `rasa-ps7`, where the package is a bot's own folder."""

import sys

from .cli.command import main

if __name__ == "__main__":
    sys.exit(main())
