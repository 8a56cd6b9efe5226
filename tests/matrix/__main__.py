"""Makes the environments of the matrix that do not stand yet, two at a time.

    python -m tests.matrix

One that cannot be made is named, with the reason; its cells are not run. In CI that is a failure.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.matrix.environments import Environment, NotMade, every


def main() -> int:
    """Make them; return the exit code."""
    missing = [environment for environment in every() if not environment.stands]
    if missing:
        say(f"Setting up {len(missing)} environment(s): some minutes and 1 GB, once")
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(made, missing))
    return 0 if all(outcomes) or not os.environ.get("CI") else 1


def made(environment: Environment) -> bool:
    """Make one, and say how that went."""
    try:
        environment.make()
    except NotMade as why:
        say(f"  {environment.name} could not be made: {why}")
        return False
    say(f"  {environment.name} stands")
    return True


def say(line: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
