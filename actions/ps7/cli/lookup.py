"""`rasa-ps7 lookup`: one real lookup, and what may be shown of a customer without `--show`."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from ..conversation.arrival import well_formed
from ..customer import (
    CONTEXT,
    CUSTOMER_SLOTS,
    SLOTS,
    STATUS,
    SlotNames,
    project,
)
from ..customer import mask_cpf as mask
from ..lookup.client import PS7Client
from ..lookup.wire import CODES, UNUSED, UPSTREAM_ACCOUNT
from ..outcomes import Outcome
from ..settings import PS7Settings
from . import shape
from .arguments import HelpText, OnStdin, add_command, add_json, context_id
from .output import Output, Tone, Toned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..customer import CustomerContext
    from ..lookup.client import Lookup
    from ..telemetry import LookupReport

_EXIT_CODES = {
    Outcome.OK: 0,
    Outcome.INVALID: 10,
    Outcome.REJECTED: 11,
    Outcome.DENIED: 12,
    Outcome.UNAVAILABLE: 13,
}
_PAYLOAD = "ps7_payload"
_PERSONAL = {slot.wire for slot in SLOTS if slot.personal}
_OPEN = {slot.wire for slot in SLOTS if slot.wire} - _PERSONAL
_DOCUMENTED = _PERSONAL | _OPEN | UNUSED | {UPSTREAM_ACCOUNT}
_LEGIBLE = 2
_ENOUGH = 6
"""Characters from which on the last ones may be read: less is too easily guessed."""

_HELP = HelpText(
    about="look one customer up, as the action server would",
    details="""\
Ask PS7 who CONTEXT_ID belongs to, once, with this process's PS7_* settings: environment, .env,
secret files. Personal data is masked unless --show is given.

--shape prints nothing of the customer: which fields the answer has, their types, digits as 9 and
letters as a, and what differs from PS7's document. It can be sent to the plugin's maintainers.

The exit code is the outcome: 0 ok, 10 invalid, 11 rejected, 12 denied, 13 unavailable.
1: the settings are not usable.
""",
    examples={
        "lookup -": "who that is, with personal data masked; the contextId comes from stdin",
        "lookup 123123213 --show": "the same, readable: mind who looks over your shoulder",
        "lookup - --shape": "the shape of the answer, on the first day with a real PS7",
        "lookup 123123213 --json --correlation-id deploy-42": "for a script, and to be found in "
        "PS7's audit trail",
    },
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "lookup", run, _HELP)
    add, shown = parser.add_argument, parser.add_mutually_exclusive_group().add_argument
    add(
        "context_id",
        metavar="CONTEXT_ID",
        type=OnStdin.or_given(context_id),
        help="as the metadata of a message has it; - reads it from stdin",
    )
    add("--encoded", type=int, choices=(0, 1), help="in the body, instead of PS7_ENCODED")
    add("--correlation-id", type=_call_id, metavar="ID", help="groups calls in PS7's audit trail")
    add("--flow-id", type=_call_id, metavar="ID", help="names this lookup there (default: made)")
    shown("--show", action="store_true", help="do not mask personal data")
    shown("--shape", action="store_true", help="the shape of the answer, and no value of it")
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Look up, and print how it went."""
    settings = PS7Settings.load()
    out = Output()
    with out.progress(f"Asking PS7 at {settings.base_url}"):
        named = {name: getattr(options, name) for name in ("encoded", "correlation_id", "flow_id")}
        lookup = look_up(settings, options.context_id, **named)
    report = lookup.report
    if options.shape:
        from .command import VERSION  # which imports this module

        shown = shape.described(lookup, settings)
        if options.json:
            out.json(shown)
        else:
            shape.write(out, shown, VERSION)
        return _EXIT_CODES[report.outcome]
    said = _said(report, lookup.customer, settings, show=options.show)
    if options.json:
        out.json(said)
    else:
        _write(out, said, SlotNames(settings.slot_names))
    return _EXIT_CODES[report.outcome]


