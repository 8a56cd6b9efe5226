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
from actions.ps7.customer import CONTEXT_ACTION as LOOK_UP
from actions.ps7.customer import FORGET_ACTION as FORGET
from actions.ps7.customer import SESSION_ACTION
from actions.ps7.customer import VERIFY_ACTION as VERIFY
from actions.ps7.outcomes import ARRIVAL_REFUSED
from tests.support.command import Cli
from tests.support.talk import ARRIVAL_KEY, Talk, a_bot, signed

Explain = Callable[..., list[dict[str, Any]]]
RENAMED = {"identification": "customer_identification"}


def keys(talk: Talk) -> str:
    """Return the PS7_SEAL_KEYS of a conversation's action server."""
    return json.dumps([key.get_secret_value() for key in talk.bot.settings.seal_keys])


def saved(content: object) -> str:
    """Save a conversation; return the name of the file."""
    Path("tracker.json").write_text(json.dumps(content))
    return "tracker.json"


@pytest.fixture
def explain(isolated: pytest.MonkeyPatch, cli: Cli) -> Explain:
    """What explains a conversation for a machine with its server's keys, and returns the runs."""
    isolated.setenv("PS7_MAX_CONTEXTS", "2")
    isolated.setenv("PS7_SLOT_NAMES", json.dumps(RENAMED))
    isolated.setenv("PS7_CLEAR_SLOTS", '["balance", "identification"]')

    def explained(talk: Talk, *, seal_keys: str | None = None, **more: object) -> Any:  # noqa: ANN401 - JSON
        isolated.setenv("PS7_SEAL_KEYS", keys(talk) if seal_keys is None else seal_keys)
        line = f"explain {saved({**vars(talk.tracker), **more})} --json"
        return json.loads(cli(line).done())["runs"]

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
  why          PS7's answer about this contextId is still valid: the slots show it.
  would set    cpf ***.982.247-**
  was set      cpf ***.982.247-**
"""


def test_explain_tells_a_person_the_story_of_a_conversation(
    isolated: pytest.MonkeyPatch, cli: Cli
) -> None:
    """With no PS7 configured: what was found, which rule fired, what came of it."""
    talk = Talk()
    talk.now += 0.25
    talk.arrives("ana")
    talk.set_slots(cpf="00000000000")
    talk.run(VERIFY)
    isolated.setenv("PS7_SEAL_KEYS", keys(talk))
    expected = STORY.replace("<correlation>", talk.bot.correlation.uuid(talk.tracker.sender_id))
    expected = expected.replace("<ana>", talk.bot.digest("ana"))
    assert cli(f"explain {saved(vars(talk.tracker))}") == (0, expected, "")


def test_what_somebody_wrote_into_a_slot_is_masked_by_its_value(explain: Explain) -> None:
    """A contextId that arrived, in a slot that is open by its name."""
    talk = Talk()
    talk.arrives("ctx-of-ana").arrives("diego")
    talk.set_slots(ps7_status="x ctx-of-ana").happens("action", name=VERIFY)
    ran = explain(talk)
    assert ran[1]["was_set"]["ps7_status"] == "************"
    assert "ctx-of-ana" not in json.dumps(ran)


def test_show_masks_nothing_but_seals(cli: Cli) -> None:
    """ContextIds, values, and what the user said."""
    talk = Talk()
    talk.user("bom dia").arrives("ana")
    out = cli(f"explain {saved(vars(talk.tracker))} --show").out
    assert "\n  said        oi\n  context id  number 1, value ana, found under contextId" in out
    assert "cpf 52998224725, agency 0001, ps7_context (sealed)" in out


def test_a_log_out_is_explained(explain: Explain) -> None:
    """With the bot's own slots that go with the customer."""
    talk = Talk()
    talk.arrives("ana")
    talk.set_slots(balance="100").happens("action", name="utter_greet")
    talk.set_slots(agency="1")
    talk.run(FORGET)
    looked_up, run = explain(talk)
    assert looked_up["was_set"].items() >= {"balance": "***", "agency": "****"}.items()
    assert (run["action"], run["rule"]) == (FORGET, "forget")
    assert run["by_name"]
    assert run["would_set"] == run["was_set"]
    assert (run["was_set"]["balance"], run["was_set"]["ps7_status"]) == (None, "missing")
    talk.brings("diego").run(VERIFY)
    assert explain(talk)[-1]["rule"] == talk.rule == "nothing-held", "by the rules of its action"


