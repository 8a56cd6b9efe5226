"""`rasa-ps7 explain`: a conversation that really took place, explained run by run."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.cli.command import main
from actions.ps7.digest import KeyedDigest
from actions.ps7.testing import Conversation, sign_arrival
from tests.support.clock import Clock
from tests.support.command import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Explain = Callable[..., list[dict[str, Any]]]

# The simulator lives in the session's event loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOK_UP, VERIFY, FORGET = "action_ps7_context", "action_ps7_verify", "action_ps7_forget"
ACTIONS = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
SLOTS = ("ps7_status", "ps7_context", "cpf", "account", "balance")
DOMAIN: dict[str, Any] = {
    "actions": [LOOK_UP, VERIFY, FORGET],
    "slots": {
        name: {
            "type": "any",
            "mappings": [
                {"type": "custom", **({"action": LOOK_UP} if name == "ps7_status" else {})}
            ],
        }
        for name in SLOTS
    },
}
SECRETS = ("52998224725", "00123456", "11144477735", "00004321", "+5511999998888")


class Stage:
    """A conversation that is under way, its clock, and the file it is saved to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.clock = Clock(monkeypatch)
        self.bot = Conversation(
            DOMAIN,
            ACTIONS,
            sender_id="+5511999998888",
            now=self.time,
        )
        self.file = folder / "tracker.json"

    def time(self) -> float:
        """Return the time of day: events are stamped with that of the plugin."""
        return self.clock.now.timestamp()

    async def say(self, context_id: object = None, *, later: float = 1) -> None:
        self.clock.move(later)
        await self.bot.user("oi", metadata={"contextId": context_id} if context_id else {})

    def save(self, **more: object) -> str:
        """Write the tracker down as Rasa's API gives it."""
        tracker = {
            "sender_id": self.bot.sender_id,
            "slots": self.bot.slots,
            "latest_message": self.bot.latest_message,
            "events": self.bot.events,
        }
        self.file.write_text(json.dumps({**tracker, **more}), encoding="utf-8")
        return str(self.file)