def look_up(settings: PS7Settings, context_id: str, **more: Any) -> Lookup:
    """Make one lookup, and no probe after it."""

    async def once() -> Lookup:
        async with PS7Client(settings, probes=False) as ps7:
            return await ps7.ask(context_id, **more)

    return asyncio.run(once())


def _said(
    report: LookupReport, customer: CustomerContext | None, settings: PS7Settings, *, show: bool
) -> dict[str, Any]:
    slots = project({name: name for name in CUSTOMER_SLOTS}, customer)
    if not show:
        slots = {name: masked(name, value) for name, value in slots.items()}
    lasting = "seal_keys" in settings.model_fields_set
    return {
        "outcome": report.outcome.value,
        "reason": report.reason.value,
        "status": report.status,
        "attempts": report.attempts,
        "milliseconds": round(report.seconds * 1000),
        # Without a given key, a process digests as no other does.
        "context_digest": report.context_digest if lasting else None,
        "expires_at": slots["ps7_expires_at"],
        "undocumented": list(report.undocumented),
        "slots": slots,
    }


def _write(out: Output, said: dict[str, Any], names: SlotNames) -> None:
    good = said["outcome"] == Outcome.OK.value
    rows: list[tuple[str, str | Toned]] = [
        ("outcome", Toned(said["outcome"], Tone.GOOD if good else Tone.BAD)),
        ("reason", said["reason"]),
        ("status", _text(said["status"])),
        ("attempts", _text(said["attempts"])),
        ("took", f"{said['milliseconds']} ms"),
        ("holds until", _text(said["expires_at"])),
    ]
    if said["context_digest"] is not None:
        rows.append(("in the log", f"context={said['context_digest']}"))
    if said["undocumented"]:
        fields = f"the value of {', '.join(said['undocumented'])}"
        rows.append(("undocumented", Toned(fields, Tone.DOUBTFUL)))
    out.table(rows, indent=0)
    if good:
        payload = said["slots"].pop(_PAYLOAD)
        out.line()
        out.heading("Slots")
        out.table((names.of(slot), _text(value)) for slot, value in said["slots"].items())
        out.line()
        out.heading("As PS7 sent it")
        out.table((field, _text(value)) for field, value in _fields(payload))


def _fields(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict | list):
        yield path, value
        return
    for name, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _fields(part, f"{path}.{name}" if path else str(name))


def _call_id(text: str) -> str:
    if well_formed(text) is None:
        raise argparse.ArgumentTypeError("1 to 128 of A-Z a-z 0-9 . _ -, and no CPF")
    return text


def _text(value: object) -> str | Toned:
    return Toned("-", Tone.FAINT) if value is None else str(value)


def masked(name: str, value: object) -> Any:
    """Return what a slot, by its default name, may be shown as; null stays null."""
    slot = CUSTOMER_SLOTS.get(name)
    if value is None or name == STATUS or (slot is not None and not slot.personal):
        return value
    if name == CONTEXT:
        return "(sealed)"
    if name == "ps7_payload":
        return _masked_field("", value)
    text = str(value)
    if name == "cpf":
        return mask(text) or stars(text)
    # What is beside the payload is short, or a contextId can be read from it.
    beside = slot is not None and slot.wire is None
    return "*" * len(text) if beside else stars(text)


def _masked_field(name: str, value: object) -> Any:
    """Return what a field of the payload may be shown as, and what is in it.

    A name that the interface does not document may be data itself: only its place is shown.
    """
    if isinstance(value, dict):
        return {
            key if key in _DOCUMENTED else f"({place})": _masked_field(key, inner)
            for place, (key, inner) in enumerate(value.items(), 1)
        }
    if isinstance(value, list):
        return [_masked_field(name, inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    open_ = name in _OPEN and (name not in CODES or text.strip().lower() in CODES[name])
    return text if open_ else stars(text)


def stars(text: str) -> str:
    """Mask a text but for its last two characters, if it is long enough for it."""
    legible = text[-_LEGIBLE:] if len(text) >= _ENOUGH else ""
    return "*" * (len(text) - len(legible)) + legible
