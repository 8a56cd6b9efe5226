"""`rasa-ps7 explain`: a saved conversation, explained run by run as the plugin decided it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import Reason, telemetry
from actions.ps7.cli.command import main
from actions.ps7.cli.saved import Ran, SavedTracker, runs
from actions.ps7.conversation.arrival import unusable
from actions.ps7.customer import CONTEXT_ACTION as LOOK_UP
from actions.ps7.customer import FORGET_ACTION as FORGET
from actions.ps7.customer import SESSION_ACTION
from actions.ps7.customer import VERIFY_ACTION as VERIFY
from actions.ps7.outcomes import ARRIVAL_REFUSED
from tests.support.command import command
from tests.support.talk import ARRIVAL_KEY, Talk, a_bot, signed

Explain = Callable[..., list[dict[str, Any]]]


def keys(talk: Talk) -> str:
    """Return the PS7_SEAL_KEYS of a conversation's action server."""
    return json.dumps([key.get_secret_value() for key in talk.bot.settings.seal_keys])


@pytest.fixture(autouse=True)
def given(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Work in an empty folder, where nothing is set."""
    return isolated


def saved(content: object) -> str:
    """Save a conversation; return the name of the file."""
    Path("tracker.json").write_text(json.dumps(content))
    return "tracker.json"


@pytest.fixture
def explain(given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Explain:
    """What explains a conversation for a machine with its server's keys, and returns the runs."""

    def explained(talk: Talk, *options: str, seal_keys: str | None = None, **more: object) -> Any:  # noqa: ANN401 - JSON
        given.setenv("PS7_SEAL_KEYS", keys(talk) if seal_keys is None else seal_keys)
        given.setenv("PS7_MAX_CONTEXTS", "2")
        given.setenv("PS7_SLOT_NAMES", '{"identification": "customer_identification"}')
        given.setenv("PS7_CLEAR_SLOTS", '["balance", "identification"]')
        body = json.dumps({**vars(talk.tracker), **more}).encode()
        given.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body)))
        assert main(["explain", "-", "--json", *options]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return json.loads(out)["runs"]

    return explained


STORY = """\
Message 1, 2026-11-24T12:00:02+00:00: action_ps7_context, as on every turn
  context id   number 1, found under contextId in the metadata of this message, context_digest <ana>
  correlation  <correlation>
  found        new
  held         none
  rule         look-up
  why          A contextId was found: PS7 is asked, and its answer is sealed.
  was set      cpf ***.000.000-**, agency ****, ps7_context (sealed), ps7_status ok

Message 1, 2026-11-24T12:00:02+00:00: action_ps7_verify, called by its name
  context id   number 1, found under contextId in the metadata of this message, context_digest <ana>
  correlation  <correlation>
  found        same
  held         ok
  held until   2026-11-24T13:00:02+00:00
  rule         held
  why          The current seal's customer is still valid: the slots show again what the seal says.
  would set    cpf ***.982.247-**
  was set      cpf ***.982.247-**

Message 2, 2026-11-24T12:00:03+00:00: action_ps7_context, as on every turn
  context id   number 2, found under contextId in the metadata of this message, context_digest <two words>
  correlation  <correlation>
  found        another
  held         ok
  held until   2026-11-24T13:00:02+00:00
  rule         unusable
  why          The contextId is not usable: the refusal is sealed and logged once, and the customer's slots become null.
  would set    cpf null, agency null, ps7_context (sealed), ps7_status invalid
  was set      cpf null, agency null, ps7_context (sealed), ps7_status invalid
"""  # noqa: E501 - as it is printed


async def test_explain_tells_a_person_the_story_of_a_conversation(tmp_path: Path) -> None:
    """As a process, with no PS7 configured: what was found, which rule fired, what came of it."""
    talk = Talk()
    talk.meets("ana")
    talk.writes(cpf="00000000000").happens("action", name=VERIFY)
    talk.verifies()
    talk.says("two words").run()
    variables = {"PS7_SEAL_KEYS": keys(talk)}
    ended = await command("explain", saved(vars(talk.tracker)), cwd=tmp_path, variables=variables)
    expected = STORY.replace("<correlation>", talk.bot.correlation.uuid(talk.tracker.sender_id))
    for shown, what in (("ana", "ana"), ("two words", unusable("two words"))):
        expected = expected.replace(f"<{shown}>", talk.bot.digest(what))
    assert (ended.code, ended.out, ended.err) == (0, expected, "")
    assert not [word for word in ("52998224725", "0001", "ana", "two") if word in ended.out]


def test_what_somebody_wrote_into_a_slot_is_masked_by_its_value(explain: Explain) -> None:
    """A CPF, an account or the contextId itself, in slots that are open by their names."""
    talk = Talk()
    talk.says("ctx-of-ana").run()
    for typed, shown in (("529.982.247-25", "************25"), ("x ctx-of-ana", "************")):
        talk.writes(ps7_status=typed).happens("action", name=VERIFY)
        before = explain(talk)[-2]
        assert before["was_set"]["ps7_status"] == shown
        assert typed not in json.dumps(explain(talk))


def test_show_masks_nothing_but_seals(explain: Explain, capsys: pytest.CaptureFixture[str]) -> None:
    """ContextIds, values, and what the user said."""
    talk = Talk()
    talk.meets("ana")
    [run] = explain(talk, "--show")
    assert (run["said"], run["context_id"]["value"]) == ("oi", "ana")
    assert main(["explain", saved(vars(talk.tracker)), "--show"]) == 0
    out = capsys.readouterr().out
    assert "\n  said         oi\n  context id   number 1, value ana, found under contextId" in out
    assert "cpf 52998224725, agency 0001, ps7_context (sealed)" in out


def test_a_log_out_is_explained(explain: Explain) -> None:
    """With the bot's own slots that go with the customer."""
    talk = Talk()
    talk.meets("ana")
    talk.writes(balance="100").happens("action", name=FORGET)
    talk.forgets()
    looked_up, run = explain(talk)
    assert looked_up["was_set"]["balance"] == "***"
    assert (run["action"], run["by_name"], run["rule"]) == (FORGET, True, "forget")
    assert run["would_set"] == run["was_set"]
    assert (run["was_set"]["balance"], run["was_set"]["ps7_status"]) == (None, "missing")
    talk.says("diego").happens("action", name=VERIFY)
    talk.verifies()
    assert explain(talk)[-1]["rule"] == talk.rule == "nothing-held", "by the rules of its action"


def test_each_context_id_has_its_number_and_place(
    explain: Explain, given: pytest.MonkeyPatch
) -> None:
    """The message that brought it and the path under which it stands, else the newest seal."""
    given.setenv("PS7_METADATA_KEYS", '["contextId.deep", "contextId"]')
    talk = Talk(a_bot(metadata_keys=["contextId.deep", "contextId"]))
    talk.says()
    talk.meets({"deep": "ana"})
    talk.says()
    talk.meets("diego")
    places = [run["context_id"] for run in explain(talk)]
    assert [place and (place["number"], place["found"]) for place in places] == [
        None,
        (1, "under contextId.deep in the metadata of this message"),
        (1, "under contextId.deep in the metadata of the message 1 turns before"),
        (2, "under contextId in the metadata of this message"),
    ]
    for event in talk.events:
        event["metadata"] = {}
    last = explain(talk)[-1]["context_id"]
    assert (last["number"], last["found"]) == (1, "in the newest seal of this session")


def test_a_seal_that_no_key_opens_is_named(explain: Explain) -> None:
    """A forged one, one of another conversation, and one of another server's key."""
    talk = Talk()
    talk.meets("ana")
    talk.says()
    assert explain(talk)[-1]["rule"] == "held"
    other_key = explain(talk, seal_keys=json.dumps([Fernet.generate_key().decode()]))[-1]
    moved = explain(talk, sender_id="another")[-1]
    talk.writes(ps7_context="forged").says()
    for run in (other_key, moved, explain(talk)[-1]):
        assert run["rule"] == "look-up"
        assert run["why"].startswith("None of PS7_SEAL_KEYS opens the seal")


def test_without_keys_it_says_what_cannot_be_told(explain: Explain) -> None:
    """What came still can; before the first seal everything can."""
    talk = Talk()
    talk.meets("ana")
    talk.says("two words")
    first, second = explain(talk, seal_keys="")
    assert (first["rule"], list(first["context_id"])) == ("look-up", ["number", "found"])
    assert second["why"].endswith("Without PS7_SEAL_KEYS it cannot be read.")
    told = {name: second[name] for name in ("found", "held", "held_until", "rule", "would_set")}
    assert told == dict.fromkeys(told)
    assert (second["context_id"]["number"], second["was_set"]) == (2, {})


def test_a_refused_arrival_is_explained(explain: Explain, given: pytest.MonkeyPatch) -> None:
    """With the back-end's keys it says why."""
    given.setenv("PS7_ARRIVAL_KEYS", json.dumps([ARRIVAL_KEY]))
    talk = Talk(signed())
    talk.says("unsigned")
    [run] = explain(talk)
    why = ARRIVAL_REFUSED[Reason.ARRIVAL_SIGNATURE]
    assert run["rule"] == "arrival-refused"
    assert run["why"].startswith(f"The arrival was refused: {why}. ")


def test_a_context_id_in_another_place_is_pointed_at(explain: Explain) -> None:
    """The same words as in the log, for a conversation that is over."""
    talk = Talk().says()
    talk.events[-1]["metadata"] = {"customData": {"contextId": "C-1"}}
    [run] = explain(talk)
    looks = "keys: customData; customData.contextId looks like one: PS7_METADATA_KEYS"
    assert (run["found"], run["context_id"], run["metadata"]) == ("none", None, looks)


def test_an_explanation_leaves_no_trace(
    explain: Explain, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It logs nothing and counts nothing, whatever the run that it explains would have told."""
    for name in ("turns", "slots_restored", "seals_refused", "arrivals_refused"):
        monkeypatch.setattr(telemetry, name, None)
    talk = Talk()
    talk.writes(ps7_context="forged", ps7_status="ok")
    talk.says("two words")
    caplog.clear()
    (run,) = explain(talk)
    assert run["rule"] == "unusable"
    assert caplog.records == []


def test_explain_leaves_out_what_the_bot_fills_and_masks_what_is_cleared(explain: Explain) -> None:
    """What a call's domain fills itself is left out; what is cleared is masked, whatever its name.

    A name may be free for the bot because `init` renamed the plugin's slot.
    """
    talk = Talk()
    talk.meets("ana")
    talk.writes(identification="RG 12.345-6")
    own = {"slots": {"cpf": {"mappings": [{"type": "from_text"}]}}}
    [run] = explain(talk, tracker=vars(talk.tracker), domain=own)
    assert list(run["was_set"]) == ["agency", "ps7_context", "ps7_status", "identification"]
    assert run["was_set"]["identification"] == "*********-6"


@pytest.mark.parametrize("carries_over", [True, False])
def test_the_lookup_of_a_session_start_is_explained(explain: Explain, carries_over: bool) -> None:
    """In the recipe that looks up as a session starts, it is the only one."""
    talk = Talk(carries_over=carries_over)

    def starts() -> list[dict[str, Any]]:
        # What Rasa's API gives has no domain: there, slots are carried over.
        call = {} if carries_over else {"domain": talk.domain, "tracker": vars(talk.tracker)}
        return [run for run in explain(talk, **call) if run["action"] == SESSION_ACTION]

    talk.says("ana", opens="ours")
    [start] = starts()
    assert (start["message"], start["rule"]) == (0, "look-up")
    assert start["was_set"]["ps7_status"] == "ok"
    assert start["context_id"]["found"].startswith(
        "under contextId in the metadata of this message"
    )
    talk.says(opens="ours")
    assert starts()[-1]["rule"] == ("session-over" if carries_over else "nothing-held")


# The runs in a file


def user(time: float, metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "text": f"at {time}", "timestamp": time, "metadata": metadata}


def action(name: str, time: float) -> dict[str, Any]:
    return {"event": "action", "name": name, "timestamp": time}


def slot(name: str, value: object) -> dict[str, Any]:
    return {"event": "slot", "name": name, "value": value, "timestamp": 0}


def event(kind: str) -> dict[str, Any]:
    return {"event": kind}


def found_in(*events: dict[str, Any]) -> list[Ran]:
    return runs(SavedTracker("sender-1", {"ps7_status": "late", "cpf": "late"}, {}, [*events], {}))


def test_the_lookup_runs_on_every_message() -> None:
    """And the other two where they are called; what was set until the next run is theirs."""
    found = found_in(
        *(action("action_session_start", 1), event("session_started"), user(2)),
        *(slot("ps7_status", "ok"), slot("cpf", "1"), action("utter_greet", 3)),
        *(slot("cpf", "2"), action(VERIFY, 4), slot("cpf", "1")),
        *(user(5), action(FORGET, 6)),
    )
    assert [(one.action, one.said, one.by_name, one.was_set) for one in found] == [
        (LOOK_UP, ("at 2",), False, {"ps7_status": "ok", "cpf": "1"}),
        (VERIFY, ("at 2",), True, {"cpf": "1"}),
        (LOOK_UP, ("at 2", "at 5"), False, {}),
        (FORGET, ("at 2", "at 5"), True, {}),
    ]
    assert [one.at.timestamp() for one in found] == [2, 4, 5, 6]
    assert [one.tracker.slots["cpf"] for one in found] == [None, "2", "1", "1"]
    assert [len(one.tracker.events) for one in found] == [3, 8, 10, 11]
    assert "at 2" not in repr(found[0].tracker)


def test_a_bot_that_calls_the_lookup_runs_it_then() -> None:
    """By a rule, story or flow: then no message does."""
    [run] = found_in(user(1), action(LOOK_UP, 2), slot("cpf", "1"), user(3))
    assert (run.action, run.by_name, run.was_set) == (LOOK_UP, True, {"cpf": "1"})


def test_a_bot_that_looks_up_on_every_turn_may_call_the_lookup_as_well() -> None:
    """Its every-turn runs are those after which the seal was set at once."""
    ran = found_in(user(1), slot("ps7_context", "s"), action(LOOK_UP, 2), user(3))
    assert [(one.by_name, len(one.said)) for one in ran] == [(False, 1), (True, 1), (False, 2)]


@pytest.mark.parametrize(("seal", "known"), [("ps7_context", 2), ("sealed", 1)])
def test_the_seal_of_such_a_bot_may_have_another_name(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], seal: str, known: int
) -> None:
    """As `PS7_SLOT_NAMES` says: what the bot keeps in a slot `ps7_context` is no seal then."""
    given.setenv("PS7_SLOT_NAMES", json.dumps({"ps7_context": seal}))
    events = [user(1), slot("ps7_context", "s"), action(LOOK_UP, 2)]
    assert main(["explain", saved({"slots": {}, "events": events}), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == known


# Files


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff", "{file} is not JSON"),
        (b"[" * 100_000, "{file} is not JSON"),
        (b"[]", "{file} holds no tracker: it takes"),
        (b'{"slots": {}}', "{file} holds no tracker: it takes"),
        (b'{"tracker": {"events": [], "slots": null}}', "{file} holds no tracker: it takes"),
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
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(complaint.format(file=file))


def test_an_answer_of_rasas_without_its_api_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What curl gets then is a page, or nothing."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"<html>404</html>")))
    assert main(["explain", "-"]) == 1
    assert "the standard input is not JSON (Rasa's API answers" in capsys.readouterr().err


def test_nothing_to_explain_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Malformed events count as none."""
    events = [1, None, {}, {"event": 1}, event("slot")]
    assert main(["explain", saved({"slots": {}, "events": events})]) == 0
    said = "No message and no action of the plugin is here: there is nothing to explain.\n"
    assert capsys.readouterr() == (said, "")


@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [{}], 1e308, True])
def test_malformed_events_are_explained_without_an_error(junk: object) -> None:
    """Whatever stands where Rasa puts a name, a time, a value or metadata."""
    kinds = ("user", "slot", "action", "rewind", "undo", "session_started", "other")
    fields = dict.fromkeys(("name", "value", "timestamp", "metadata", "text"), junk)
    events = [*({"event": kind, **fields} for kind in kinds), {"event": "action", "name": VERIFY}]
    slots = {"ps7_status": "ok", "ps7_context": 1, "cpf": {"a": 1}, "[]": 1}
    file = saved({"slots": slots, "events": events, "latest_message": []})
    assert main(["explain", file, "--show"]) == 0
    assert main(["explain", file, "--json"]) == 0
