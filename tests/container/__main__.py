"""`make images` and `make compose`, or both with the same images."""

from __future__ import annotations

import sys
import time

from tests.container import try_compose, try_images
from tests.container.engine import PYTHON, opened, part

TRIED = {"images": try_images, "compose": try_compose}


def main(names: list[str]) -> None:
    """Build the action server's images, and try them in each way that is named."""
    began = time.monotonic()
    programs = {program: None for name in names for program in TRIED[name].PROGRAMS}
    with opened(*programs) as engine:
        engine.action_images()
        part(f"the action server and the doctor, built on {PYTHON} of Debian's packages", began)
        for name in names:
            TRIED[name].run(engine, began)
            sys.stdout.write(f"{name}: passed\n")


if __name__ == "__main__":
    main(sys.argv[1:])
