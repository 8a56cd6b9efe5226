"""`rasa-ps7 domain`: the domain fragment that a bot merges, for Rasa Open Source or CALM.

The one source: the `domain.yml` of the project and of its CALM example are what this module writes.
The words are in `fragments.txt`, the slots in `SLOTS`.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..customer import (
    CONTEXT,
    CONTEXT_ACTION,
    CUSTOMER_SLOTS,
    SLOTS,
    STATUS,
    is_personal,
    is_wire_name,
)
from ..outcomes import Outcome
from . import texts
from .arguments import add_command
from .output import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_DECLARED = tuple(slot.name for slot in SLOTS if slot.declared)
_KNOWN = tuple(slot.name for slot in SLOTS if slot.declared and slot.values)
_EXPIRY = ("ps7_expires_at",)
_CUSTOMER = tuple(name for name in _DECLARED if name not in (*_KNOWN, *_EXPIRY))
_REST = tuple(slot.name for slot in SLOTS if not slot.declared)
_AT_SESSION_START = ("segment",)
"""What a bot greets by. Its actions read the customer from the seal."""
_FIELD = "u_display"
"""An example of a field that may be declared under its own name."""
PORTUGUESE = texts.pairs("fragments.txt", "portuguese")
"""Names that begin with ps7_ or u_ are the plugin's and the interface's, and stay."""


@dataclass(frozen=True)
class Flavour:
    """What one kind of Rasa wants."""

    name: str
    slots: tuple[str, ...]
    mapping: str
    every_turn: str
    """The key of that mapping which names the action of every turn; blank: none runs by itself."""
    more: tuple[str, ...] = ()


OSS = Flavour("oss", _DECLARED, "custom", "action")
CALM = Flavour(
    "calm",
    ("cpf_masked", "segment", *_KNOWN),
    "controlled",
    "run_action_every_turn",
    ("shared_for_coexistence: true",),
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "domain", run, slots=", ".join(CUSTOMER_SLOTS))
    kind = parser.add_mutually_exclusive_group(required=True).add_argument
    kind("--oss", dest="flavour", action="store_const", const=OSS, help="for Rasa Open Source")
    kind("--calm", dest="flavour", action="store_const", const=CALM, help="for Rasa Pro with CALM")
    add_choices(parser.add_argument)


def add_choices(add: Callable[..., argparse.Action]) -> None:
    """Declare what can be chosen of a fragment."""
    add("--at-session-start", action="store_true", help="look up there, and not on every turn")
    add("--slots", type=_slots, metavar="A,B", help="which slots of the customer")
    add("--pt", action="store_true", help="Portuguese names for the slots")


def run(options: argparse.Namespace) -> int:
    """Print the fragment; if prompts can then show a customer, warn beside it."""
    out = Output()
    names, at_start = PORTUGUESE if options.pt else {}, options.at_session_start
    out.raw(fragment(options.flavour, options.slots, at_session_start=at_start, names=names))
    told = sorted({name for name in options.slots or () if is_personal(name)})
    if options.flavour is CALM and told:
        instead = "an action can read the customer from verified_context(tracker) instead"
        out.note(f"note: {', '.join(told)} can be in prompts now; {instead}")
    return 0


def _slots(text: str) -> list[str]:
    """Read the names of slots; ArgumentTypeError, which argparse reports, for a wrong one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if not (name in CUSTOMER_SLOTS or is_wire_name(name))]
    if unknown:
        raise argparse.ArgumentTypeError(f"no slot of the customer: {', '.join(unknown)}")
    return names


def fragment(
    flavour: Flavour,
    chosen: Sequence[str] | None = None,
    *,
    at_session_start: bool = False,
    names: Mapping[str, str] = {},
) -> str:
    """Write the fragment with these slots, beside the two that every bot needs.

    None chooses what the flavour has by default, and lets one for Open Source show the rest in
    comments. `names`: what a bot calls the plugin's slots.
    """
    kind, script = flavour.name, "rule" if flavour is OSS else "flow"
    rest = chosen is None and flavour is OSS
    parts, recipe = texts.parts("fragments.txt"), kind
    if at_session_start:
        few = _AT_SESSION_START if flavour is OSS else flavour.slots
        flavour, recipe = replace(flavour, slots=few, every_turn=""), "start"
    slots = flavour.slots if chosen is None else tuple(dict.fromkeys(chosen))
    prompts = "calm-open" if any(map(is_personal, slots)) else "calm-guarded"
    used = {STATUS, CONTEXT, *slots, *(CUSTOMER_SLOTS if rest else ())}
    renames = {name: new for name, new in names.items() if name in used}
    text = "".join(
        [
            parts[f"{kind}-head"],
            parts[prompts] + parts["calm-tail"] if kind == "calm" else "",
            parts["start-head"] if at_session_start else "",
            parts["names"].replace("{names}", json.dumps(renames)) if renames else "",
            'version: "3.1"\n\n',
            parts[f"{recipe}-actions"],
            "\nslots:\n",
            parts["status"],
            parts[f"{recipe}-status"],
            "\n".join(_blocks(flavour, slots, parts, rest=rest)),
            "\n",
            parts["responses"],
        ]
    ).replace("{script}", script)
    # A declaration names a slot, commented out or not, and so does a comment.
    named = re.compile(r"(?:^  (?:# )?|`)(\w+)(?=[:`])", re.MULTILINE)
    return named.sub(lambda at: at[0].replace(at[1], renames.get(at[1], at[1])), text)


def _blocks(
    flavour: Flavour, slots: Sequence[str], parts: Mapping[str, str], *, rest: bool
) -> Iterator[str]:
    yield _slot(flavour, STATUS)
    yield parts["context"] + _slot(flavour, CONTEXT)
    fields = tuple(name for name in slots if is_wire_name(name))
    for about, group in (
        ("customer", _CUSTOMER),
        ("known", _KNOWN),
        ("expiry", _EXPIRY),
        ("rest", _REST),
        ("fields", fields),
    ):
        declared = [_slot(flavour, name) for name in group if name in slots]
        if declared:
            yield parts[about] + "".join(declared)
    if rest:
        others = [name for name in CUSTOMER_SLOTS if name not in slots]
        groups = ("".join(_slot(flavour, name) for name in group) for group in (others, [_FIELD]))
        names, field = (re.sub("^  ", "  # ", text, flags=re.MULTILINE) for text in groups)
        yield f"{parts['rest']}  #\n{names}  #\n{parts['fields']}  #\n{field}"


def _slot(flavour: Flavour, name: str) -> str:
    """Declare one slot by its default name."""
    notes = texts.pairs("fragments.txt", "notes")
    note = f" # {notes[name]}" if name in notes else ""
    slot = CUSTOMER_SLOTS.get(name)
    values = Outcome if name == STATUS else slot and slot.values
    kind, runs = "any" if name == "ps7_payload" else "text", name == STATUS and flavour.every_turn
    if values is not None:
        kind = f"categorical\n    values: [{', '.join(value.value for value in values)}]"
    lines = [
        f"  {name}:{note}",
        f"type: {kind}",
        "influence_conversation: false",
        *flavour.more,
        "mappings:",
        f"  - type: {flavour.mapping}",
        *([f"    {flavour.every_turn}: {CONTEXT_ACTION}"] if runs else []),
    ]
    return "\n    ".join(lines) + "\n"
