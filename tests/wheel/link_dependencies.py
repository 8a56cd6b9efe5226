"""Puts what a package says that it needs into another environment, from this one, as links.

    python link_dependencies.py SITE_PACKAGES REQUIREMENT ...

As `pip install` would, without a network: the requirements, what they require, and nothing else. A
requirement that is missing here is an error; whether the versions agree is for pip to check.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def closure(requirements: list[str]) -> set[str]:
    """Return the names of all distributions that these lead to on this interpreter."""
    reached: set[str] = set()
    queue = [(Requirement(text), "") for text in requirements]
    while queue:
        requirement, extra = queue.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for wanted in ("", *requirement.extras):
            if (key := f"{name}[{wanted}]") not in reached:
                reached.add(key)
                needed = distribution(name).requires or []
                queue += [(Requirement(text), wanted) for text in needed]
    return {key.partition("[")[0] for key in reached}


def link(name: str, site_packages: Path) -> None:
    """Link every file of a distribution that lies in site-packages: scripts do not."""
    for file in distribution(name).files or ():
        if file.parts[0] != ".." and (source := Path(str(file.locate()))).exists():
            target = site_packages / file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)


if __name__ == "__main__":
    for each in sorted(closure(sys.argv[2:])):
        link(each, Path(sys.argv[1]))
