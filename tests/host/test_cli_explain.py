"""`rasa-ps7 explain`: a conversation that really took place, told turn by turn."""

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

    Tell = Callable[..., list[dict[str, Any]]]

# The simulator lives in the session's event loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOK_UP, VERIFY, FORGET = "action_ps7_context", "action_ps7_verify", "action_ps7_forget"
ACTIONS = [ActionPS7Context, ActionPS7Verify, ActionPS7Forget]
SLOTS = ("ps7_status", "ps7_context", "cpf", "account")
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
CPF = {"ana": "***.982.247-**", "bruno": "***.444.777-**"}
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
        """Give the time of day: events are stamped with that of the plugin."""
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
    """Give a conversation with PS7 at hand, and the keys in the environment."""
    assert settings
    return Stage(monkeypatch, tmp_path)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Explain a file for a machine, and give the runs."""

    def told(*arguments: str) -> list[dict[str, Any]]:
        assert main(["explain", *arguments, "--json"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        runs: list[dict[str, Any]] = json.loads(out)["runs"]
        return runs

    return told


def rows(runs: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """Give the row of each run."""
    return [(run["found"], run["held"], run["then"]) for run in runs]


STORY = """\
Message 1, 2026-11-24T12:00:01+00:00: action_ps7_context, as on every turn
  contextId  number 1, in the metadata of this message, under contextId, context=<ana> in the log
  found      new
  held       none
  then       look up
  why        A contextId came, and nothing is held: PS7 has to be asked.
  would set  only PS7's answer tells
  was set    cpf ***.982.247-**, account ******56, ps7_context (sealed), ps7_status ok

Message 2, 2026-11-24T12:00:02+00:00: action_ps7_context, as on every turn
  contextId  number 1, in the metadata of the message before, under contextId, context=<ana> in the log
  found      same
  held       ok, good, until 2026-11-24T13:00:01+00:00
  then       project, no call
  why        PS7 was asked about this contextId before, and what it said still holds.
  would set  nothing
  was set    cpf ***.000.000-**

Message 2, 2026-11-24T12:00:02+00:00: action_ps7_verify, called by its name
  contextId  number 1, in the metadata of the message before, under contextId, context=<ana> in the log
  found      same
  held       ok, good, until 2026-11-24T13:00:01+00:00
  then       project, no call
  why        PS7 was asked about this contextId before, and what it said still holds.
  would set  cpf ***.982.247-**
  was set    cpf ***.982.247-**

Message 3, 2026-11-24T12:00:03+00:00: action_ps7_context, as on every turn
  contextId  number 2, in the metadata of this message, under contextId, context=<bruno> in the log
  found      another
  held       ok, good, until 2026-11-24T13:00:01+00:00
  then       look up
  why        Another contextId came than the one that is held: PS7 has to be asked.
  would set  only PS7's answer tells
  was set    cpf ***.444.777-**, account ******21, ps7_context (sealed)

Message 3, 2026-11-24T12:00:03+00:00: action_ps7_forget, called by its name
  contextId  number 2, in the metadata of this message, under contextId, context=<bruno> in the log
  found      same
  held       ok, good, until 2026-11-24T13:00:03+00:00
  then       missing, everything nulled
  why        This action logs out whoever is known, and what came: neither is looked up again here.
  would set  cpf null, account null, ps7_context (sealed), ps7_status missing
  was set    cpf null, account null, ps7_context (sealed), ps7_status missing
"""  # noqa: E501 - as it is printed


async def story(stage: Stage) -> str:
    """Let ana come, be overwritten and put back; then bruno, who is logged out."""
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


async def test_a_person_is_told_the_story(
    stage: Stage, settings: dict[str, str], tmp_path: Path
) -> None:
    """As a process, with no PS7 configured: what was found, which row fired, what came of it."""
    file = await story(stage)
    keys = {"PS7_SEAL_KEYS": settings["PS7_SEAL_KEYS"]}
    ended = await command("explain", file, cwd=tmp_path, variables=keys)
    expected = STORY
    for name in CPF:
        expected = expected.replace(f"<{name}>", digest(settings, name))
    assert (ended.code, ended.out, ended.err) == (0, expected, "")
    assert not [secret for secret in (*SECRETS, "ana", "bruno") if secret in ended.out]


async def test_a_machine_is_told_the_story(
    stage: Stage, settings: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole document; numbers for contextIds, and no value of a customer."""
    await stage.say("ana")
    stage.save()
    assert main(["explain", str(stage.file), "--json"]) == 0
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
                    "where": "the metadata of this message",
                    "key": "contextId",
                    "context_digest": digest(settings, "ana"),
                },
                "found": "new",
                "held": "none",
                "held_until": None,
                "then": "look up",
                "why": ["A contextId came, and nothing is held: PS7 has to be asked."],
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


