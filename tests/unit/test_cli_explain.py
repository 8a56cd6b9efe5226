"""The rooms of `rasa-ps7 explain`: words for a decision, the runs in a recording, and files."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from actions.ps7 import CustomerContext, Outcome
from actions.ps7.cli.command import main
from actions.ps7.cli.explain import words
from actions.ps7.cli.explain.moments import FORGET, LOOK_UP, VERIFY, Moment, moments
from actions.ps7.cli.explain.place import place_of
from actions.ps7.cli.explain.recording import Recording
from actions.ps7.dialogue.context_id import Found
from actions.ps7.dialogue.resolver import (
    Clear,
    Forget,
    LookUp,
    Present,
    Project,
    Refuse,
    decide,
    verify,
)
from actions.ps7.dialogue.seal import Sealed
from actions.ps7.slot_names import SlotNames
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
SAME, OTHER = Found("C1", "f1"), Found("C2", "f2")
UNUSABLE = Found(None, "f3")


def held(outcome: str, *, until: datetime = NOW + MINUTE, ago: timedelta = MINUTE) -> Sealed:
    customer = CustomerContext(expires_at=until) if outcome == "ok" else None
    return Sealed(
        outcome=Outcome(outcome), fingerprint="f1", sealed_at=NOW - ago, customer=customer
    )


GOOD, TOO_OLD = held("ok"), held("ok", until=NOW)
RECENTLY = timedelta(seconds=29)
BACK, ABOUT_ANOTHER = "something brought that back.", "about another contextId."
ALL_THE_SAME = "The status claimed a customer all the same."
NOT_KNOWN = "PS7 did not know this contextId "

# found, held, whether the slots claim a customer; the row, and why: one by one as they stand in
# the table of `resolver.decide`.
LOOK_UPS: list[tuple[Found | None, Sealed | None, bool, words.Row, str]] = [
    (
        *(None, GOOD, False, words.Row("none", "ok, good", "project, no call")),
        "No contextId came, and what PS7 said still holds.",
    ),
    (
        *(None, TOO_OLD, False, words.Row("none", "ok, too old", "clear, expired")),
        "What PS7 said no longer holds, and no contextId is at hand to ask about.",
    ),
    (
        *(None, held("denied"), False, words.Row("none", "denied", "missing, no call")),
        "No contextId came, and what is held names no customer.",
    ),
    (
        *(None, held("missing"), False, words.Row("none", "forgotten", "missing, no call")),
        "No contextId came, and what is held names no customer.",
    ),
    (
        *(None, held("invalid"), True),
        words.Row("none", "invalid", "missing, no call, customer nulled"),
        f"No contextId came, and what is held names no customer. {ALL_THE_SAME}",
    ),
    (
        *(None, None, True, words.Row("none", "none", "clear, tampered")),
        "The slots speak of a customer, and no seal for this conversation stands behind them.",
    ),
    (
        *(None, None, False, words.Row("none", "none", "missing, no call")),
        "No contextId came, and nothing is held.",
    ),
    (
        *(SAME, GOOD, False, words.Row("same", "ok, good", "project, no call")),
        "PS7 was asked about this contextId before, and what it said still holds.",
    ),
    (
        *(SAME, TOO_OLD, False, words.Row("same", "ok, too old", "look up")),
        "What PS7 said no longer holds: it is asked again.",
    ),
    (
        *(SAME, held("invalid"), False, words.Row("same", "invalid", "invalid, no call")),
        "Another call about the same contextId could not change this.",
    ),
    (
        *(SAME, held("missing"), False, words.Row("same", "forgotten", "missing, no call")),
        "This contextId was forgotten before: it is not looked up again here.",
    ),
    (
        *(SAME, held("rejected", ago=RECENTLY), False),
        words.Row("same", "rejected", "rejected, no call"),
        f"{NOT_KNOWN}less than 30 s ago.",
    ),
    (
        *(SAME, held("rejected"), False, words.Row("same", "rejected", "look up")),
        f"{NOT_KNOWN}30 s ago or earlier: it is asked again.",
    ),
    (
        *(SAME, held("denied"), False, words.Row("same", "denied", "look up")),
        "The last lookup ended denied: every turn tries again.",
    ),
    (
        *(SAME, held("unavailable"), False, words.Row("same", "unavailable", "look up")),
        "The last lookup ended unavailable: every turn tries again.",
    ),
    (
        *(OTHER, GOOD, False, words.Row("another", "ok, good", "look up")),
        "Another contextId came than the one that is held: PS7 has to be asked.",
    ),
    (
        *(OTHER, None, False, words.Row("new", "none", "look up")),
        "A contextId came, and nothing is held: PS7 has to be asked.",
    ),
    (
        *(UNUSABLE, GOOD, False, words.Row("another", "ok, good", "invalid, no call")),
        "Nobody can be asked about what came: it is no contextId, or was not let in.",
    ),
    (
        *(OTHER, held("missing").model_copy(update={"forgotten": ("f2",)})),
        *(False, words.Row("another", "forgotten", "missing, no call")),
        "This contextId was forgotten before: it is not looked up again here.",
    ),
]
VERIFIES: list[tuple[Found | None, Sealed | None, bool, words.Row, str]] = [
    (
        *(SAME, GOOD, False, words.Row("same", "ok, good", "project, no call")),
        "PS7 was asked about this contextId before, and what it said still holds.",
    ),
    (
        *(None, TOO_OLD, False, words.Row("none", "ok, too old", "clear, expired")),
        "What PS7 said no longer holds, and no contextId is at hand to ask about.",
    ),
    (
        *(OTHER, GOOD, False, words.Row("another", "ok, good", "clear, missing")),
        "Another contextId came, and this action asks nobody.",
    ),
    (
        *(None, None, True, words.Row("none", "none", "clear, tampered")),
        "The slots speak of a customer, and no seal for this conversation stands behind them.",
    ),
    (
        *(OTHER, None, False, words.Row("new", "none", "nothing")),
        "Nobody is known here, and nothing claims it: the slots are the bot's own.",
    ),
]


def present(found: Found | None, seal: Sealed | None, *, says_ok: bool) -> Present:
    return Present(found, seal, says_ok=says_ok, seal_set=seal is not None)


@pytest.mark.parametrize(("found", "seal", "says_ok", "row", "why"), LOOK_UPS)
def test_every_row_of_the_table_has_its_words(
    found: Found | None, seal: Sealed | None, row: words.Row, why: str, *, says_ok: bool
) -> None:
    """They name what was found and held, and what `resolver.decide` decided about it."""
    state = present(found, seal, says_ok=says_ok)
    decision = decide(state, NOW)
    assert words.row(state, decision, NOW) == row
    assert words.why(state, decision, NOW) == why


@pytest.mark.parametrize(("found", "seal", "says_ok", "row", "why"), VERIFIES)
def test_every_row_of_verify_has_its_words(
    found: Found | None, seal: Sealed | None, row: words.Row, why: str, *, says_ok: bool
) -> None:
    """Likewise, for the action that asks nobody."""
    state = present(found, seal, says_ok=says_ok)
    verdict = verify(state, NOW)
    assert words.row(state, verdict, NOW) == row
    assert words.why(state, verdict, NOW) == why


@pytest.mark.parametrize(
    ("decision", "then", "why"),
    [
        (
            Forget(("f1",)),
            "missing, everything nulled",
            f"A seal of this conversation remembers that this customer was forgotten; {BACK}",
        ),
        (
            Clear(Outcome.TAMPERED),
            "clear, tampered",
            f"An older seal was put back: a later one of this conversation is {ABOUT_ANOTHER}",
        ),
        (
            Refuse(SAME, outcome=Outcome.REJECTED),
            "rejected, no call",
            "This session asked about as many other contextIds before as PS7_MAX_CONTEXTS allows.",
        ),
    ],
)
def test_what_the_rest_of_the_conversation_decides_has_its_words(
    decision: Forget | Clear | Refuse, then: str, why: str
) -> None:
    """Other seals, and how many contextIds came."""
    state = present(SAME, GOOD, says_ok=True)
    assert words.row(state, decision, NOW) == words.Row("same", "ok, good", then)
    assert words.why(state, decision, NOW) == why


def test_a_seal_that_was_wiped_has_its_words() -> None:
    """And one that names nobody, which a clearing leaves, has a word of its own."""
    state, decision = present(None, None, says_ok=False), Clear(Outcome.MISSING)
    assert words.row(state, decision, NOW) == words.Row("none", "none", "clear, missing")
    assert words.why(state, decision, NOW) == (
        "Nothing is held, and this session shows the seal of a customer: somebody wiped the slot."
    )
    left = Sealed(outcome=Outcome.MISSING, fingerprint="", sealed_at=NOW)
    state = present(None, left, says_ok=False)
    assert words.row(state, decide(state, NOW), NOW) == words.Row(
        "none", "nobody", "missing, no call"
    )


def test_no_decision_is_without_words() -> None:
    """Whatever is found and held: a word and a sentence, and a look-up says so."""
    seals = [None, *(held(outcome.value) for outcome in Outcome), TOO_OLD]
    for found in (None, SAME, OTHER, UNUSABLE):
        for seal in seals:
            for says_ok in (True, False):
                state = present(found, seal, says_ok=says_ok)
                decision = decide(state, NOW)
                then = words.row(state, decision, NOW).then
                assert (then == "look up") == isinstance(decision, LookUp)
                assert then.startswith("project") == isinstance(decision, Project)
                assert words.why(state, decision, NOW).endswith(".")


# -- the runs in a recording ----------------------------------------------------------------------


def user(time: float, metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "text": f"at {time}", "timestamp": time, "metadata": metadata}


def action(name: str, time: float) -> dict[str, Any]:
    return {"event": "action", "name": name, "timestamp": time}


def slot(name: str, value: object, time: float = 0.0) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value, "timestamp": time}


def runs(*events: dict[str, Any], **more: Any) -> list[Moment]:  # noqa: ANN401 - of a recording
    slots = {"ps7_status": None, "cpf": None}
    recording = Recording("sender-1", slots, {}, list(events))
    return moments(replace(recording, **more), SlotNames({}), ["contextId"])


def seen(found: list[Moment]) -> list[tuple[str, int, bool, dict[str, Any] | None]]:
    return [(one.action, one.message, one.by_name, one.came_of_it) for one in found]


def test_the_lookup_runs_on_every_message() -> None:
    """And the other two where they are called; what was set until the next run is theirs."""
    found = runs(
        action("action_session_start", 1),
        {"event": "session_started", "timestamp": 1.5},
        action("action_listen", 2),
        user(3),
        slot("ps7_status", "ok"),
        slot("cpf", "1"),
        action("utter_greet", 4),
        slot("cpf", "2"),
        {"event": "bot", "text": "oi", "timestamp": 4.5},
        action(VERIFY, 5),
        slot("cpf", "1"),
        user(6),
        action(FORGET, 7),
    )
    assert seen(found) == [
        (LOOK_UP, 1, False, {"ps7_status": "ok", "cpf": "1"}),
        (VERIFY, 1, True, {"cpf": "1"}),
        (LOOK_UP, 2, False, {}),
        (FORGET, 2, True, {}),
    ]
    assert [one.at.timestamp() for one in found] == [3, 5, 6, 7]
    assert [one.text for one in found] == ["at 3", "at 3", "at 6", "at 6"]
    assert [one.tracker.slots["cpf"] for one in found] == [None, "2", "1", "1"]
    assert "at 3" not in repr(found)


def test_a_bot_that_calls_the_lookup_runs_it_then() -> None:
    """By a rule, story or flow: then no message does."""
    found = runs(user(1), action(LOOK_UP, 2), slot("cpf", "1"), user(3))
    assert seen(found) == [(LOOK_UP, 1, True, {"cpf": "1"})]


@pytest.mark.parametrize(
    ("mappings", "count"),
    [
        ([{"type": "custom", "action": LOOK_UP}], 2),
        ([{"type": "controlled", "run_action_every_turn": LOOK_UP}], 2),
        ([{"type": "custom"}], 1),
        ([], 1),
        (None, 1),
        (["junk"], 1),
    ],
)
def test_a_domain_says_whether_it_runs_on_every_message(mappings: object, count: int) -> None:
    """Where the file has one; calls by name count beside it."""
    domain = {"slots": {"ps7_status": {"mappings": mappings}}}
    assert len(runs(user(1), action(LOOK_UP, 2), domain=domain)) == count


@pytest.mark.parametrize("domain", [{}, {"slots": []}, {"slots": {"ps7_status": None}}])
def test_a_domain_that_says_nothing_runs_nothing(domain: dict[str, Any]) -> None:
    """A lookup that nobody mapped does not run."""
    assert runs(user(1), domain=domain) == []


def test_slots_are_as_they_were_right_before_a_run() -> None:
    """Turns that were taken back, resets, restarts and new sessions count as they do in Rasa."""
    domain = {
        "slots": {
            "ps7_status": {"mappings": [{"action": LOOK_UP}]},
            "cpf": {"initial_value": "0"},
            "junk": None,
        }
    }
    found = runs(
        user(1),
        slot("cpf", "1"),
        slot("undeclared", "1"),
        action("action_listen", 1.5),
        user(2),
        slot("cpf", "2"),
        {"event": "rewind", "timestamp": 2.5},
        user(3, {"contextId": "C1"}),
        {"event": "reset_slots", "timestamp": 3.5},
        action(VERIFY, 4),
        slot("cpf", "4"),
        {"event": "restart", "timestamp": 4.5},
        user(5),
        slot("cpf", "5"),
        {"event": "session_started", "timestamp": 5.5},
        action(VERIFY, 6),
        domain=domain,
    )
    assert [one.tracker.slots["cpf"] for one in found] == ["0", "1", "1", "0", "0", "0"]
    assert all("undeclared" not in one.tracker.slots for one in found)
    messages = [one.tracker.latest_message for one in found]
    assert messages[2:4] == [{"metadata": {"contextId": "C1"}}] * 2
    assert messages[-1] == {}


@pytest.mark.parametrize("timestamp", [None, "soon", 1e400, 1e20, {}])
def test_an_event_without_a_time_was_right_after_the_one_before(timestamp: object) -> None:
    """Whatever stands in its place."""
    found = runs(user(7), {"event": "user", "timestamp": timestamp, "text": 1})
    assert [one.at.timestamp() for one in found] == [7, 7]
    assert found[1].text is None


def test_a_call_is_a_run_of_its_own() -> None:
    """The one that the file asks for, with the slots as they are in it, and no ending."""
    domain = {"slots": {"ps7_status": {"mappings": [{"action": LOOK_UP}]}}}
    known = {"slots": {"ps7_status": "ok", "cpf": "1"}, "domain": domain}
    found = runs(user(1), slot("cpf", "1"), user(2), action=LOOK_UP, **known)
    assert seen(found) == [(LOOK_UP, 1, False, {"cpf": "1"}), (LOOK_UP, 2, True, None)]
    assert found[-1].tracker.slots == known["slots"]
    found = runs(user(1), slot("cpf", "1"), action=VERIFY, **known)
    assert seen(found) == [(LOOK_UP, 1, False, {"cpf": "1"}), (VERIFY, 1, True, None)]
    assert seen(runs(user(1), action="action_of_the_bot", **known)) == [(LOOK_UP, 1, False, {})]


def test_a_call_of_the_session_start_reads_what_opened_it() -> None:
    """As `PS7SessionStart` does: the message of the session before does not count."""
    found = runs(
        user(1, {"contextId": "C1"}),
        slot("session_started_metadata", {"contextId": "C2"}),
        action="action_session_start",
        domain={"slots": {"cpf": {}}},
        slots={"cpf": None, "session_started_metadata": {"contextId": "C2"}},
    )
    assert seen(found) == [("action_session_start", 1, True, None)]
    where = place_of(found[0].tracker, ["contextId"])
    assert where is not None
    assert where[0].context_id == "C2"


# -- where it stands ------------------------------------------------------------------------------

THIS = "the metadata of this message"
BEFORE = "the metadata of the message before"
TWO_BEFORE = "the metadata of the message 2 turns before"


@pytest.mark.parametrize(
    ("latest", "earlier", "carried", "context_id", "place"),
    [
        ({"contextId": "A"}, [{"contextId": "B"}], None, "A", (THIS, "contextId")),
        ({"a": {"b": "A"}}, [], None, "A", (THIS, "a.b")),
        ({}, [{"contextId": "B"}, {}], None, "B", (BEFORE, "contextId")),
        ({}, [{"a": {"b": "B"}}, None, {}], {"contextId": "C"}, "B", (TWO_BEFORE, "a.b")),
        ({}, [{"contextId": "B"}], None, "B", ("the metadata of the newest message", "contextId")),
        ({}, [{}], {"contextId": "C"}, "C", ("the slot session_started_metadata", "contextId")),
    ],
)
def test_a_context_id_has_a_place(
    latest: object, earlier: list[object], carried: object, context_id: str, place: tuple[str, str]
) -> None:
    """The first hit of `context_id.find`, and the path under which it stands."""
    found = runs(*(user(time, metadata) for time, metadata in enumerate(earlier)))
    tracker: Any = found[-1].tracker if found else runs(user(0))[0].tracker
    tracker.latest_message = {"metadata": latest}
    tracker.slots["session_started_metadata"] = carried
    stands = place_of(tracker, ["contextId", "a.b"])
    assert stands is not None
    assert (stands[0].context_id, tuple(stands[1])) == (context_id, place)
    assert stands[0].carried == (context_id == "C")
    assert place_of(tracker, ["elsewhere"]) is None


# -- files ----------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "{file} is not JSON"),
        (b"{", "{file} is not JSON"),
        (b"\xff", "{file} is not JSON"),
        (b"[" * 100_000, "{file} is not JSON"),
        (b"[]", "{file} holds no tracker: it takes"),
        (b'{"slots": {}}', "{file} holds no tracker: it takes"),
        (b'{"tracker": {"events": [], "slots": null}}', "{file} holds no tracker: it takes"),
        (b'{"tracker": [], "events": {}, "slots": {}}', "{file} holds no tracker: it takes"),
    ],
)
def test_what_is_no_tracker_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    """In one line, and nothing of what stands in the file."""
    file = tmp_path / "tracker.json"
    file.write_bytes(content)
    assert main(["explain", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(complaint.format(file=file))
    assert err.count("\n") == 1


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which, and why."""
    assert main(["explain", str(tmp_path / "none.json")]) == 1
    said = f"{tmp_path / 'none.json'} cannot be read: No such file or directory\n"
    assert capsys.readouterr() == ("", said)