def test_each_context_id_has_its_number_and_place(
    explain: Explain, isolated: pytest.MonkeyPatch
) -> None:
    """The message that brought it and the path under which it stands, else the newest seal."""
    isolated.setenv("PS7_METADATA_KEYS", '["contextId.deep", "contextId"]')
    talk = Talk(a_bot(metadata_keys=["contextId.deep", "contextId"]))
    talk.user()
    talk.arrives({"deep": "ana"})
    talk.user()
    talk.arrives("diego")
    ran = explain(talk)
    assert [run["found"] for run in ran] == ["none", "new", "same", "another"]
    places = [run["context_id"] for run in ran]
    assert [place and (place["number"], place["found"]) for place in places] == [
        None,
        (1, "under contextId.deep in the metadata of this message"),
        (1, "under contextId.deep in the metadata of the message 1 turns before"),
        (2, "under contextId in the metadata of this message"),
    ]
    for event in talk.events:
        event["metadata"] = {}
    assert explain(talk)[-1]["context_id"]["found"] == "in the newest seal of this session"


def test_a_seal_that_no_key_opens_is_named(explain: Explain) -> None:
    """A forged one, one of another conversation, and one of another server's key."""
    talk = Talk()
    talk.arrives("ana")
    talk.user()
    other_key = explain(talk, seal_keys=json.dumps([Fernet.generate_key().decode()]))[-1]
    moved = explain(talk, sender_id="another")[-1]
    talk.set_slots(ps7_context="forged").brings()
    forged = explain(talk)[-1]
    assert [run["rule"] for run in (other_key, moved, forged)] == ["look-up", "look-up", "held"]
    for run in (other_key, moved, forged):
        assert run["why"].startswith("None of PS7_SEAL_KEYS opens the seal")


def test_without_keys_it_says_what_cannot_be_told(explain: Explain) -> None:
    """What came still can; before the first seal everything can."""
    talk = Talk()
    talk.arrives("ana")
    talk.brings("two words")
    first, second = explain(talk, seal_keys="")
    assert (first["rule"], list(first["context_id"])) == ("look-up", ["number", "found"])
    assert second["why"].endswith("Without PS7_SEAL_KEYS it cannot be read.")
    assert {second[name] for name in ("found", "held", "held_until", "rule", "would_set")} == {None}
    assert (second["context_id"]["number"], second["was_set"]) == (2, {})


def test_a_refused_arrival_is_explained(explain: Explain, isolated: pytest.MonkeyPatch) -> None:
    """With the back-end's keys it says why."""
    isolated.setenv("PS7_ARRIVAL_KEYS", json.dumps([ARRIVAL_KEY]))
    talk = Talk(signed())
    talk.brings("unsigned")
    [run] = explain(talk)
    why = ARRIVAL_REFUSED[Reason.ARRIVAL_SIGNATURE]
    assert run["rule"] == "arrival-refused"
    assert run["why"].startswith(f"The arrival was refused: {why}. ")


def test_a_context_id_in_another_place_is_pointed_at(explain: Explain) -> None:
    """The same words as in the log, for a conversation that is over."""
    talk = Talk().brings()
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
    talk.set_slots(ps7_context="forged", ps7_status="ok")
    talk.brings("two words")
    caplog.clear()
    assert [run["rule"] for run in explain(talk)] == ["unusable"]
    assert caplog.records == []


def test_explain_leaves_out_what_the_bot_fills_and_masks_what_is_cleared(explain: Explain) -> None:
    """What a call's domain fills itself is left out; what is cleared is masked, whatever its name.

    A name may be free for the bot because `init` renamed the plugin's slot.
    """
    talk = Talk()
    talk.arrives("ana")
    talk.set_slots(identification="RG 12.345-6")
    own = {"slots": {"cpf": {"mappings": [{"type": "from_text"}]}}}
    [run] = explain(talk, tracker=vars(talk.tracker), domain=own, sender_id="not of the tracker")
    assert run["correlation"] == talk.bot.correlation.uuid(talk.tracker.sender_id)
    assert list(run["was_set"]) == ["agency", "ps7_context", "ps7_status", "identification"]
    assert run["was_set"]["identification"] == "*********-6"


