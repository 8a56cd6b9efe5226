"""The desk itself: whose a ticket is and until when, and what becomes of what is said."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from examples import desk as module
from examples.desk import main
from tests.support.agents import CAIO, DELIVERED, JOINED, LIA, Opened
from tests.support.answering import answering
from tests.support.waiting import until

RASA_TOKEN = "made up, for Rasa"
BODY = {"reason": "ask_human", "conversation": "1", "channel": "webchat"}
TAKES, WRITES = ("PUT", CAIO, "/agent"), ("POST", CAIO, "/messages", "Olá")
RETURNS, READS = ("DELETE", CAIO), ("GET", CAIO, "/messages")
NOT, PERHAPS = "not delivered: the page is closed", "perhaps delivered: no answer"
FAILED = {"delivered": False, "why": NOT, "status": 502}
LOST = {"delivered": None, "why": "Rasa did not answer", "status": 504}
PAUSE = {"event": "pause"}


class FakeRasa:
    """What the desk asks of Rasa's HTTP API: one conversation, or several that are alike."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, list[dict[str, Any]]]] = []
        """What was appended, and to which conversation."""
        self.read: list[str] = []
        self.events: list[dict[str, Any]] = [PAUSE]
        self.paused = True
        self.refuses: list[str | None] = []
        """What it answers to the next appends; None: that it took them. An empty text hangs up."""
        self.idle, self.behind = asyncio.Event(), asyncio.Semaphore(0)
        """Whether no turn runs, behind which what is appended waits; and each that came to wait."""
        self.idle.set()

    async def answer(self, request: web.Request) -> web.Response:
        assert request.query["token"] == RASA_TOKEN
        _, _, conversation, *what = map(unquote, request.rel_url.raw_path.split("/"))
        assert what == (["tracker"] if request.method == "GET" else ["tracker", "events"])
        if request.method == "GET":
            self.read.append(conversation)
            return web.json_response({"events": self.events, "paused": self.paused})
        assert request.query["output_channel"] == "latest"
        assert request.query["execute_side_effects"] == "true"
        self.behind.release()
        await self.idle.wait()
        events = await request.json()
        self.asked.append((conversation, events))
        why = self.refuses.pop(0) if self.refuses else None
        if why == "":
            assert request.transport
            request.transport.close()
        if why is not None:
            told = {"message": f"An unexpected error occurred. Error: {why}", "code": 500}
            return web.json_response(told, status=500)
        return web.json_response({"events": self.events, "paused": self.paused})

    async def stops_at(self, asking: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        """Let something be asked; return it once it waits for a turn that runs from now on."""
        self.idle, self.behind = asyncio.Event(), asyncio.Semaphore(0)
        waits = asyncio.create_task(asking)
        await self.behind.acquire()
        return waits

    def said(self) -> list[tuple[str, str | None, object]]:
        """Return the texts so far, who said each, and what the page was told."""
        return [
            (each["text"], each["metadata"]["agent"], each["data"].get("custom"))
            for _, events in self.asked
            for each in events
            if each["event"] == "bot"
        ]


def signal(name: str, agent: str | None = "Caio") -> tuple[str, None, object]:
    """Return what the desk says to customer and page when a ticket changes."""
    text = module.SIGNALS[name].format(agent=agent)
    return text, None, {"data": {"conversation": name, "agent": agent}}


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    fake = FakeRasa()
    async with answering(fake.answer) as fake.url:
        yield fake


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what lets a minute go by, for which a ticket waits for an agent."""
    gone_by = asyncio.Event()

    async def sleep(seconds: float) -> None:
        assert seconds == 60
        await gone_by.wait()

    monkeypatch.setattr(module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    return gone_by


@pytest.fixture
async def desk(rasa: FakeRasa, late: asyncio.Event) -> AsyncIterator[Opened]:  # noqa: ARG001
    """Yield a desk that has one ticket."""
    async with Opened(rasa.url, token=RASA_TOKEN) as opened:
        assert await opened.gets(BODY) == 201
        yield opened


async def verbs(desk: Opened, agent: dict[str, str], at: str = "k") -> list[int]:
    """Return the statuses of everything that an agent can do with a ticket."""
    url = f"/handovers/{at}"
    answers = [
        await desk.get(f"{url}/messages", headers=agent),
        await desk.put(f"{url}/agent", headers=agent),
        await desk.post(f"{url}/messages", json={"text": "Olá"}, headers=agent),
        await desk.delete(url, headers=agent),
    ]
    return [each.status for each in answers]


async def test_an_agent_takes_a_ticket_writes_and_returns_it(rasa: FakeRasa, desk: Opened) -> None:
    """The customer and the page hear of each, and the list shows whose it is. Then it is over."""
    own = CAIO | {"Idempotency-Key": "joined"}  # no word of the desk's own
    listed, answers = [], []
    for verb, _, *what in (READS, TAKES, TAKES, WRITES, RETURNS):
        listed.append((await (await desk.get("/handovers")).json())["k"])
        answers.append(await desk.does(verb, own, *what))
    assert answers == [[], *[DELIVERED] * 4]
    assert listed == [
        *[{**BODY, "state": "waiting", "agent": None}] * 2,
        *[{**BODY, "state": "with an agent", "agent": "Caio"}] * 3,
    ]
    assert [await verbs(desk, each) for each in (CAIO, LIA)] == [[410] * 4] * 2
    over = {"k": {"state": "over", "agent": "Caio"}}
    assert await (await desk.get("/handovers")).json() == over
    assert rasa.said() == [signal("joined"), ("Olá", "Caio", None), signal("returned")]
    back = [{"event": "slot", "name": "handed_over", "value": False}, {"event": "resume"}]
    assert rasa.asked[2] == ("1", back)
    keys = [events[0]["metadata"]["message_key"] for _, events in rasa.asked if len(events) == 1]
    assert len({*keys}) == 3


async def test_the_first_agent_has_it(rasa: FakeRasa, desk: Opened) -> None:
    """Others are refused, and nobody writes who did not take it. Two returns say one thing."""
    assert (await desk.does(*WRITES), rasa.said()) == (409, [])
    both = (desk.does("PUT", each, "/agent") for each in (CAIO, LIA))
    assert sorted(await asyncio.gather(*both), key=str) == [409, DELIVERED]
    name = desk.tickets["k"].agent
    mine, other = (CAIO, LIA) if name == "Caio" else (LIA, CAIO)
    for each in (other["Agent"], *alike(mine["Agent"])):
        assert await verbs(desk, mine | {"Agent": each}) == [409] * 4
    first = await rasa.stops_at(desk.does("DELETE", mine))
    assert await desk.does("DELETE", mine) == 410
    rasa.idle.set()
    assert await first == DELIVERED
    assert rasa.said() == [signal(each, name) for each in ("joined", "returned")]


def alike(name: str) -> list[str]:
    """Return names that are not this one, though a person may not see it."""
    return [name.lower(), name.upper(), name.replace("a", "a\u0301"), name[:-1]]


async def test_a_conversation_is_no_other_that_looks_like_it(desk: Opened) -> None:
    """Its hand-over ends no ticket of theirs; by Unicode's forms, too."""
    for name in ("Ana", *alike("Ana"), " Ana", "\u00e9", "e\u0301"):
        assert await desk.gets({**BODY, "conversation": name}, f"k{len(desk.tickets)}") == 201
    assert [each.over for each in desk.tickets.values()] == [False] * 9


@pytest.mark.parametrize("taken", [True, False])
async def test_a_ticket_ends_with_the_next_of_its_conversation(
    rasa: FakeRasa, desk: Opened, *, taken: bool
) -> None:
    """An agent of the first is not in the second; another conversation's goes on.

    The key of one that is over is a new ticket: the bot did not hear that the first was taken. What
    is said in one is not taken for what was said in another. Who returns one need not have had it.
    """
    await desk.gets({**BODY, "conversation": "2"}, "other")
    if taken:
        assert await desk.does(*TAKES) == DELIVERED
    await desk.gets(BODY, "k2")
    assert await verbs(desk, CAIO) == [410] * 4
    for key in ("k2", "other"):
        assert await verbs(desk, LIA, key) == [200] * 4
    assert await desk.gets(BODY) == 201
    assert await verbs(desk, LIA) == [200] * 4
    assert await desk.gets(BODY) == 201
    assert await desk.does(*RETURNS) == DELIVERED
    assert rasa.said()[-1] == signal("returned")
    keys = [each["metadata"]["message_key"] for _, (each, *_) in rasa.asked if "text" in each]
    assert len({*keys}) == len(keys) == (11 if taken else 10)


async def test_a_ticket_ends_with_the_session(rasa: FakeRasa, desk: Opened) -> None:
    """Rasa has the conversation again: whoever is there now may be another customer.

    One that waits is kept: the bot may not have paused yet.
    """
    for rasa.paused, rasa.events in ((False, [PAUSE]), (True, [])):
        assert await verbs(desk, CAIO) == [409] * 4
    rasa.events = [PAUSE]
    assert await desk.does(*TAKES) == DELIVERED
    for rasa.paused in (False, True):
        assert await verbs(desk, CAIO) == [410] * 4
    assert rasa.said() == [signal("joined")]


async def test_nobody_comes(rasa: FakeRasa, desk: Opened, late: asyncio.Event) -> None:
    """The customer is told, and the ticket is over. Whom an agent has, or the bot, is not told."""
    for key in ("taken", "over", "again"):
        await desk.gets({**BODY, "conversation": key.replace("again", "over")}, key)
    await desk.does(*TAKES, at="taken")
    late.set()
    await until("the last is returned", lambda: len(rasa.said()) == 3)
    assert await verbs(desk, CAIO) == [410] * 4
    assert await desk.does(*READS, at="taken") == []
    rasa.paused = False
    await desk.gets({**BODY, "conversation": "3"}, "not paused")
    timer = desk.tickets["not paused"].timer
    assert timer
    await timer
    assert desk.tickets["not paused"].over
    told = [(conversation, len(events)) for conversation, events in rasa.asked]
    assert sorted(told) == [("1", 1), ("1", 2), ("over", 1), ("over", 2), ("taken", 1)]
    assert rasa.said() == [signal("joined"), *[signal("never_came", None)] * 2]


@pytest.mark.parametrize(
    ("refused", "answers", "attempts"),
    [
        ([None], [DELIVERED] * 2, 1),
        ([NOT, NOT, None], [FAILED, FAILED, DELIVERED, DELIVERED], 3),
        ([PERHAPS], [{**LOST, "why": PERHAPS}] * 2, 1),
        (["another error"], [LOST] * 2, 1),
        ([""], [LOST] * 2, 1),
        ([NOT, ""], [FAILED, LOST, LOST], 2),
    ],
)
async def test_an_agent_hears_what_became_of_the_words(
    rasa: FakeRasa,
    desk: Opened,
    refused: list[str | None],
    answers: list[dict[str, object]],
    attempts: int,
) -> None:
    """The same key says nothing twice: it tries again only what surely did not arrive."""
    await desk.does(*TAKES)
    rasa.refuses = [*refused]
    assert [await desk.does(*WRITES) for _ in answers] == answers
    assert rasa.said()[1:] == [("Olá", "Caio", None)] * attempts
    keys = {events[0]["metadata"]["message_key"] for _, events in rasa.asked[1:]}
    assert len(keys) == 1
    assert await desk.does("POST", CAIO, "/messages", "x") == 409


async def test_words_that_rasa_takes_late_are_said_once(rasa: FakeRasa, desk: Opened) -> None:
    """Behind a turn that runs: the agent gives up waiting, and asks again with the same key.

    So if an answer is lost; and a return goes on without whoever asked for it.
    """
    await desk.does(*TAKES)
    assert (module._DEADLINE.total or 0) > 60, "Rasa locks a conversation for a minute"
    (await rasa.stops_at(desk.does(*WRITES))).cancel()
    twice = asyncio.gather(desk.does(*WRITES), desk.does(*WRITES))
    await asyncio.sleep(0.1)
    rasa.idle.set()
    assert [*await twice, await desk.does(*WRITES)] == [DELIVERED] * 3
    rasa.refuses = [""]
    another = ("POST", CAIO | {"Idempotency-Key": "m2"}, "/messages", "Olá")
    assert await desk.does(*another) == LOST
    rasa.events += rasa.asked[-1][1]
    assert [await desk.does(*another) for _ in range(2)] == [DELIVERED] * 2
    assert rasa.said()[1:] == [("Olá", "Caio", None)] * 2
    (await rasa.stops_at(desk.does(*RETURNS))).cancel()
    assert await desk.does(*WRITES) == 410
    rasa.idle.set()
    await until("it is returned", lambda: rasa.said()[3:] == [signal("returned")])


async def test_a_channel_that_reaches_nobody_is_refused_first(
    rasa: FakeRasa, desk: Opened, late: asyncio.Event
) -> None:
    """Rasa would say 200. The conversation can be returned, and by itself, in silence."""
    for each in ("silent", "alone"):
        await desk.gets({**BODY, "channel": "rest", "conversation": each}, each)
    assert await verbs(desk, CAIO, "silent") == [200, 409, 409, 200]
    await desk.gets({**BODY, "channel": "rest"}, "k2")
    silent = {"delivered": False, "why": "over this channel nothing reaches the customer"}
    assert await desk.does(*RETURNS, at="k2") == silent
    late.set()
    await until("it is returned", lambda: len(rasa.asked) == 3)
    assert await verbs(desk, CAIO, "alone") == [410] * 4
    returned = [(conversation, len(events)) for conversation, events in rasa.asked]
    assert returned == [("silent", 2), ("1", 2), ("alone", 2)]


async def test_a_ticket_stays_if_rasa_is_away(
    rasa: FakeRasa, desk: Opened, late: asyncio.Event, capsys: pytest.CaptureFixture[str]
) -> None:
    """The agent hears so, and returns it later; of one that waits the desk says so, by no name.

    Not if its conversation has another ticket meanwhile.
    """
    said: list[str] = []

    def complained() -> bool:
        said.append(capsys.readouterr().err)
        return any(said)

    await desk.gets({**BODY, "conversation": "2"}, "alone")
    await desk.does(*TAKES)
    rasa.refuses = ["away"] * 2
    assert await desk.does(*RETURNS) == 502
    late.set()
    await until("a complaint", complained)
    assert "".join(said) == "A conversation was not returned: ClientError\n"
    for agent, key in ((CAIO, "k"), (LIA, "alone")):
        assert await verbs(desk, agent, key) == [200] * 4
    late.clear()
    await desk.gets(BODY)
    rasa.refuses = ["away"]
    returning = await rasa.stops_at(desk.does(*RETURNS))
    await desk.gets(BODY, "k2")
    rasa.idle.set()
    assert await returning == 502
    assert await verbs(desk, CAIO) == [410] * 4
    desk.rasa._url = "http://127.0.0.1:1"
    assert await verbs(desk, CAIO, "k2") == [502] * 4


def customer(text: str | None, metadata: object = None, at: float = 0.5) -> dict[str, Any]:
    return {"event": "user", "timestamp": at, "text": text, "metadata": metadata}


async def test_an_agent_reads_what_was_written_since_the_pause(
    rasa: FakeRasa, desk: Opened
) -> None:
    """And not what another agent was told before it. Both hear of each picture, once."""
    rasa.events = [
        *(PAUSE, customer("meu cartão"), {"event": "resume"}, PAUSE),
        customer("de novo eu"),
        customer("/affirm", {"title": "Sim"}),
        customer("/deny", {}),
        customer("oi", {"title": "Sim"}),
        *(customer("/send_media", at=each) for each in (1.5, 2.5)),
        customer(None),
        {"event": "bot", "text": "Sou o Caio", "metadata": {"agent": "Caio"}},
        {"event": "bot", "text": JOINED, "metadata": {"agent": None}},
        {"event": "bot", "text": None},
    ]
    await desk.gets({**BODY, "conversation": "../1?a#b"}, "odd")
    reads = [await desk.does(*READS, at="odd")]
    assert rasa.said() == []
    await desk.does(*TAKES, at="odd")
    reads += [await desk.does(*READS, at="odd") for _ in range(2)]
    assert [[[*line.values()] for line in each] for each in reads] == [
        [
            *(["customer", each] for each in ("de novo eu", "Sim", "/deny", "oi")),
            *[["customer", "(arquivo que este canal não traz)"]] * 2,
            *(["agent", "Sou o Caio"], ["desk", JOINED]),
        ]
    ] * 3
    assert rasa.said() == [signal("joined"), *[(module.ONLY_TEXT, None, None)] * 2]
    assert {*rasa.read} == {"../1?a#b"}


LONG = "a" * 2_000
OF_NOBODY: list[dict[str, str]] = [{}, {"Agent": " "}, {"Agent": "a" * 65}, {"Agent": "a\u202eb"}]
WORDS, KEY = json.dumps({"text": "Olá"}), {"Idempotency-Key": "k"}


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        *((json.dumps({"text": text}), KEY, 200) for text in ("a", LONG, " a\nb ")),
        *(
            (json.dumps({"text": text}), KEY, 400)
            for text in (None, "", " \n", LONG + "a", 1, ["a"], {"a": "b"})
        ),
        *((data, KEY, 400) for data in ("{", "[]", "null", "{}", "[" * 100_000, b"\xff")),
        *((WORDS, {"Idempotency-Key": each}, 400) for each in ("", "k" * 65)),
        (WORDS, {"Idempotency-Key": "k" * 64}, 200),
        *((WORDS, {"Agent": "", **each}, 400) for each in OF_NOBODY),
        (WORDS, {"Agent": "João"}, 409),
        (WORDS, {"Authorization": "Bearer x"}, 401),
    ],
)
async def test_what_is_no_message_is_refused(
    rasa: FakeRasa, desk: Opened, data: str | bytes, headers: dict[str, str], status: int
) -> None:
    """And is said to nobody: a null is not the text "None"."""
    await desk.does(*TAKES)
    answer = await desk.post("/handovers/k/messages", data=data, headers=CAIO | headers)
    assert answer.status == status
    assert [text for text, *_ in rasa.said()[1:]] == (
        [json.loads(data)["text"]] if status == 200 else []
    )
    assert await desk.does(*RETURNS, at="another") == 404