@pytest.mark.parametrize(
    "events", [[], [1, None, {}, {"event": 1}], [{"event": "slot"}, {"event": "rewind"}]]
)
def test_nothing_to_explain_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], events: list[object]
) -> None:
    """Malformed events count as none."""
    file = tmp_path / "tracker.json"
    file.write_text(json.dumps({"slots": {}, "events": events}))
    assert main(["explain", str(file)]) == 0
    said = "No message, and no action of ours, is in this file: there is nothing to explain.\n"
    assert capsys.readouterr() == (said, "")


def test_malformed_events_are_no_trouble(tmp_path: Path) -> None:
    """Whatever stands where Rasa puts a name, a time, a value or metadata."""
    junk: list[object] = [None, 1, "x", [], {}, [{}], 1e308, True]
    events = [
        {"event": kind, **dict.fromkeys(("name", "value", "timestamp", "metadata", "text"), one)}
        for one in junk
        for kind in ("user", "slot", "action", "rewind", "session_started", "other")
    ]
    events.append({"event": "action", "name": VERIFY})
    file = tmp_path / "tracker.json"
    slots = {"ps7_status": "ok", "ps7_context": 1, "cpf": {"a": 1}, "[]": 1}
    file.write_text(json.dumps({"slots": slots, "events": events, "latest_message": []}))
    assert main(["explain", str(file), "--show"]) == 0
    assert main(["explain", str(file), "--json"]) == 0


def test_a_tracker_of_a_real_rasa_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Rasa Open Source 3.6.21 sent it to an action server: the call's body, and its tracker."""
    recorded = json.loads((ROOT / "tests/host/data/kit_recording_plain.json").read_text())
    body = recorded["steps"][0]["calls"][-1]
    file = tmp_path / "tracker.json"
    file.write_text(json.dumps(body["tracker"]))
    assert main(["explain", str(file), "--json", "--show"]) == 0
    [run] = json.loads(capsys.readouterr().out)["runs"]
    assert run["context_id"] == {
        "number": 1,
        "where": "the metadata of this message",
        "key": "contextId",
        "context_digest": None,
        "value": "C1",
    }
    assert (run["text"], run["found"], run["held"], run["then"]) == (
        *("/greet", "new", "none", "look up"),
    )
    file.write_text(json.dumps({**body, "next_action": VERIFY}))
    assert main(["explain", str(file), "--json"]) == 0
    [_, run] = json.loads(capsys.readouterr().out)["runs"]
    assert (run["action"], run["by_name"], run["then"]) == (VERIFY, True, "nothing")