@pytest.fixture
def stage(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stage:
    """A conversation with PS7 at hand, and the keys in the environment."""
    assert settings
    return Stage(monkeypatch, tmp_path)


@pytest.fixture
def explain(capsys: pytest.CaptureFixture[str]) -> Explain:
    """What explains a file for a machine, and returns the runs."""

    def explained(*arguments: str) -> list[dict[str, Any]]:
        assert main(["explain", *arguments, "--json"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        runs: list[dict[str, Any]] = json.loads(out)["runs"]
        return runs

    return explained


STORY = """\
Message 1, 2026-11-24T12:00:01+00:00: action_ps7_context, as on every turn
  context id  number 1, found under contextId in the metadata of this message, context_digest <ana>
  found       new
  held        none
  rule        look-up
  why         A contextId is at hand, and nothing that still holds is known of it: PS7 is asked.
  was set     cpf ***.982.247-**, account ******56, ps7_context (sealed), ps7_status ok

Message 2, 2026-11-24T12:00:02+00:00: action_ps7_context, as on every turn
  context id  number 1, found under contextId in the metadata of the message 1 turns before, context_digest <ana>
  found       same
  held        ok
  held until  2026-11-24T13:00:01+00:00
  rule        held
  why         What PS7 said still holds: PS7 is not asked, and the slots are made to say it.
  would set   nothing
  was set     cpf ***.000.000-**

Message 2, 2026-11-24T12:00:02+00:00: action_ps7_verify, called by its name
  context id  number 1, found under contextId in the metadata of the message 1 turns before, context_digest <ana>
  found       same
  held        ok
  held until  2026-11-24T13:00:01+00:00
  rule        held
  why         What PS7 said still holds: PS7 is not asked, and the slots are made to say it.
  would set   cpf ***.982.247-**
  was set     cpf ***.982.247-**

Message 3, 2026-11-24T12:00:03+00:00: action_ps7_context, as on every turn
  context id  number 2, found under contextId in the metadata of this message, context_digest <bruno>
  found       another
  held        ok
  held until  2026-11-24T13:00:01+00:00
  rule        look-up
  why         A contextId is at hand, and nothing that still holds is known of it: PS7 is asked.
  was set     cpf ***.444.777-**, account ******21, ps7_context (sealed)

Message 3, 2026-11-24T12:00:03+00:00: action_ps7_forget, called by its name
  context id  number 2, found under contextId in the metadata of this message, context_digest <bruno>
  found       same
  held        ok
  held until  2026-11-24T13:00:03+00:00
  rule        forget
  why         This action logs out the customer, and what came: neither is looked up again here.
  would set   cpf null, account null, ps7_context (sealed), ps7_status missing
  was set     cpf null, account null, ps7_context (sealed), ps7_status missing
"""  # noqa: E501 - as it is printed


async def story(stage: Stage) -> str:
    """Let ana come, be overwritten and restored; then bruno, who is logged out."""
    await stage.say("ana")
    await stage.say()
    await stage.bot.set_slot("cpf", "00000000000")
    await stage.bot.run(VERIFY)
    await stage.say("bruno")
    await stage.bot.run(FORGET)
    return stage.save()


def digest(settings: dict[str, str], context_id: str) -> str:
    [key] = json.loads(settings["PS7_SEAL_KEYS"])
    return KeyedDigest(key, "context id").short(context_id)


async def test_a_person_reads_the_story(
    stage: Stage, settings: dict[str, str], tmp_path: Path
) -> None:
    """As a process, with no PS7 configured: what was found, which rule fired, what came of it."""
    file = await story(stage)
    keys = {"PS7_SEAL_KEYS": settings["PS7_SEAL_KEYS"]}
    ended = await command("explain", file, cwd=tmp_path, variables=keys)
    expected = STORY
    for name in ("ana", "bruno"):
        expected = expected.replace(f"<{name}>", digest(settings, name))
    assert (ended.code, ended.out, ended.err) == (0, expected, "")
    assert not [secret for secret in (*SECRETS, "ana", "bruno") if secret in ended.out]


async def test_a_machine_reads_one_document(
    stage: Stage, settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Numbers for contextIds, and no value of a customer."""
    await stage.say("ana")
    assert main(["explain", stage.save(), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert json.loads(out) == {
        "seal_keys_set": True,
        "runs": [
            {
                "message": 1,
                "action": LOOK_UP,
                "by_name": False,
                "at": "2026-11-24T12:00:01+00:00",
                "context_id": {
                    "number": 1,
                    "found": "under contextId in the metadata of this message",
                    "context_digest": digest(settings, "ana"),
                },
                "found": "new",
                "held": "none",
                "held_until": None,
                "rule": "look-up",
                "why": "A contextId is at hand, and nothing that still holds is known of it: "
                "PS7 is asked.",
                "would_set": None,
                "was_set": {
                    "cpf": "***.982.247-**",
                    "account": "******56",
                    "ps7_context": "(sealed)",
                    "ps7_status": "ok",
                },
            }
        ],
    }


async def test_show_masks_nothing(
    stage: Stage, explain: Explain, capsys: pytest.CaptureFixture[str]
) -> None:
    """ContextIds, values, and what the user said."""
    await stage.say("ana")
    await stage.say({"no": "id"})
    first, second = explain(stage.save(), "--show")
    assert (first["said"], first["context_id"]["value"]) == ("oi", "ana")
    assert first["was_set"]["account"] == "00123456"
    assert second["context_id"]["value"] == {"no": "id"}
    assert main(["explain", str(stage.file), "--show"]) == 0
    out = capsys.readouterr().out
    assert "\n  said        oi\n  context id  number 1, value ana, found under contextId in" in out
    assert "cpf 52998224725, account 00123456" in out


async def test_runs_are_explained_as_the_plugin_made_them(stage: Stage, explain: Explain) -> None:
    """Through all the ways a lookup can end; what asks nobody would set what it did set."""
    await stage.say()
    await stage.say("not-found")
    await stage.say()
    await stage.say(later=31)
    await stage.say("a b")
    await stage.say("http-401")
    await stage.say()
    await stage.say("ana")
    await stage.say(later=3600)
    runs = explain(stage.save())
    assert [(run["found"], run["held"], run["rule"]) for run in runs] == [
        ("none", "none", "nothing-held"),
        ("new", "none", "look-up"),
        ("same", "rejected", "failed-before"),
        ("same", "rejected", "look-up"),
        ("another", "rejected", "unusable"),
        ("another", "invalid", "look-up"),
        ("same", "denied", "look-up"),
        ("another", "denied", "look-up"),
        ("same", "ok", "look-up"),
    ]
    assert [run["was_set"].get("ps7_status", "-") for run in runs] == [
        *("missing", "rejected", "-", "-", "invalid", "denied", "-", "ok", "-"),
    ]
    assert [run["context_id"] and run["context_id"]["number"] for run in runs] == [
        *(None, 1, 1, 1, 2, 3, 3, 4, 4),
    ]
    assert [run["would_set"] for run in runs] == [
        None if run["rule"] == "look-up" else run["was_set"] for run in runs
    ]


async def test_a_seal_that_no_key_opens_is_named(
    stage: Stage, explain: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forged one, one of another conversation, and one of another server's key."""
    await stage.say("ana")
    await stage.say()
    said = "None of PS7_SEAL_KEYS opens the seal"
    assert [run["why"].startswith(said) for run in explain(stage.save())] == [False, False]
    moved = explain(stage.save(sender_id="another"))[-1]
    assert (moved["rule"], moved["why"].startswith(said)) == ("look-up", True)
    await stage.bot.set_slot("ps7_context", "forged")
    await stage.bot.run(VERIFY)
    forged = explain(stage.save())[-1]
    assert (forged["held"], forged["rule"]) == ("none", "no-seal-behind")
    assert forged["why"].startswith(said)
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode()]))
    other_key = explain(stage.save())[1]
    assert (other_key["rule"], other_key["why"].startswith(said)) == ("look-up", True)


WITHOUT_KEYS = """\
Message 1, 2026-11-24T12:00:01+00:00: action_ps7_context, as on every turn
  context id  number 1, found under contextId in the metadata of this message
  found       new
  held        none
  rule        look-up
  why         A contextId is at hand, and nothing that still holds is known of it: PS7 is asked.
  was set     cpf ***.982.247-**, account ******56, ps7_context (sealed), ps7_status ok

Message 2, 2026-11-24T12:00:02+00:00: action_ps7_context, as on every turn
  context id  number 2, found under contextId in the metadata of this message
  why         A seal stands in this conversation. Without PS7_SEAL_KEYS it cannot be read.
  was set     cpf null, account null, ps7_context (sealed), ps7_status invalid
"""


async def test_without_keys_it_says_what_cannot_be_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came still can; before the first seal everything can."""
    await stage.say("ana")
    await stage.say("a b")
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    assert main(["explain", stage.save()]) == 0
    assert capsys.readouterr() == (WITHOUT_KEYS, "")


async def test_a_refused_arrival_is_explained(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, explain: Explain
) -> None:
    """With the back-end's keys it says why."""
    key = "arrival-" * 4
    await stage.say(sign_arrival(key, "ana", "somebody-else"))
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([key]))
    [run] = explain(stage.save())
    assert run["rule"] == "arrival-refused"
    assert run["why"].startswith(
        "The arrival was refused: its token was made for another conversation."
    )


