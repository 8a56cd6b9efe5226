"""Which processes have which cores, and what they used of them. Linux only.

What is measured has the first core for itself, and whatever is around it the others.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection

CORES = sorted(os.sched_getaffinity(0))
FIRST, OTHERS = CORES[:1], CORES[1:] or CORES


def keep_on(cores: Collection[int], pid: int) -> None:
    """Let a process, and those that it has started, run on these cores only."""
    for process in _family(pid):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, cores)


def seconds(pid: int) -> float:
    """Return the processor time of a process, and of those that it has started."""
    return float(sum(sum(process.cpu_times()[:2]) for process in _family(pid)))


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
