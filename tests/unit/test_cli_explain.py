"""The parts of `rasa-ps7 explain`: words for a decision, the runs in a recording, and files."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from actions.ps7.dialogue.resolver import decide, verify
from actions.ps7.dialogue.session import NewSession

from actions.ps7 import Outcome
from actions.ps7.cli.command import main
from actions.ps7.cli.explain import words
from actions.ps7.cli.explain.moments import FORGET, LOOK_UP, VERIFY, Moment, moments
from actions.ps7.cli.explain.place import SEAL, place_of
from actions.ps7.cli.explain.recording import Recording
from actions.ps7.dialogue.context_id import Found
from actions.ps7.dialogue.history import History, Message
from actions.ps7.slot_names import SlotNames
from tests.support.processes import ROOT
from tests.support.talk import FOUND, HELD, Talk, talk_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from actions.ps7.dialogue.resolver import Decision, Verdict

    from actions.ps7.dialogue.situation import Situation

OUT = "This contextId was logged out: it is not looked up again in this conversation."
ALL_THE_SAME = "The status claimed a customer all the same."

LOOK_UPS = """\
held               | brought  | found   held        then
ok                 | none     | none    | ok, good    | project, no call  | No contextId came, and what PS7 said still holds.
ok, too old        | none     | none    | ok, too old | clear, expired    | What PS7 said no longer holds, and there is nobody to ask now.
denied             | none     | none    | denied      | missing, no call  | No contextId came, and what is held names no customer.
expired            | none     | none    | expired     | missing, no call  | No contextId came, and what is held names no customer.
logged out         | none     | none    | logged out  | missing, no call  | This contextId was logged out: it is not looked up again in this conversation.
wiped              | none     | none    | none        | clear, tampered   | The slots speak of a customer, and the newest seal of this conversation does not stand behind them.
first format       | none     | none    | ok, too old | clear, expired    | What PS7 said no longer holds, and there is nobody to ask now.
nothing            | none     | none    | none        | missing, no call  | No contextId came, and nothing is held.
ok                 | same     | same    | ok, good    | project, no call  | PS7 was asked about this contextId before, and what it said still holds.
ok, too old        | same     | same    | ok, too old | look up           | What PS7 said no longer holds: it is asked again.
expired            | same     | same    | expired     | look up           | What PS7 said no longer holds: it is asked again.
invalid            | same     | same    | invalid     | invalid, no call  | Another call about the same contextId could not change this.
logged out         | same     | same    | logged out  | missing, no call  | This contextId was logged out: it is not looked up again in this conversation.
rejected           | same     | same    | rejected    | rejected, no call | PS7 did not know this contextId, and is not asked again for 30 s.
rejected, 30 s ago | same     | same    | rejected    | look up           | PS7 did not know this contextId 30 s ago or earlier: it is asked again.
denied             | same     | same    | denied      | look up           | The last lookup ended denied: every turn tries again.
unavailable        | same     | same    | unavailable | look up           | The last lookup ended unavailable: every turn tries again.
ok                 | another  | another | ok, good    | look up           | Another contextId came than the one that is held: PS7 has to be asked.
older              | same     | new     | none        | look up           | A contextId came, and nothing is held: PS7 has to be asked.
older              | another  | new     | none        | rejected, no call | This session asked about as many other contextIds before as PS7_MAX_CONTEXTS allows.
ok                 | unusable | another | ok, good    | invalid, no call  | Nobody can be asked about what came: it is no contextId, or was refused.
"""  # noqa: E501 - as it is printed
VERIFIES = """\
held               | brought  | found   held        then
ok                 | same     | same    | ok, good    | project, no call  | PS7 was asked about this contextId before, and what it said still holds.
ok, too old        | none     | none    | ok, too old | clear, expired    | What PS7 said no longer holds, and there is nobody to ask now.
ok                 | another  | another | ok, good    | clear, missing    | Another contextId came, and this action asks nobody.
a status alone     | none     | none    | none        | clear, tampered   | The slots speak of a customer, and the newest seal of this conversation does not stand behind them.
nothing            | another  | new     | none        | nothing           | Nobody is known here, and nothing claims it: the slots are the bot's own.
denied             | same     | same    | denied      | nothing           | Nobody is known here, and nothing claims it: the slots are the bot's own.
"""  # noqa: E501 - as it is printed


def cells(table: str) -> list[list[str]]:
    """Return the rows of a table."""
    return [[cell.strip() for cell in line.split("|")] for line in table.splitlines()[1:]]


@pytest.mark.parametrize("decides", [decide, verify])
def test_every_row_of_a_table_has_its_words(
    decides: Callable[[Situation], Decision | Verdict],
) -> None:
    """They name what was found and held, what was decided about it, and why."""
    for held, brought, *row, why in cells(LOOK_UPS if decides is decide else VERIFIES):
        situation = talk_with(held, brought).situation
        decision = decides(situation)
        assert words.row(situation, decision) == words.Row(*row), (held, brought)
        assert words.why(situation, decision) == why, (held, brought)


def _log_out_elsewhere(talk: Talk) -> None:
    talk.meets("ana")
    talk.forgets()
    talk.meets("diego")
    talk.says("ana")


def _log_out_at_the_same_moment(talk: Talk) -> None:
    talk.meets("ana")
    known = talk.seal
    out = known.model_copy(update={"logged_out": (known.fingerprint,), "customer": None})
    for seal in (out, known):
        talk.writes(ps7_context=talk.runtime.sealer.close(seal, talk.sender_id))
    talk.says(opens="rasas")


def _failed_in_this_turn(talk: Talk) -> None:
    talk.ps7.clear()
    talk.meets("ana", Outcome.DENIED)


def _wiped_with_its_status(talk: Talk) -> None:
    talk.meets("ana")
    talk.says(opens="rasas")
    talk.writes(ps7_context=None, ps7_status=None)


def _cleared(talk: Talk) -> None:
    talk.meets("ana")
    talk.writes(ps7_context=None).verifies()
    talk.says("ana")


def _claimed(talk: Talk) -> None:
    talk.meets("ana", Outcome.INVALID)
    talk.writes(ps7_status="ok")


@pytest.mark.parametrize(
    ("happens", "then", "why"),
    [
        (_log_out_elsewhere, "missing, no call", OUT),
        (_log_out_at_the_same_moment, "clear, missing", OUT),
        (_cleared, "look up", "What PS7 said was cleared: it is asked again."),
        (
            _failed_in_this_turn,
            "denied, no call",
            "What PS7 was asked last names no customer, and it is not asked again now.",
        ),
        (
            _wiped_with_its_status,
            "clear, missing",
            "The slot of the seal was emptied, and no contextId is at hand.",
        ),
        (
            _claimed,
            "invalid, no call",
            f"Another call about the same contextId could not change this. {ALL_THE_SAME}",
        ),
    ],
)
def test_what_the_rest_of_the_conversation_decides_has_its_words(
    happens: Callable[[Talk], object], then: str, why: str
) -> None:
    """Other seals, other runs of this turn, and what the status claims."""
    talk = Talk()
    happens(talk)
    situation = talk.situation
    decision = decide(situation)
    assert words.row(situation, decision).then == then
    assert words.why(situation, decision) == why


@pytest.mark.parametrize("held", HELD)
def test_no_decision_is_without_words(held: str) -> None:
    """Whatever is found, held and claimed: a word and a sentence; a log-out has one row."""
    for found in FOUND:
        talk = talk_with(held, found)
        for claimed in ("missing", "ok"):
            talk.writes(ps7_status=claimed)
            situation = talk.situation
            for decision in (decide(situation), verify(situation)):
                row = words.row(situation, decision)
                assert all((row.found, row.held, row.then))
                assert words.why(situation, decision).endswith(".")
            assert words.forget(situation) == replace(row, then="missing, everything nulled")


# The runs in a recording


def user(time: float, metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "text": f"at {time}", "timestamp": time, "metadata": metadata}


def action(name: str, time: float) -> dict[str, Any]:
    return {"event": "action", "name": name, "timestamp": time}


def slot(name: str, value: object, time: float = 0.0) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value, "timestamp": time}


def runs(*events: dict[str, Any], **more: Any) -> list[Moment]:  # noqa: ANN401 - of a recording
    slots = {"ps7_status": None, "cpf": None}
    recording = Recording("sender-1", slots, {}, list(events))
    return moments(replace(recording, **more), SlotNames({}))


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
        action("action_listen", 2),
        slot("session_started_metadata", {"contextId": "C2"}),
        action="action_session_start",
        domain={"slots": {"cpf": {}}},
        slots={"cpf": None, "session_started_metadata": {"contextId": "C2"}},
    )
    assert seen(found) == [("action_session_start", 1, True, None)]
    assert isinstance(found[0].tracker, NewSession)
    read = History((), None, context="ps7_context", status="ps7_status")
    found[0].tracker.add_to(read)
    assert [message.metadata for message in read.session.messages] == [{"contextId": "C2"}]


# Where it stands

THIS, BEFORE = "the metadata of this message", "the metadata of the message before"
TWO_BEFORE = "the metadata of the message 2 turns before"


@pytest.mark.parametrize(
    ("messages", "value", "place"),
    [
        ([{"contextId": "B"}, {"contextId": "A"}], "A", (THIS, "contextId")),
        ([{"a": {"b": "A"}}], "A", (THIS, "a.b")),
        ([{"contextId": "A"}, {}], "A", (BEFORE, "contextId")),
        ([{"a": {"b": ["A"]}}, None, {}], ["A"], (TWO_BEFORE, "a.b")),
        ([{"contextId": "A"}, {"contextId": "over"}], "A", (BEFORE, "contextId")),
        ([{}], None, (SEAL, None)),
        ([], None, (SEAL, None)),
    ],
)
def test_a_context_id_has_a_place(
    messages: list[object], value: object, place: tuple[str, str | None]
) -> None:
    """The message that brought it and the path under which it stands, else the newest seal."""
    said = [Message(metadata, None) for metadata in messages]
    assert place_of(Found("A", "f", value=value), said, ["contextId", "a.b"]) == place


# Files


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