async def test_settings_decide_as_on_the_action_server(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, explain: Explain
) -> None:
    """How many contextIds a session may ask about, under which keys, and the bot's own slots."""
    for name in ("ana", "bruno", "carla"):
        await stage.say(name)
    await stage.say({"deep": "diego"})
    await stage.bot.set_slot("balance", "100")
    monkeypatch.setenv("PS7_MAX_CONTEXTS", "2")
    monkeypatch.setenv("PS7_METADATA_KEYS", '["other", "contextId.deep", "contextId"]')
    monkeypatch.setenv("PS7_CLEAR_SLOTS", '["balance"]')
    runs = explain(stage.save())
    assert [run["rule"] for run in runs] == ["look-up", "look-up", "too-many", "too-many"]
    assert runs[3]["context_id"]["found"] == "under contextId.deep in the metadata of this message"
    assert runs[3]["was_set"]["balance"] == "***"


async def test_a_context_id_of_an_earlier_session(stage: Stage, explain: Explain) -> None:
    """It arrived there: here only its seal counts, and where that was wiped, nothing."""
    await stage.say("ana")
    stage.bot.expire_session()
    await stage.say()
    [*_, run] = explain(stage.save())
    assert (run["context_id"], run["found"], run["rule"]) == (None, "none", "held")
    assert run["would_set"] == {}
    await stage.bot.set_slot("ps7_context", None)
    await stage.say()
    assert explain(stage.save())[-1]["rule"] == "no-seal-behind"


async def test_a_context_id_that_only_the_seal_knows(stage: Stage, explain: Explain) -> None:
    """One that opened the session, was looked up at its start, and is renewed from the seal."""
    stage.bot.expire_session()
    await stage.say("ana")
    stage.save()
    events = json.loads(stage.file.read_text(encoding="utf-8"))["events"]
    for event in events:
        if event["event"] == "user":
            event["metadata"] = {}
    stage.clock.move(3600)
    at = {"timestamp": stage.time()}
    later = [{"event": "user", **at}, {"event": "action", "name": VERIFY, **at}]
    [*_, renewed, verified] = explain(stage.save(events=[*events, *later]))
    assert renewed["context_id"]["found"] == "in the newest seal of this session"
    assert (renewed["found"], renewed["rule"]) == ("same", "look-up")
    assert (verified["rule"], verified["would_set"]["ps7_status"]) == ("held-too-old", "expired")


async def test_a_call_of_an_action_server_tells_the_bots_own_slots(
    stage: Stage, explain: Explain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body that it gets, from the standard input: its domain says what the bot fills itself."""
    await stage.say("ana")
    stage.save()
    own = {"type": "text", "mappings": [{"type": "from_text"}]}
    body = {
        "next_action": LOOK_UP,
        "tracker": json.loads(stage.file.read_text(encoding="utf-8")),
        "domain": {**DOMAIN, "slots": {**DOMAIN["slots"], "cpf": own}},
    }
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(body).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    [run] = explain("-")
    assert list(run["was_set"]) == ["account", "ps7_context", "ps7_status"]


async def test_settings_that_cannot_be_used_are_named(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that are there; none of PS7's own is missed."""
    stage.save()
    monkeypatch.delenv("PS7_BASE_URL")
    monkeypatch.setenv("PS7_SEAL_KEYS", '["planted"]')
    assert main(["explain", str(stage.file)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "The PS7 settings are not usable:\n"
        "  PS7_SEAL_KEYS cannot be used; it expects a JSON list of Fernet keys, newest first\n"
    )
