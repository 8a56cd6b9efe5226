"""`rasa-ps7 explain`: what the plugin did in a saved conversation, run by run, and why.

The plugin's own rules decide about each run that `saved_tracker` finds.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from ..conversation.arrival import describe_metadata, look_in
from ..conversation.decision import Question, Rule, correlation_id, forget, look_up, verify
from ..conversation.history import NewSession
from ..conversation.state import Bot, State
from ..customer import CONTEXT, FORGET_ACTION, SESSION_ACTION, VERIFY_ACTION
from ..outcomes import ARRIVAL_REFUSED
from .arguments import add_command, add_json
from .masking import masked
from .output import Output
from .saved_tracker import read, runs
from .texts import parts
from .variables import load

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from ..conversation.arrival import Arrival
    from ..conversation.decision import Decision
    from ..conversation.history import TrackerLike
    from ..settings import PS7Settings
    from .saved_tracker import Ran

    Report = dict[str, Any]

_NO_KEYS, _FOREIGN = (parts("rules.txt")[name].strip() for name in ("no-keys", "foreign"))
MEANINGS = {rule: parts("rules.txt")[rule.value].strip() for rule in Rule}
"""Why a rule applies and what it does, in a sentence."""
_DECIDE: dict[str, Callable[[State], Decision | Question]] = {
    VERIFY_ACTION: verify,
    FORGET_ACTION: forget,
}
_IN_THE_HEADING = ("message", "action", "by_name", "at")


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options; none where testing/ is not there to replay Rasa."""
    if find_spec("..testing", __package__) is None:
        return
    add = add_command(commands, "explain", run).add_argument
    add("file", metavar="TRACKER.json", help="the conversation; - reads it from stdin")
    add("--show", action="store_true", help="mask nothing but seals")
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Explain a conversation."""
    reporter, out = Reporter(load(), show=options.show), Output()
    ran = runs(read(options.file), reporter.bot.names.context)
    reports = [reporter.report(each) for each in ran]
    if options.json:
        out.json({"seal_keys_set": reporter.keys_known, "runs": reports})
    elif not reports:
        out.line("No message and no action of the plugin is here: there is nothing to explain.")
    for number, report in enumerate(() if options.json else reports):
        if number:
            out.line()
        starts = report["action"] == SESSION_ACTION
        called = "as a session starts" if starts else "called by its name"
        how = called if report["by_name"] else "as on every turn"
        out.heading(f"Message {report['message']}, {report['at']}: {report['action']}, {how}")
        below = ((name, value) for name, value in report.items() if name not in _IN_THE_HEADING)
        out.table((name.replace("_", " "), _text(each)) for name, each in below if each is not None)
    return 0


def _text(value: object) -> str:
    if not isinstance(value, dict):
        return "null" if value is None else str(value)
    return ", ".join(f"{name} {_text(part)}" for name, part in value.items()) or "nothing"


class Reporter:
    """Explains runs. Names each contextId by a number, the same for the same one."""

    def __init__(self, settings: PS7Settings, *, show: bool) -> None:
        self.bot = Bot(settings)
        self.keys_known = "seal_keys" in settings.model_fields_set
        self._show = show
        self._numbers: dict[str, int] = {}
        self._arrived: set[str] = set()

    def report(self, ran: Ran) -> Report:
        """Explain one run. None: there is none, or it cannot be told."""
        saved = ran.tracker
        tracker: TrackerLike = saved
        if ran.opens is not None:  # Rasa carries slots over, unless the domain forbids it
            tracker = NewSession(saved, saved.domain or {"slots": {}}, ran.opens)
        slots = self.bot.slots_of(tracker, saved.domain)
        state = State(tracker, slots, self.bot, ran.at)
        arrival, newest = state.arrival(), state.history.newest_metadata
        decision = _DECIDE.get(ran.action, look_up)(state)
        then = None if isinstance(decision, Question) else self._slots(decision.slots, state)
        report = {
            "message": len(ran.said),
            "action": ran.action,
            "by_name": ran.by_name,
            "at": ran.at.isoformat(timespec="seconds"),
            **({"said": ran.said[-1] if ran.said else None} if self._show else {}),
            "context_id": self._context_id(arrival, state),
            "correlation": correlation_id(state, arrival) if self.keys_known else None,
            "metadata": None if arrival else describe_metadata(newest, self.bot.paths),
            **_decided(state, arrival, decision),
            "would_set": then,
            "was_set": self._slots(ran.was_set, state),
        }
        if self.keys_known or not (state.is_foreign or state.history.sealed_at):
            return report
        unknown = dict.fromkeys(("found", "held", "held_until", "rule", "would_set"))
        return report | unknown | {"why": _NO_KEYS}

    def _context_id(self, found: Arrival | None, state: State) -> Report | None:
        if found is None:
            return None
        self._arrived.add(found.context_id or str(found.value))
        digest = self.bot.digest(found.context_id or found.fingerprint)
        return {
            "number": self._numbers.setdefault(found.fingerprint, len(self._numbers) + 1),
            **({"value": found.context_id or found.value} if self._show else {}),
            "found": self._where(found, state),
            **({"context_digest": digest} if self.keys_known else {}),
        }

    def _where(self, found: Arrival, state: State) -> str:
        """Return which message brought it, and under which of `PS7_METADATA_KEYS`."""
        for count, message in enumerate(reversed(state.history.messages)):
            for key in self.bot.settings.metadata_keys:
                hit = look_in(message.metadata, [key.split(".")])
                if hit is not None and hit.value == found.value:
                    which = f"the message {count} turns before" if count else "this message"
                    return f"under {key} in the metadata of {which}"
        return "in the newest seal of this session"

    def _slots(self, values: dict[str, Any], state: State) -> Report:
        own = dict.fromkeys(self.bot.settings.clear_slots, "")  # masked, whatever their names
        ours = own | state.slots.plugin
        return {
            name: value
            if self._show and ours[name] != CONTEXT
            else masked(ours[name], value, self._arrived)
            for name, value in values.items()
            if name in ours
        }


def _decided(state: State, arrival: Arrival | None, decision: Decision | Question) -> Report:
    rule = Rule.LOOK_UP if isinstance(decision, Question) else decision.rule
    seal = None if arrival is None else state.seal_about(arrival)
    held = state.slot_seal if seal is None and state.slot_seal in state.session_seals else seal
    why = f"{_FOREIGN} {MEANINGS[rule]}" if state.is_foreign else MEANINGS[rule]
    if arrival is not None and arrival.refused is not None:
        why = f"The arrival was refused: {ARRIVAL_REFUSED[arrival.refused]}. {why}"
    is_what_is_held = "new" if held is None else "another" if seal is None else "same"
    customer = None if held is None else state.open(held).customer
    return {
        "found": "none" if arrival is None else is_what_is_held,
        "held": "none" if held is None else held.outcome.value,
        "held_until": customer and customer.expires_at.isoformat(timespec="seconds"),
        "rule": rule.value,
        "why": why,
    }