async def test_the_rows_of_the_story(stage: Stage, tell: Tell) -> None:
    """What fired, and what it would have set: what it did, where nothing else wrote meanwhile."""
    runs = tell(await story(stage))
    assert rows(runs) == [
        ("new", "none", "look up"),
        ("same", "ok, good", "project, no call"),
        ("same", "ok, good", "project, no call"),
        ("another", "ok, good", "look up"),
        ("same", "ok, good", "missing, everything nulled"),
    ]
    assert [run["would_set"] for run in runs] == [
        None,
        {},
        {"cpf": CPF["ana"]},
        None,
        {"cpf": None, "account": None, "ps7_context": "(sealed)", "ps7_status": "missing"},
    ]
    assert [run["was_set"].get("cpf", "-") for run in runs] == [
        *(CPF["ana"], "***.000.000-**", CPF["ana"], CPF["bruno"], None),
    ]


async def test_who_asks_to_see_everything_does(
    stage: Stage, tell: Tell, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--show`: contextIds, values, and what the user said."""
    await stage.say("ana")
    await stage.say({"no": "id"})
    first, second = tell(stage.save(), "--show")
    assert (first["text"], first["context_id"]["value"]) == ("oi", "ana")
    assert first["was_set"]["account"] == "00123456"
    assert second["context_id"]["value"] == {"no": "id"}
    assert main(["explain", str(stage.file), "--show"]) == 0
    out = capsys.readouterr().out
    assert "\n  said       oi\n  contextId  number 1, ana, in the metadata of this message" in out
    assert "cpf 52998224725, account 00123456" in out


async def test_every_ending_is_told(stage: Stage, tell: Tell) -> None:
    """What the runs decided is what the plugin did, through all the ways a lookup can end."""
    await stage.say()
    await stage.say("not-found")
    await stage.say()
    await stage.say(later=31)
    await stage.say("a b")
    await stage.say("http-401")
    await stage.say()
    await stage.say("ana")
    await stage.say(later=3600)
    runs = tell(stage.save())
    assert rows(runs) == [
        ("none", "none", "missing, no call"),
        ("new", "none", "look up"),
        ("same", "rejected", "rejected, no call"),
        ("same", "rejected", "look up"),
        ("another", "rejected", "invalid, no call"),
        ("another", "invalid", "look up"),
        ("same", "denied", "look up"),
        ("another", "denied", "look up"),
        ("same", "ok, too old", "look up"),
    ]
    assert [run["was_set"].get("ps7_status", "-") for run in runs] == [
        *("missing", "rejected", "-", "-", "invalid", "denied", "-", "ok", "-"),
    ]
    assert [run["context_id"] and run["context_id"]["number"] for run in runs] == [
        *(None, 1, 1, 1, 2, 3, 3, 4, 4),
    ]
    assert runs[4]["why"][0] == "What stands there is no usable contextId."
    # Where nobody was asked, the run is played again: it would set what it did.
    for run in runs:
        if run["then"] != "look up":
            assert run["would_set"] == run["was_set"]


async def test_a_forged_seal_is_told_from_a_foreign_one(stage: Stage, tell: Tell) -> None:
    """One that no key of ours made, and one of ours that was made for another conversation."""
    await stage.say("ana")
    seal = stage.bot.slots["ps7_context"]
    await stage.bot.set_slot("ps7_context", "forged")
    await stage.bot.run(VERIFY)
    forged = tell(stage.save())[-1]
    assert (forged["held"], forged["then"]) == ("none", "clear, tampered")
    assert forged["why"][0] == (
        "None of PS7_SEAL_KEYS opens the seal: another key made it, or it was altered."
    )
    assert seal
    foreign = tell(stage.save(sender_id="another"))[1]
    await stage.bot.set_slot("ps7_context", seal)
    assert foreign["why"][0].startswith("None of PS7_SEAL_KEYS opens the seal")
    await stage.say()
    moved = tell(stage.save(sender_id="another"))[-1]
    assert moved["why"][0] == (
        "The seal was made with a key of ours, for another conversation: the sender id in this "
        "file is not the one it was made for."
    )


WITHOUT_KEYS = """\
PS7_SEAL_KEYS is not set here: what the seals say cannot be told.

Message 1, 2026-11-24T12:00:01+00:00: action_ps7_context, as on every turn
  contextId  number 1, in the metadata of this message, under contextId
  found      new
  held       none
  then       look up
  why        A contextId came, and nothing is held: PS7 has to be asked.
  would set  only PS7's answer tells
  was set    cpf ***.982.247-**, account ******56, ps7_context (sealed), ps7_status ok

Message 2, 2026-11-24T12:00:02+00:00: action_ps7_context, as on every turn
  contextId  number 2, in the metadata of this message, under contextId
  found      ?
  held       ?
  then       ?
  why        What stands there is no usable contextId.
  why        A seal stands in this conversation. Without PS7_SEAL_KEYS nobody can tell what it says, and so which row fired.
  would set  ?
  was set    cpf null, account null, ps7_context (sealed), ps7_status invalid
"""  # noqa: E501 - as it is printed


async def test_without_keys_it_says_what_cannot_be_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was found still can; before the first seal everything can."""
    await stage.say("ana")
    await stage.say("a b")
    for name in [name for name in os.environ if name.startswith("PS7_")]:
        monkeypatch.delenv(name)
    assert main(["explain", stage.save()]) == 0
    assert capsys.readouterr() == (WITHOUT_KEYS, "")


async def test_another_key_opens_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    """Then the run is told as a server with that key would have decided it."""
    await stage.say("ana")
    await stage.say()
    monkeypatch.setenv("PS7_SEAL_KEYS", json.dumps([Fernet.generate_key().decode()]))
    assert tell(stage.save())[1]["why"] == [
        "None of PS7_SEAL_KEYS opens the seal: another key made it, or it was altered.",
        "A contextId came, and nothing is held: PS7 has to be asked.",
    ]


async def test_a_refused_arrival_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    """Why, with the back-end's keys; without them, that the token was taken as it stands."""
    key = "arrival-" * 4
    token = sign_arrival(key, "ana", "somebody-else")
    await stage.say(token)
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([key]))
    [run] = tell(stage.save())
    assert (run["then"], run["why"][0]) == (
        "invalid, no call",
        "The arrival was refused: its token was made for another conversation.",
    )
    monkeypatch.delenv("PS7_ARRIVAL_KEYS")
    [run] = tell(stage.save())
    assert run["then"] == "look up"
    assert run["why"][0] == (
        "It looks like an arrival token. PS7_ARRIVAL_KEYS is not set here, so it is taken as it "
        "stands."
    )


async def test_too_many_context_ids_are_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tell: Tell
) -> None:
    """As the action server decides it with the same setting."""
    for name in ("ana", "bruno", "carla"):
        await stage.say(name)
    monkeypatch.setenv("PS7_MAX_CONTEXTS", "2")
    assert rows(tell(stage.save())) == [
        ("new", "none", "look up"),
        ("another", "ok, good", "look up"),
        ("another", "ok, good", "rejected, no call"),
    ]


async def test_a_context_id_of_an_earlier_session_is_told(stage: Stage, tell: Tell) -> None:
    """It arrived there: here only its seal counts, and where that was wiped, nothing."""
    await stage.say("ana")
    stage.bot.expire_session()
    await stage.say()
    [*_, run] = tell(stage.save())
    assert (run["context_id"], run["would_set"]) == (None, {})
    assert rows([run]) == [("none", "ok, good", "project, no call")]
    assert run["why"] == ["No contextId came, and what PS7 said still holds."]
    await stage.bot.set_slot("ps7_context", None)
    await stage.say()
    [*_, run] = tell(stage.save())
    assert rows([run]) == [("none", "none", "clear, tampered")]


async def test_what_only_the_seal_still_knows_is_told(stage: Stage, tell: Tell) -> None:
    """A contextId that opened the session, looked up at its start, and renewed from the seal."""
    stage.bot.expire_session()
    await stage.say("ana")
    stage.save()
    tracker = json.loads(stage.file.read_text(encoding="utf-8"))
    for event in tracker["events"]:
        if event["event"] == "user":
            event["metadata"] = {}
    stage.clock.move(3600)
    at = {"timestamp": stage.time()}
    events = [
        *tracker["events"],
        {"event": "user", **at},
        {"event": "action", "name": VERIFY, **at},
    ]
    [*_, renewed, verified] = tell(stage.save(events=events))
    assert renewed["context_id"]["where"] == "the newest seal of this session"
    assert (renewed["context_id"]["key"], renewed["context_id"]["number"]) == (None, 1)
    assert rows([renewed, verified]) == [
        ("same", "ok, too old", "look up"),
        ("same", "ok, too old", "clear, expired"),
    ]
    assert verified["would_set"]["ps7_context"] == "(sealed)"


async def test_a_call_of_an_action_server_is_told(
    stage: Stage, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body that it gets, from the standard input: the run it asks for is the last one."""
    await stage.say("ana")
    await stage.say()
    stage.save()
    body = {
        "next_action": LOOK_UP,
        "sender_id": stage.bot.sender_id,
        "tracker": json.loads(stage.file.read_text(encoding="utf-8")),
        "domain": DOMAIN,
    }
    stdin = io.TextIOWrapper(io.BytesIO(json.dumps(body).encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    first, second = tell("-")
    assert (first["by_name"], first["then"]) == (False, "look up")
    assert (second["by_name"], second["then"], second["was_set"]) == (
        True,
        "project, no call",
        None,
    )
    assert second["would_set"] == {}


async def test_settings_that_cannot_be_used_are_said(
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
