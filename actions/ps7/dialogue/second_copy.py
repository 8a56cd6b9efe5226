"""Stops an action server that loads the plugin twice. Knows classes by their names, and no SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def refuse(ours: type, *, among: Iterable[type]) -> None:
    """Stop where a folder and the wheel are loaded, or one of them under two names.

    They would take the same names of actions from each other, and where each made a seal key of
    its own, neither could open what the other one sealed. A module that was reloaded is no copy.

    Raises:
        SystemExit: another package has the same class in the same place; the text names both.

    """
    package = ours.__module__.partition(".dialogue.")[0]
    ending = ours.__module__.removeprefix(package)
    packages = {
        each.__module__.removesuffix(ending)
        for each in among
        if each.__name__ == ours.__name__ and each.__module__.endswith(ending)
    }
    if len(packages) > 1:
        raise SystemExit(
            f"rasa-ps7 is loaded twice, as {' and as '.join(sorted(packages))}: keep one of them. "
            "Delete the folder that was copied, or uninstall the package; and import it by one "
            "name everywhere."
        )
