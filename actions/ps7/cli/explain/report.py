"""The whole account of a conversation: as plain values for a machine, as lines for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...slot_table import CONTEXT
from ..masking import masked
from ..output import Tone, Toned
from .account import Account

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...dialogue.context_id import Found
    from ...dialogue.runtime import Runtime
    from ..output import Output
    from .moments import Moment

Report = dict[str, Any]

_EVERY_TURN = "as on every turn"
_BY_NAME = "called by its name"
_NO_RUN = "No message, and no action of ours, is in this file: there is nothing to explain."
_KEYS_UNKNOWN = "PS7_SEAL_KEYS is not set here: what the seals say cannot be told."


class Reporter:
    """Puts runs into values. Names each contextId by a number, the same for the same one."""

    def __init__(self, runtime: Runtime, *, keys_known: bool, show: bool) -> None:
        """Take what reads trackers; `show`: leave personal data and contextIds as they are."""
        self._runtime = runtime
        self._keys_known = keys_known
        self._show = show
        self._numbers: dict[str, int] = {}

    def report(self, moments: Sequence[Moment]) -> Report:
        """Report all of them, oldest first."""
        return {"seal_keys_set": self._keys_known, "runs": [*map(self._run, moments)]}

    def _run(self, moment: Moment) -> Report:
        account = Account(moment, self._runtime, self._sealed(moment), self._keys_known)
        row = account.row
        return {
            "message": moment.message,
            "action": moment.action,
            "by_name": moment.by_name,
            "at": moment.at.isoformat(timespec="seconds"),
            **({"text": moment.text} if self._show else {}),
            "context_id": self._context_id(account),
            "found": row.found if row else None,
            "held": row.held if row else None,
            "held_until": account.held_until,
            "then": row.then if row else None,
            "why": account.why,
            "would_set": self._slots(moment, account.changes),
            "was_set": self._slots(moment, moment.came_of_it),
        }

    def _sealed(self, moment: Moment) -> bool:
        slot = self._runtime.names.of(CONTEXT)
        written = [
            event.get("value") for event in moment.tracker.events if event.get("name") == slot
        ]
        return any(value is not None for value in (moment.tracker.slots.get(slot), *written))

    def _context_id(self, account: Account) -> Report | None:
        found, place = account.found, account.place
        if found is None or place is None:
            return None
        number = self._numbers.setdefault(found.fingerprint, len(self._numbers) + 1)
        return {
            "number": number,
            "where": place.where,
            "key": place.key,
            "context_digest": self._digest(found) if self._keys_known else None,
            **({"value": found.context_id or found.value} if self._show else {}),
        }

    def _digest(self, found: Found) -> str:
        return self._runtime.client.digest(found.context_id or found.fingerprint)

    def _slots(self, moment: Moment, values: Mapping[str, Any] | None) -> Report | None:
        """Give the slots of ours, and those that go with a customer, among these."""
        if values is None:
            return None
        ours = self._runtime.ours_among(moment.tracker.slots, moment.domain)
        own = self._runtime.settings.clear_slots
        kept = {name: value for name, value in values.items() if name in ours or name in own}
        if self._show:
            return kept
        return {name: masked(ours.get(name, name), value) for name, value in kept.items()}


def write(out: Output, report: Report) -> None:
    """Write a report for a person."""
    if any(run["found"] is None for run in report["runs"]):
        out.line(Toned(_KEYS_UNKNOWN, Tone.DOUBTFUL))
        out.line()
    for number, run in enumerate(report["runs"]):
        if number:
            out.line()
        _write_run(out, run)
    if not report["runs"]:
        out.line(_NO_RUN)


def _write_run(out: Output, run: Report) -> None:
    how = _BY_NAME if run["by_name"] else _EVERY_TURN
    out.heading(f"Message {run['message']}, {run['at']}: {run['action']}, {how}")
    rows: list[tuple[str, str | Toned]] = []
    if run.get("text") is not None:
        rows.append(("said", run["text"]))
    rows += [
        ("contextId", _context_id_text(run["context_id"])),
        ("found", _or_unknown(run["found"])),
        ("held", _held_text(run)),
        ("then", _or_unknown(run["then"])),
        *(("why", sentence) for sentence in run["why"]),
        (
            "would set",
            _slots_text(run["would_set"], "only PS7's answer tells" if run["then"] else "?"),
        ),
        ("was set", _slots_text(run["was_set"], "the file ends here")),
    ]
    out.table(rows)


def _context_id_text(context_id: Report | None) -> str:
    if context_id is None:
        return "none"
    parts = [f"number {context_id['number']}"]
    if "value" in context_id:
        parts.append(str(context_id["value"]))
    under = "" if context_id["key"] is None else f", under {context_id['key']}"
    parts.append(f"in {context_id['where']}{under}")
    if context_id["context_digest"] is not None:
        parts.append(f"context={context_id['context_digest']} in the log")
    return ", ".join(parts)


def _held_text(run: Report) -> str | Toned:
    if run["held_until"] is None:
        return _or_unknown(run["held"])
    return f"{run['held']}, until {run['held_until']}"


def _or_unknown(word: str | None) -> str | Toned:
    return Toned("?", Tone.DOUBTFUL) if word is None else word


def _slots_text(slots: Report | None, unknown: str) -> str | Toned:
    if slots is None:
        return Toned(unknown, Tone.FAINT)
    if not slots:
        return Toned("nothing", Tone.FAINT)
    return ", ".join(f"{name} {_value(value)}" for name, value in slots.items())


def _value(value: object) -> str:
    return "null" if value is None else str(value)
