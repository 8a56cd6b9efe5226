"""What `make scale` takes for wrong, without servers: one bad conversation among good ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from aiohttp import ClientError, ClientSession

from benchmarks.scale import users
from benchmarks.scale.acts import PLANS, Plan
from benchmarks.scale.proxy import Call
from benchmarks.scale.scenario import Act, Run
from benchmarks.scale.users import Turn, User
from benchmarks.scale.verdict import figures, of_act, problems

REPEATED = SimpleNamespace(cut_off=False, failed=False, refused=True)
NOBODY = {"ps7_status": "missing", "cpf": None, "agency": None, "account": None}
NEVER = "a conversation was expired, invalid or tampered"


def was(status: str) -> dict[str, Any]:
    """Return what a tracker has of a conversation that was this once."""
    return {"events": [{"event": "slot", "name": "ps7_status", "value": status}]}


def a_run() -> Run:
    """Make a run of one act, in which all is well."""
    users = [User(number, [Turn(0, 1, True, False, each) for each in "ab"]) for number in (0, 4)]
    calls: Any = [REPEATED]
    run = Run([Act(PLANS[2], users, calls=calls)])
    for user in users:
        (who,) = user.seen
        slots = {"ps7_status": "ok", **who.slots}
        run.trackers[user.number] = {"slots": slots, "events": []}
        run.lookups[who.context_id] = 1
    return run


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, []),
        ({"slots": NOBODY}, ["a tracker is wrong"]),
        ({"slots": {**NOBODY, "cpf": "1"}}, ["turns or trackers were mixed up", "a tracker is"]),
        *((was(status), [NEVER]) for status in ("expired", "invalid", "tampered")),
        (was("unavailable"), []),
    ],
)
def test_one_wrong_tracker_is_a_problem(wrong: dict[str, Any], said: list[str]) -> None:
    """However many are right."""
    run = a_run()
    run.trackers[4] |= wrong
    found = problems(run)
    assert [problem[: len(each)] for problem, each in zip(found, said, strict=True)] == said


def test_each_context_is_looked_up_and_a_server_is_away() -> None:
    """Else the run has shown nothing."""
    run = a_run()
    run.lookups, run.acts[0].calls = Counter(), ()
    assert len(problems(run)) == 2


@pytest.mark.parametrize(("plan", "most"), [(PLANS[2], 1), (PLANS[3], 2)])
def test_each_version_may_look_a_customer_up_once(plan: Plan, most: int) -> None:
    """If they seal in one format, one lookup does for both."""
    run = a_run()
    run.acts[0].plan = plan
    for lookups, problem in ((most, []), (most + 1, ["PS7 was asked more often"])):
        run.lookups.update(dict.fromkeys(run.lookups, lookups - min(run.lookups.values())))
        assert [each[:24] for each in problems(run)] == problem


def test_a_run_has_figures() -> None:
    """Of an act: what was lost, and lookups beyond one a contextId. Of all: times, who is right."""
    run, killed = a_run(), SimpleNamespace(cut_off=True, failed=True, refused=False)
    (act,) = run.acts
    act.seconds, act.calls = 1.5, cast("list[Call]", [REPEATED, REPEATED, killed])
    act.users[0].turns += [Turn(3, 5, right=False, mixed_up=True, server="a")] * 2
    run.trackers[4]["slots"] = NOBODY
    run.lookups[act.users[1].seen[0].context_id] = 4
    assert [*of_act(act, run).values()] == [2, 3, 1, 1, 2, 2, 3]
    assert [*figures(run).values()] == [2, 6, 4.0, "median 1000, p99 2000", 1, 1, "2, 5"]


REPEATS, AS_IS = {"repeats": True}, {"repeats": False}
CUT_OFF = {"cut_off": True, "failed": False}
FAILED = {"cut_off": True, "failed": True}


@pytest.mark.parametrize(
    ("plan", "call", "lost", "said"),
    [
        (REPEATS, CUT_OFF, [], []),
        (REPEATS, FAILED, [], ["an action call failed, or"]),
        (REPEATS, CUT_OFF, [(4, 6)], ["an action call failed, or"]),
        ({"lookups": 2}, CUT_OFF, [(1, 2), (8, 9)], []),
        (AS_IS, FAILED, [(4, 6)], []),
        (AS_IS, FAILED, [(1, 5)], []),
        (AS_IS, FAILED, [(6, 8)], []),
        (AS_IS, FAILED, [(1, 4.9)], ["a turn was lost that was not"]),
        (AS_IS, FAILED, [(6.1, 8)], ["a turn was lost that was not"]),
        (AS_IS, FAILED, [(4, 6), (4, 6)], ["more turns were lost than"]),
        (AS_IS, {**FAILED, "cut_off": False}, [], ["an action call failed that was"]),
    ],
)
def test_a_kill_costs_what_was_under_way_on_the_server(
    plan: dict[str, Any], call: dict[str, bool], lost: list[tuple[float, float]], said: list[str]
) -> None:
    """From 5 to 6 s here. Where nginx repeats the calls it costs nothing."""
    run = a_run()
    act = run.acts[0]
    act.plan, act.dying = replace(PLANS[2], **plan), (5.0, 6.0)
    act.calls = cast("list[Call]", [REPEATED, SimpleNamespace(refused=False, **call)])
    for server, times in enumerate(lost):
        act.users[0].turns.append(Turn(*times, right=False, mixed_up=False, server=f"{server}"))
    found = problems(run)
    assert [problem[: len(each)] for problem, each in zip(found, said, strict=True)] == said


def test_the_log_of_the_proxy_says_who_answered_a_call() -> None:
    """The last that was asked; one that was reached before it did not answer."""
    answered = {
        "200|one|0.000": Call("one", refused=False, cut_off=False),
        "499|one|0.000": Call("one", refused=False, cut_off=False),
        "200|one, two|-, 0.000": Call("two", refused=True, cut_off=False),
        "200|one, two|0.000, 0.000": Call("two", refused=False, cut_off=True),
    }
    failed = {
        "502|one, two|-, -": Call(None, refused=True, cut_off=False),
        "502|one|0.000": Call(None, refused=False, cut_off=True),
        "500|one|0.000": Call(None, refused=False, cut_off=True),
    }
    calls = answered | failed
    assert {line: Call.of(line) for line in calls} == calls
    assert [line for line, call in calls.items() if call.failed] == [*failed]


class Http:
    """Answers each message with the next text, and keeps who was asked what."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.sent = [*answers], list[Any]()

    @asynccontextmanager
    async def post(self, url: str, **sent: object) -> AsyncIterator[object]:
        self.sent.append((url, sent["json"], sent["headers"]))
        text = self.answers[len(self.sent) - 1]
        if text == "lost":
            raise ClientError
        told = AsyncMock(return_value=[{"text": text}])
        yield SimpleNamespace(headers={"X-Rasa": "one"}, ok=text != "error", json=told)


