"""`rasa-ps7 lookup`: one real lookup, and the answer of PS7 with a customer's data masked."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..conversation.arrival import well_formed
from ..customer import CUSTOMER_SLOTS, SlotNames, project
from ..outcomes import Outcome
from .arguments import OnStdin, add_agreement, add_command, add_json, context_id
from .masking import masked, masked_field, without
from .one_lookup import look_up
from .output import Output, Tone, Toned
from .variables import load_to_ask, own_secrets
from .version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..settings import PS7Settings
    from .one_lookup import Asked

_EXIT_CODES = {
    Outcome.OK: 0,
    Outcome.INVALID: 10,
    Outcome.REJECTED: 11,
    Outcome.DENIED: 12,
    Outcome.UNAVAILABLE: 13,
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "lookup", run).add_argument
    held = "as the metadata of a message has it; - reads it from stdin"
    add("context_id", metavar="CONTEXT_ID", type=OnStdin.or_given(context_id), help=held)
    add("--encoded", type=int, choices=(0, 1), help="in the body, instead of PS7_ENCODED")
    add("--correlation-id", type=_call_id, metavar="ID", help="groups calls in PS7's audit trail")
    add("--flow-id", type=_call_id, metavar="ID", help="names this lookup there (default: made)")
    add("--show", action="store_true", help="do not mask personal data")
    add_agreement(add)
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Look up, and print how it went."""
    settings = load_to_ask(agreed=options.yes)
    out = Output()
    with out.progress(f"Asking PS7 at {settings.base_url}"):
        named = {name: getattr(options, name) for name in ("encoded", "correlation_id", "flow_id")}
        asked = look_up(settings, options.context_id, **named)
    said = _said(asked, settings, show=options.show)
    if options.json:
        out.json(said)
    else:
        _write(out, said, SlotNames(settings.slot_names))
    return _EXIT_CODES[asked.report.outcome]


def _said(asked: Asked, settings: PS7Settings, *, show: bool) -> dict[str, Any]:
    slots = project({name: name for name in CUSTOMER_SLOTS}, asked.customer)
    content = without(asked.content, own_secrets(settings))
    if not show:
        slots = {name: masked(name, value) for name, value in slots.items()}
        content = masked_field(content)
    report, lasting = asked.report, "seal_keys" in settings.model_fields_set
    return {
        "version": VERSION,
        "outcome": report.outcome.value,
        "reason": report.reason.value,
        "status": report.status,
        "attempts": report.attempts,
        "milliseconds": round(report.seconds * 1000),
        # Without a given key, a process digests as no other does.
        "context_digest": report.context_digest if lasting else None,
        "expires_at": slots["ps7_expires_at"],
        "undocumented": list(report.undocumented),
        "bytes": None if asked.answer is None else len(asked.answer.body),
        "slots": slots,
        "answer": content,
    }


def _write(out: Output, said: dict[str, Any], names: SlotNames) -> None:
    good = said["outcome"] == Outcome.OK.value
    answer = said["answer"]
    size = "none, or not whole" if said["bytes"] is None else f"{said['bytes']} bytes"
    rows: list[tuple[str, str | Toned]] = [
        ("outcome", Toned(said["outcome"], Tone.GOOD if good else Tone.BAD)),
        ("reason", said["reason"]),
        ("status", _text(said["status"])),
        ("attempts", _text(said["attempts"])),
        ("took", f"{said['milliseconds']} ms"),
        ("valid until", _text(said["expires_at"])),
        ("answer", f"{'no JSON, ' if answer is None and said['bytes'] else ''}{size}"),
    ]
    if said["context_digest"] is not None:
        rows.append(("in the log", f"context={said['context_digest']}"))
    if said["undocumented"]:
        fields = f"the value of {', '.join(said['undocumented'])}"
        rows.append(("undocumented", Toned(fields, Tone.DOUBTFUL)))
    out.table(rows, indent=0)
    if good:
        out.line()
        out.heading("Slots")
        shown = {name: value for name, value in said["slots"].items() if name != "ps7_payload"}
        out.table((names.of(slot), _text(value)) for slot, value in shown.items())
    if answer is not None:
        out.line()
        out.heading(f"As PS7 sent it (rasa-ps7 {VERSION})")
        out.table((field, _text(value)) for field, value in _fields(answer))


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
