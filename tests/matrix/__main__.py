"""Makes the environments of the matrix that do not stand yet, two at a time.

    python -m tests.matrix

One that cannot be made is named, with the reason; its cells are not run. In CI that is a failure.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.matrix import environments
from tests.matrix.environments import Environment, NotMade, every


def main() -> int:
    """Make them; return the exit code."""
    missing = [environment for environment in every() if not environment.stands]
    if not missing:
        return 0
    where = environments.HOME.name
    _say(f"Setting up {len(missing)} environment(s) in {where}: some minutes and 1 GB, once")
    failures = 0
    with ThreadPoolExecutor(2) as pool:
        running = {pool.submit(environment.make): environment for environment in missing}
        for number, done in enumerate(as_completed(running), 1):
            error = done.exception()
            if isinstance(error, NotMade):
                failures += 1
            elif error is not None:
                raise error
            _say(f"  {number} of {len(missing)}  {_outcome(running[done], error)}")
    return 1 if failures and os.environ.get("CI") else 0


def _outcome(environment: Environment, error: BaseException | None) -> str:
    if error is None:
        return f"{environment.name} stands"
    return f"{environment.name} could not be made: {error}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
