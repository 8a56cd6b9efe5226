"""What `rasa-ps7 explain` makes of a file: the runs in it, the slots before each, and the rules."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from actions.ps7.cli.command import main
from actions.ps7.cli.explain.report import MEANING
from actions.ps7.cli.explain.saved import FORGET, LOOK_UP, VERIFY, Run, SavedTracker, runs
from tests.support.processes import ROOT
from tests.support.talk import FOUND, HELD, Talk, signed, talk_with

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def rules() -> set[str]:
    """Return every rule by which the plugin decides a run."""
    talks = [talk_with(held, found) for held in HELD for found in FOUND]
    talks.append(Talk(signed()).says("not signed"))
    seen = {"in-order"}  # what a process remembers of its own runs
    for talk in talks:
        for decide in ("context", "verify", "forget"):
            turn = talk.turn()
            getattr(turn, decide)()
            seen.add(turn.rule)
    return seen


def test_every_rule_has_its_meaning() -> None:
    """And no meaning is left of a rule that went; the first rule is that of a turn in order."""
    assert Talk().turn().rule == "in-order"
    assert rules() == MEANING.keys()


# The runs in a file


def user(time: float, metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "text": f"at {time}", "timestamp": time, "metadata": metadata}


def action(name: str, time: float) -> dict[str, Any]:
    return {"event": "action", "name": name, "timestamp": time}


def slot(name: str, value: object) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value, "timestamp": 0}


def event(kind: str) -> dict[str, Any]:
    return {"event": kind}


def found_in(*events: dict[str, Any]) -> list[Run]:
    return runs(SavedTracker("sender-1", {"ps7_status": "late", "cpf": "late"}, {}, [*events], {}))


def test_the_lookup_runs_on_every_message() -> None:
    """And the other two where they are called; what was set until the next run is theirs."""
    found = found_in(
        action("action_session_start", 1),
        event("session_started"),
        action("action_listen", 2),
        user(3),
        slot("ps7_status", "ok"),
        slot("cpf", "1"),
        action("utter_greet", 4),
        slot("cpf", "2"),
        event("bot"),
        action(VERIFY, 5),
        slot("cpf", "1"),
        user(6),
        action(FORGET, 7),
    )
    assert [(one.action, len(one.said), one.by_name, one.was_set) for one in found] == [
        (LOOK_UP, 1, False, {"ps7_status": "ok", "cpf": "1"}),
        (VERIFY, 1, True, {"cpf": "1"}),
        (LOOK_UP, 2, False, {}),
        (FORGET, 2, True, {}),
    ]
    assert [one.at.timestamp() for one in found] == [3, 5, 6, 7]
    assert found[-1].said == ("at 3", "at 6")
    assert [one.tracker.slots["cpf"] for one in found] == [None, "2", "1", "1"]
    assert [len(one.tracker.events) for one in found] == [4, 10, 12, 13]
    assert "at 3" not in repr(found[0].tracker)


def test_a_bot_that_calls_the_lookup_runs_it_then() -> None:
    """By a rule, story or flow: then no message does."""
    [run] = found_in(user(1), action(LOOK_UP, 2), slot("cpf", "1"), user(3))
    assert (run.action, run.by_name, run.was_set) == (LOOK_UP, True, {"cpf": "1"})


@pytest.mark.parametrize(
    ("events", "cpf"),
    [
        ([slot("cpf", "1")], "1"),
        ([slot("undeclared", "1"), slot("cpf", None)], None),
        ([slot("cpf", "1"), event("reset_slots")], None),
        ([slot("cpf", "1"), event("restart")], None),
        ([slot("cpf", "1"), event("session_started"), slot("cpf", "2")], "2"),
        ([slot("cpf", "1"), action("a", 1), slot("cpf", "2"), event("undo")], "1"),
        ([slot("cpf", "1"), *[action("a", 1), user(2), slot("cpf", "2")], event("rewind")], "1"),
        ([slot("cpf", "1"), event("rewind"), slot("cpf", "2")], "2"),
        ([user(1), event("restart"), slot("cpf", "1"), event("rewind")], None),
        ([slot("cpf", "1"), event("reset_slots"), action("a", 1), event("undo")], None),
    ],
)
def test_slots_are_as_they_were_right_before_a_run(
    events: list[dict[str, Any]], cpf: str | None
) -> None:
    """Reverted turns, resets, restarts and new sessions count as they do in Rasa."""
    [*_, run] = found_in(*events, action(VERIFY, 3))
    assert run.tracker.slots == {"ps7_status": None, "cpf": cpf}


@pytest.mark.parametrize("timestamp", [None, "soon", 1e400, 1e20, -1, float("nan"), {}])
def test_an_event_without_a_time_was_right_after_the_one_before(timestamp: object) -> None:
    """Whatever stands in its place."""
    found = found_in(user(7), {"event": "user", "timestamp": timestamp})
    assert [one.at.timestamp() for one in found] == [7, 7]


# Files


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "{file} is not JSON"),
        (b"\xff", "{file} is not JSON"),
        (b"[" * 100_000, "{file} is not JSON"),
        (b"[]", "{file} holds no tracker: it takes"),
        (b'{"slots": {}}', "{file} holds no tracker: it takes"),
        (b'{"tracker": {"events": [], "slots": null}}', "{file} holds no tracker: it takes"),
        (b'{"tracker": [], "events": {}, "slots": {}}', "{file} holds no tracker: it takes"),
        (None, "{file} cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_tracker_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, complaint: str
) -> None:
    """In one line, and nothing of what stands in the file."""
    file = tmp_path / "tracker.json"
    if content is not None:
        file.write_bytes(content)
    assert main(["explain", str(file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(complaint.format(file=file))
    assert err.count("\n") == 1


@pytest.mark.parametrize("events", [[], [1, None, {}, {"event": 1}], [event("slot")]])
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
    kinds = ("user", "slot", "action", "rewind", "undo", "session_started", "other")
    events = [
        {"event": kind, **dict.fromkeys(("name", "value", "timestamp", "metadata", "text"), one)}
        for one in junk
        for kind in kinds
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
    for content in (body, body["tracker"]):
        file.write_text(json.dumps(content))
        assert main(["explain", str(file), "--json", "--show"]) == 0
        [run] = json.loads(capsys.readouterr().out)["runs"]
        assert run["context_id"] == {
            "number": 1,
            "value": "C1",
            "found": "under contextId in the metadata of this message",
        }
        assert (run["said"], run["found"], run["held"], run["rule"]) == (
            *("/greet", "new", "none", "look-up"),
        )
