"""What survivors.md holds: mutants that no test can notice, and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("survivors.md")
MODULES = {
    "context": "actions/ps7/context.py",
    "cpf": "actions/ps7/cpf.py",
    "wire": "actions/ps7/api/wire.py",
    "arrival": "actions/ps7/dialogue/arrival.py",
    "context_id": "actions/ps7/dialogue/context_id.py",
    "history": "actions/ps7/dialogue/history.py",
    "rules": "actions/ps7/dialogue/rules.py",
    "seal": "actions/ps7/dialogue/seal.py",
    "situation": "actions/ps7/dialogue/situation.py",
    "slots": "actions/ps7/slots.py",
}
"""The modules that mutation testing changes."""

_ENTRY = re.compile(r"^### `(.+?)`\n+```diff\n(.*?)^```\n+^(?=\w)", re.DOTALL | re.MULTILINE)


class Mutant(NamedTuple):
    """One change to one function. It is known by its text: line numbers move."""

    module: str
    function: str
    removed: tuple[str, ...]
    """Lines that the change takes away, without their indentation."""
    added: tuple[str, ...]

    @classmethod
    def read(cls, name: str, diff: str) -> Mutant:
        """Read a mutant: module and function, and the lines of a diff that begin with - or +."""
        module, _, function = name.partition(".")
        changed = [(line[:1], line[1:].strip()) for line in diff.splitlines()]
        removed, added = (tuple(text for mark, text in changed if mark == sign) for sign in "-+")
        return cls(module, function, removed, added)

    def __str__(self) -> str:
        """Write it as it stands in the file."""
        changes = [f"-{line}" for line in self.removed] + [f"+{line}" for line in self.added]
        return "\n".join([f"### `{self.module}.{self.function}`", "```diff", *changes, "```"])


def explained() -> set[Mutant]:
    """Read the file. An entry is a heading, a diff, and a reason.

    Raises:
        ValueError: one of the three is missing somewhere.

    """
    text = FILE.read_text("utf-8")
    found = _ENTRY.findall(text)
    if len(found) != text.count("\n### "):
        raise ValueError(f"{FILE.name}: a heading without a diff, or a diff without a reason")
    return {Mutant.read(name, diff) for name, diff in found}