NAMELESS = (None, "", " ", ".", "..", 1, ["1"], "a\nb", "\ud800")
POSTS: list[tuple[object, str, int]] = [
    *(([], "k", 400), (None, "k", 400), ({}, "k", 400), (BODY, "", 400)),
    *(({**BODY, "conversation": name}, "k", 400) for name in NAMELESS),
    *((BODY, "k", 200), ({**BODY, "reason": "x"}, "k", 409)),
    *(({**BODY, "conversation": "..."}, "k2", status) for status in (201, 200)),
]


async def test_a_key_with_another_body_is_refused(desk: Opened) -> None:
    """And with the same one it is the hand-over that is there already. Without a key, it is none.

    Nor without a conversation that stays in the path of Rasa's API.
    """
    for body, key, status in POSTS:
        assert await desk.gets(body, key) == status, body
    assert desk.tickets.keys() == {"k", "k2"}


async def test_the_desk_starts_with_its_token_and_the_way_back(
    rasa: FakeRasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a token whoever comes would be the bot. It listens on this machine alone.

    Each hand-over is printed as it comes: the chats read it while the desk runs.
    """
    made: dict[str, Any] = {}
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, encoding="utf-8"))
    arguments = ["--port", "8091", "--patience", "0", "--channels", "sms"]
    monkeypatch.setattr(sys, "argv", ["desk.py", *arguments])
    monkeypatch.setattr(web, "run_app", lambda app, **told: made.update(told, app=app))
    monkeypatch.setenv("HANDOVER_TOKEN", "")
    monkeypatch.setenv("RASA_URL", rasa.url)
    monkeypatch.setenv("RASA_TOKEN", RASA_TOKEN)
    with pytest.raises(SystemExit, match="HANDOVER_TOKEN"):
        main()
    monkeypatch.setenv("HANDOVER_TOKEN", "made up")
    main()
    assert (made["host"], made["port"]) == ("127.0.0.1", 8091)
    body = {**BODY, "channel": "sms", "segment": "Personnalité"}
    async with TestClient(TestServer(made["app"], host="127.0.0.1")) as http:
        assert (await http.get("/")).status == 200, "whoever starts it asks whether it answers"
        headers = {"Authorization": "Bearer made up", "Idempotency-Key": "k"}
        assert (await http.post("/handovers", json=body, headers=headers)).status == 201
        assert json.loads(printed.getvalue()) == body
        assert "Personnalité" in printed.getvalue().decode()
        await until("nobody comes", rasa.said)
    assert rasa.said() == [signal("never_came", None)]
    monkeypatch.setattr(sys, "argv", ["desk.py"])
    monkeypatch.delenv("RASA_URL")
    main()
    usual = made["app"].middlewares[0].__self__
    assert (made["port"], usual.rasa._url) == (8090, "http://127.0.0.1:5005")
    assert (usual.patience, {*usual.channels}) == (15 * 60, {"webchat", "whatsapp"})