async def test_a_user_says_it_again_without_the_context_id() -> None:
    """Three times at most, to another server each time. The next customer goes on as themselves."""
    seven, eight = (f"Sua conta: agência 000{n}, conta 0000000{n}." for n in (7, 8))
    never = ["?"] * 4
    http = Http("error", eight, "lost", seven, seven, *never[1:], users._OPEN, eight, *never)
    user = User(3, sender="s")
    await user.talk(cast("ClientSession", http), "http://rasa", lambda *of: "/".join(of))
    assert [place for place, each in enumerate(user.turns) if each.right] == [3, 4, 8, 9]
    assert [place for place, each in enumerate(user.turns) if each.mixed_up] == [1]
    assert [each.server for each in user.turns[:4]] == ["one", "one", None, "one"]
    account, of_hours = users.ACCOUNT, users.HOURS
    said = [account] * 5 + [of_hours] * 4 + [account] * 5
    ids = {0: "scale-7/s", 9: "scale-8/s"}
    assert len(http.sent) == len(said)
    for place, (url, message, headers) in enumerate(http.sent):
        assert url == "http://rasa/webhooks/rest/webhook"
        metadata = {"contextId": ids[place]} if place in ids else {}
        assert message == {"sender": "s", "message": said[place], "metadata": metadata}
        assert headers == {"X-Turn": str(3 + place)}