def test_the_lookup_of_a_session_start_is_explained(explain: Explain) -> None:
    """In the recipe that looks up as a session starts, it is the only one."""
    for carries_over, rule in ((True, "session-over"), (False, "nothing-held")):
        talk = Talk(carry_over_slots=carries_over, session_start=True)
        # What Rasa's API gives has no domain: there, slots are carried over.
        more = {} if carries_over else {"domain": talk.config}
        talk.brings("ana")
        start = explain(talk, **more)[0]
        assert (start["action"], start["message"], start["rule"]) == (SESSION_ACTION, 0, "look-up")
        assert start["was_set"]["ps7_status"] == "ok"
        assert start["context_id"]["found"] == "under contextId in the metadata of this message"
        talk.comes_back()
        assert explain(talk, **more)[-2]["rule"] == rule


def test_a_bot_that_calls_the_lookup_runs_it_then(
    explain: Explain, isolated: pytest.MonkeyPatch
) -> None:
    """By a rule, story or flow: then no message does, unless a seal was set at once after one."""
    talk = Talk()
    talk.brings("ana").run(LOOK_UP)
    talk.user()
    [run] = explain(talk)
    assert (run["message"], run["was_set"]["ps7_status"]) == (1, "ok")
    assert run["by_name"]
    talk = Talk()
    talk.arrives("ana")
    talk.happens("action", name=LOOK_UP)
    talk.user()
    ran = [(run["message"], run["by_name"]) for run in explain(talk)]
    assert ran == [(1, False), (1, True), (2, False)]
    isolated.setenv("PS7_SLOT_NAMES", json.dumps({**RENAMED, "ps7_context": "sealed"}))
    assert len(explain(talk)) == 1, "what the bot keeps in a slot ps7_context is no seal then"


# Files


NO_TRACKER = "tracker.json holds no tracker: it takes"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"\xff", "tracker.json is not JSON\n"),
        (b"[" * 100_000, "tracker.json is not JSON\n"),
        (b"[]", NO_TRACKER),
        (b'{"slots": {}}', NO_TRACKER),
        (b'{"tracker": [1], "slots": {}}', NO_TRACKER),
        (b'{"tracker": {"events": [], "slots": null}}', NO_TRACKER),
        (None, "tracker.json cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_tracker_is_said(cli: Cli, content: bytes | None, complaint: str) -> None:
    """In one line, and nothing of what stands in the file."""
    if content is not None:
        Path("tracker.json").write_bytes(content)
    code, out, err = cli("explain tracker.json")
    assert (code, out, err.count("\n"), err[: len(complaint)]) == (1, "", 1, complaint)


def test_an_answer_of_rasas_without_its_api_is_explained(
    monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """What curl gets then is a page, or nothing."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"<html>404</html>")))
    assert "the standard input is not JSON (Rasa's API answers" in cli("explain -").err


def test_nothing_to_explain_is_said(cli: Cli) -> None:
    """Malformed events count as none."""
    events = [1, None, {}, {"event": 1}, {"event": "slot"}]
    said = "No message and no action of the plugin is here: there is nothing to explain.\n"
    assert cli(f"explain {saved({'slots': {}, 'events': events})}") == (0, said, "")


@pytest.mark.parametrize("junk", [None, "x", [{}], {}, 1e308, -1e308])
def test_malformed_events_are_explained_without_an_error(cli: Cli, junk: object) -> None:
    """Whatever stands where Rasa puts a name, a time, a value or metadata."""
    kinds = ("user", "slot", "action", "rewind", "undo", "session_started", "other")
    fields = dict.fromkeys(("name", "value", "timestamp", "metadata", "text"), junk)
    named = ({"event": kind, **fields, **more} for kind in kinds for more in ({}, {"name": VERIFY}))
    events = [*named, {"event": "action", "name": VERIFY}]
    slots = {"ps7_status": "ok", "ps7_context": 1, "cpf": {"a": 1}, "[]": 1}
    file = saved({"slots": slots, "events": events, "latest_message": []})
    assert (cli(f"explain {file} --show").code, cli(f"explain {file} --json").code) == (0, 0)
