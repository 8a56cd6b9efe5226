"""The desk itself: whose a ticket is and until when, and what becomes of what is said."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from examples import desk as module
from examples.desk import Desk, Rasa, main
from tests.support.waiting import until

TOKEN = "made up, for the desk"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}
BODY = {"reason": "ask_human", "conversation": "1", "channel": "webchat"}
CAIO, LIA = {"Agent": "Caio"}, {"Agent": "Lia"}
HELLO, WORDS = {"Idempotency-Key": "m1"}, {"text": "Olá"}
TICKET = "/handovers/k"
NOT, PERHAPS = "not delivered: the page is closed", "perhaps delivered: no answer"
PAUSE = {"event": "pause"}
JOINED = module.SIGNALS["joined"].format(agent="Caio")

Client = TestClient[web.Request, web.Application]


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
        self.busy: asyncio.Event | None = None
        """Whether a turn runs, behind which what is appended waits."""

    async def answer(self, request: web.Request) -> web.Response:
        assert request.query["token"] == "made up, for Rasa"
        conversation = request.match_info["id"]
        if request.method == "GET":
            self.read.append(conversation)
            return web.json_response({"events": self.events, "paused": self.paused})
        assert request.query["output_channel"] == "latest"
        assert request.query["execute_side_effects"] == "true"
        if self.busy:
            await self.busy.wait()
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
    fake, app = FakeRasa(), web.Application()
    app.router.add_route("*", "/conversations/{id}/{what:.*}", fake.answer)
    async with TestServer(app, host="127.0.0.1") as server:
        fake.url = str(server.make_url("")).rstrip("/")
        yield fake


def opened(rasa: FakeRasa, patience: float = 60) -> Client:
    behind = Rasa(rasa.url, "made up, for Rasa")
    app = Desk(TOKEN, behind, patience=patience, shown=False).application()
    return TestClient(TestServer(app, host="127.0.0.1"), headers=AUTHORIZED)


async def hand_over(http: Client, key: str = "k", **changed: str) -> None:
    headers = {"Idempotency-Key": key}
    assert (await http.post("/handovers", json=BODY | changed, headers=headers)).status == 201


@pytest.fixture
async def http(rasa: FakeRasa) -> AsyncIterator[Client]:
    """Yield a way to a desk that has one ticket."""
    async with opened(rasa) as client:
        await hand_over(client)
        yield client


async def takes(http: Client, agent: dict[str, str] = CAIO, at: str = TICKET) -> int:
    return (await http.put(f"{at}/agent", headers=agent)).status


async def writes(http: Client, key: str = "m1") -> ClientResponse:
    """Let Caio write the same words, by a key."""
    headers = CAIO | {"Idempotency-Key": key}
    return await http.post(f"{TICKET}/messages", json=WORDS, headers=headers)


async def verbs(http: Client, agent: dict[str, str], at: str = TICKET) -> list[int]:
    """Return the statuses of everything that an agent can do with a ticket."""
    answers = [
        await http.get(f"{at}/messages", headers=agent),
        await http.put(f"{at}/agent", headers=agent),
        await http.post(f"{at}/messages", json=WORDS, headers=agent | HELLO),
        await http.delete(at, headers=agent),
    ]
    return [each.status for each in answers]


async def is_over(http: Client, key: str) -> None:
    """Wait until the list shows that a ticket is over."""
    for _ in range(100):
        if (await (await http.get("/handovers")).json())[key]["state"] == "over":
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"waited 10 s: ticket {key} is over")


async def outcome(answer: ClientResponse) -> tuple[int, object]:
    told = answer.content_type == "application/json"
    return answer.status, (await answer.json())["delivered"] if told else None


async def test_an_agent_takes_a_ticket_writes_and_returns_it(rasa: FakeRasa, http: Client) -> None:
    """The customer and the page hear of each, and the list shows whose it is. Then it is over."""
    listed = []
    for verb, path, body in (
        ("GET", "/messages", None),
        ("PUT", "/agent", None),
        ("PUT", "/agent", None),
        ("POST", "/messages", WORDS),
        ("DELETE", "", None),
    ):
        listed.append((await (await http.get("/handovers")).json())["k"])
        key = {"Idempotency-Key": "joined"}  # no word of the desk's own
        answer = await http.request(verb, TICKET + path, json=body, headers=CAIO | key)
        assert answer.status == 200
    assert [await verbs(http, each) for each in (CAIO, LIA)] == [[410] * 4] * 2
    over = {"k": {"state": "over", "agent": "Caio"}}
    assert await (await http.get("/handovers")).json() == over
    assert [(each["state"], each["agent"]) for each in listed] == [
        *[("waiting", None)] * 2,
        *[("with an agent", "Caio")] * 3,
    ]
    assert all(each.items() >= BODY.items() for each in listed)
    assert rasa.said() == [signal("joined"), ("Olá", "Caio", None), signal("returned")]
    back = [{"event": "slot", "name": "handed_over", "value": False}, {"event": "resume"}]
    assert rasa.asked[2] == ("1", back)
    keys = [events[0]["metadata"]["message_key"] for _, events in rasa.asked if len(events) == 1]
    assert len({*keys}) == 3


async def test_the_first_agent_has_it(rasa: FakeRasa, http: Client) -> None:
    """Others are refused, and nobody writes who did not take it. Two returns say one thing."""
    assert (await writes(http)).status == 409
    assert rasa.said() == []
    assert sorted(await asyncio.gather(*(takes(http, each) for each in (CAIO, LIA)))) == [200, 409]
    (ticket,) = (await (await http.get("/handovers")).json()).values()
    mine, other = (CAIO, LIA) if ticket["agent"] == "Caio" else (LIA, CAIO)
    for each in (other["Agent"], *alike(mine["Agent"])):
        assert await verbs(http, {"Agent": each}) == [409] * 4
    rasa.busy = asyncio.Event()
    twice = asyncio.gather(*(http.delete(TICKET, headers=mine) for _ in range(2)))
    await asyncio.sleep(0.1)
    rasa.busy.set()
    assert sorted([each.status for each in await twice]) == [200, 410]
    assert rasa.said() == [signal(each, ticket["agent"]) for each in ("joined", "returned")]


def alike(name: str) -> list[str]:
    """Return names that are not this one, though a person may not see it."""
    return [name.lower(), name.upper(), name.replace("a", "a\u0301"), name[:-1]]


async def test_a_conversation_is_no_other_that_looks_like_it(http: Client) -> None:
    """Its hand-over ends no ticket of theirs; by Unicode's forms, too."""
    names = ["Ana", *alike("Ana"), " Ana", "\u00e9", "e\u0301"]
    for name in names:
        await hand_over(http, f"k{names.index(name)}", conversation=name)
    listed = await (await http.get("/handovers")).json()
    assert [listed[f"k{n}"]["state"] for n in range(len(names))] == ["waiting"] * len(names)


@pytest.mark.parametrize("taken", [True, False])
async def test_a_ticket_ends_with_the_next_of_its_conversation(
    rasa: FakeRasa, http: Client, *, taken: bool
) -> None:
    """An agent of the first is not in the second; another conversation's goes on.

    The key of one that is over is a new ticket: the bot did not hear that the first was taken. What
    is said in one is not taken for what was said in another. Who returns one need not have had it.
    """
    await hand_over(http, "other", conversation="2")
    if taken:
        assert await takes(http) == 200
    await hand_over(http, "k2")
    assert await verbs(http, CAIO) == [410] * 4
    for key in ("k2", "other"):
        assert await verbs(http, LIA, f"/handovers/{key}") == [200] * 4
    await hand_over(http)
    assert await verbs(http, LIA) == [200] * 4
    await hand_over(http)
    assert (await http.delete(TICKET, headers=CAIO)).status == 200
    assert rasa.said()[-1] == signal("returned")
    keys = [each["metadata"]["message_key"] for _, (each, *_) in rasa.asked if "text" in each]
    assert len({*keys}) == len(keys) == (11 if taken else 10)


async def test_a_ticket_ends_with_the_session(rasa: FakeRasa, http: Client) -> None:
    """Rasa has the conversation again: whoever is there now may be another customer.

    One that waits is kept: the bot may not have paused yet.
    """
    for rasa.paused, rasa.events in ((False, [PAUSE]), (True, [])):
        assert await verbs(http, CAIO) == [409] * 4
    rasa.events = [PAUSE]
    assert await takes(http) == 200
    for rasa.paused in (False, True):
        assert await verbs(http, CAIO) == [410] * 4
    assert rasa.said() == [signal("joined")]


async def test_nobody_comes(rasa: FakeRasa) -> None:
    """The customer is told, and the ticket is over. Whom an agent has, or the bot, is not told."""
    async with opened(rasa, patience=1.0) as http:
        for key in ("k", "taken", "over", "again"):
            await hand_over(http, key, conversation=key.replace("again", "over"))
        await takes(http, at="/handovers/taken")
        await is_over(http, "again")
        assert await verbs(http, CAIO) == [410] * 4
        assert (await http.get("/handovers/taken/messages", headers=CAIO)).status == 200
        rasa.paused = False
        await hand_over(http, "not paused", conversation="3")
        await is_over(http, "not paused")
    told = [(conversation, len(events)) for conversation, events in rasa.asked]
    assert sorted(told) == [("k", 1), ("k", 2), ("over", 1), ("over", 2), ("taken", 1)]
    assert sorted(rasa.said(), key=str) == sorted(
        [signal("joined"), *[signal("never_came", None)] * 2], key=str
    )


@pytest.mark.parametrize(
    ("refused", "answers", "attempts"),
    [
        ([None], [(200, True), (200, True)], 1),
        ([NOT, NOT, None], [(502, False), (502, False), (200, True), (200, True)], 3),
        ([PERHAPS], [(504, None), (504, None)], 1),
        (["another error"], [(504, None), (504, None)], 1),
        ([""], [(504, None), (504, None)], 1),
        ([NOT, ""], [(502, False), (504, None), (504, None)], 2),
    ],
)
async def test_an_agent_hears_what_became_of_the_words(
    rasa: FakeRasa,
    http: Client,
    refused: list[str | None],
    answers: list[tuple[int, object]],
    attempts: int,
) -> None:
    """The same key says nothing twice: it tries again only what surely did not arrive."""
    await takes(http)
    rasa.refuses = [*refused]
    for expected in answers:
        answer = await writes(http)
        assert await outcome(answer) == expected
        if expected[0] != 200:
            assert (await answer.json())["why"] in {NOT, PERHAPS, "Rasa did not answer"}
    assert rasa.said()[1:] == [("Olá", "Caio", None)] * attempts
    keys = {events[0]["metadata"]["message_key"] for _, events in rasa.asked[1:]}
    assert len(keys) == 1
    other = await http.post(f"{TICKET}/messages", json={"text": "x"}, headers=CAIO | HELLO)
    assert other.status == 409


async def test_words_that_rasa_takes_late_are_said_once(rasa: FakeRasa, http: Client) -> None:
    """Behind a turn that runs: the agent gives up waiting, and asks again with the same key.

    So if an answer is lost; and a return goes on without whoever asked for it.
    """

    async def write(key: str) -> tuple[int, object]:
        return await outcome(await writes(http, key))

    await takes(http)
    rasa.busy = asyncio.Event()
    assert (module._DEADLINE.total or 0) > 60, "Rasa locks a conversation for a minute"
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(write("m1"), 0.5)
    twice = asyncio.gather(write("m1"), write("m1"))
    await asyncio.sleep(0.1)
    rasa.busy.set()
    assert [*await twice, await write("m1")] == [(200, True)] * 3
    rasa.refuses = [""]
    assert await write("m2") == (504, None)
    rasa.events += rasa.asked[-1][1]
    assert [await write("m2"), await write("m2")] == [(200, True)] * 2
    assert rasa.said()[1:] == [("Olá", "Caio", None)] * 2
    rasa.busy = asyncio.Event()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(http.delete(TICKET, headers=CAIO), 0.5)
    assert await write("m3") == (410, None)
    rasa.busy.set()
    await until("it is returned", lambda: rasa.said()[-1] == signal("returned"))
    assert rasa.said()[3:] == [signal("returned")]


async def test_a_channel_that_reaches_nobody_is_refused_first(rasa: FakeRasa) -> None:
    """Rasa would say 200. The conversation can be returned, and by itself, in silence."""
    async with opened(rasa, patience=1.0) as http:
        for key in ("k", "alone"):
            await hand_over(http, key, channel="rest", conversation=key)
        assert await verbs(http, CAIO) == [200, 409, 409, 200]
        await is_over(http, "alone")
        assert await verbs(http, CAIO, "/handovers/alone") == [410] * 4
        await hand_over(http, channel="rest")
        assert await outcome(await http.delete(TICKET, headers=CAIO)) == (200, False)
    assert [(who, len(events)) for who, events in rasa.asked] == [("k", 2), ("alone", 2), ("1", 2)]


async def test_a_ticket_stays_if_rasa_is_away(
    rasa: FakeRasa, capsys: pytest.CaptureFixture[str]
) -> None:
    """The agent hears so, and returns it later; of one that waits the desk says so, by no name.

    Not if its conversation has another ticket meanwhile.
    """
    said: list[str] = []

    def complained() -> bool:
        said.append(capsys.readouterr().err)
        return any(said)

    async with opened(rasa, patience=1.0) as http:
        for key in ("k", "alone"):
            await hand_over(http, key, conversation=key)
        await takes(http)
        rasa.refuses = ["away"] * 2
        assert (await http.delete(TICKET, headers=CAIO)).status == 502
        await until("a complaint", complained)
        assert "".join(said) == "A conversation was not returned: ClientError\n"
        assert await verbs(http, CAIO) == [200] * 4
        assert await verbs(http, LIA, "/handovers/alone") == [200] * 4
        await hand_over(http)
        rasa.busy, rasa.refuses = asyncio.Event(), ["away"]
        returning = asyncio.gather(http.delete(TICKET, headers=CAIO))
        await asyncio.sleep(0.1)
        await hand_over(http, "k2")
        rasa.busy.set()
        assert [each.status for each in await returning] == [502]
        assert await verbs(http, CAIO) == [410] * 4
        rasa.url = ""
    async with opened(rasa) as http:
        await hand_over(http)
        assert await verbs(http, CAIO) == [502] * 4


def customer(text: str | None, metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "timestamp": 1.5, "text": text, "metadata": metadata}


async def test_an_agent_reads_what_was_written_since_the_pause(rasa: FakeRasa) -> None:
    """And not what another agent was told before it. Both hear of each picture, once."""
    rasa.events = [
        *({"event": "pause"}, customer("meu cartão"), {"event": "resume"}, {"event": "pause"}),
        customer("de novo eu"),
        customer("/affirm", {"title": "Sim"}),
        customer("/deny", {}),
        customer("oi", {"title": "Sim"}),
        customer("/send_media"),
        {**customer("/send_media"), "timestamp": 2.5},
        customer(None),
        {"event": "bot", "text": "Sou o Caio", "metadata": {"agent": "Caio"}},
        {"event": "bot", "text": JOINED, "metadata": {"agent": None}},
        {"event": "bot", "text": None},
    ]
    async with opened(rasa) as http:
        await hand_over(http, conversation="../1?a#b")
        reads = [await http.get(f"{TICKET}/messages", headers=CAIO)]
        assert rasa.said() == []
        await takes(http)
        reads += [await http.get(f"{TICKET}/messages", headers=CAIO) for _ in range(2)]
        for each in reads:
            assert [[*line.values()] for line in await each.json()] == [
                ["customer", "de novo eu"],
                ["customer", "Sim"],
                ["customer", "/deny"],
                ["customer", "oi"],
                *[["customer", "(arquivo que este canal não traz)"]] * 2,
                ["agent", "Sou o Caio"],
                ["desk", JOINED],
            ]
    assert rasa.said() == [signal("joined"), *[(module.ONLY_TEXT, None, None)] * 2]
    assert {*rasa.read} == {"../1?a#b"}


LONG = "a" * 2_000
OF_NOBODY: list[dict[str, str]] = [{}, {"Agent": " "}, {"Agent": "a" * 65}, {"Agent": "a\u202eb"}]


@pytest.mark.parametrize(
    ("data", "headers", "status"),
    [
        *((json.dumps({"text": text}), HELLO, 200) for text in ("a", LONG, " a\nb ")),
        *(
            (json.dumps({"text": text}), HELLO, 400)
            for text in (None, "", " \n", LONG + "a", 1, ["a"], {"a": "b"})
        ),
        *((data, HELLO, 400) for data in ("{", "[]", "null", "{}", "[" * 100_000, b"\xff")),
        *((json.dumps(WORDS), each, 400) for each in ({}, {"Idempotency-Key": "k" * 65})),
        (json.dumps(WORDS), {"Idempotency-Key": "k" * 64}, 200),
        *((json.dumps(WORDS), HELLO | {"Agent": ""} | each, 400) for each in OF_NOBODY),
        (json.dumps(WORDS), HELLO | {"Agent": "João"}, 409),
        (json.dumps(WORDS), HELLO | {"Authorization": "Bearer x"}, 401),
    ],
)
async def test_what_is_no_message_is_refused(
    rasa: FakeRasa, http: Client, data: str | bytes, headers: dict[str, str], status: int
) -> None:
    """And is said to nobody: a null is not the text "None"."""
    await takes(http)
    answer = await http.post(f"{TICKET}/messages", data=data, headers=CAIO | headers)
    assert answer.status == status
    assert [text for text, *_ in rasa.said()[1:]] == (
        [json.loads(data)["text"]] if status == 200 else []
    )
    assert (await http.delete("/handovers/another", headers=CAIO)).status == 404


def posts() -> Iterable[tuple[object, dict[str, str], int]]:
    """Yield hand-overs, one after the other, and what the desk answers."""
    key = {"Idempotency-Key": "k"}
    yield from ((BODY, {}, 400), ([], key, 400), (None, key, 400), ({}, key, 400))
    for name in (None, "", " ", ".", "..", 1, ["1"], "a\nb", "\ud800"):
        yield {**BODY, "conversation": name}, key, 400
    yield from ((BODY, key, 201), (BODY, key, 200), ({**BODY, "reason": "x"}, key, 409))
    yield {**BODY, "conversation": "..."}, {"Idempotency-Key": "k2"}, 201


async def test_a_key_with_another_body_is_refused(rasa: FakeRasa) -> None:
    """And with the same one it is the hand-over that is there already. Without a key, it is none.

    Nor without a conversation that stays in the path of Rasa's API.
    """
    async with opened(rasa) as http:
        for body, headers, status in posts():
            answer = await http.post("/handovers", data=json.dumps(body), headers=headers)
            assert answer.status == status, body
        bad = await http.post("/handovers", data="{", headers={"Idempotency-Key": "k"})
        assert bad.status == 400
        assert (await (await http.get("/handovers")).json()).keys() == {"k", "k2"}


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
    monkeypatch.setenv("RASA_TOKEN", "made up, for Rasa")
    with pytest.raises(SystemExit, match="HANDOVER_TOKEN"):
        main()
    monkeypatch.setenv("HANDOVER_TOKEN", TOKEN)
    main()
    assert (made["host"], made["port"]) == ("127.0.0.1", 8091)
    body, key = {**BODY, "channel": "sms", "segment": "Personnalité"}, {"Idempotency-Key": "k"}
    async with TestClient(TestServer(made["app"], host="127.0.0.1")) as http:
        assert (await http.get("/")).status == 200, "whoever starts it asks whether it answers"
        assert (await http.post("/handovers", json=body, headers=key | AUTHORIZED)).status == 201
        assert json.loads(printed.getvalue()) == body
        assert "Personnalité" in printed.getvalue().decode()
        await asyncio.sleep(0.5)
    assert rasa.said() == [signal("never_came", None)]
    monkeypatch.setattr(sys, "argv", ["desk.py"])
    monkeypatch.delenv("RASA_URL")
    main()
    usual = made["app"].middlewares[0].__self__
    assert (made["port"], usual.rasa._url) == (8090, "http://127.0.0.1:5005")
    assert (usual.patience, {*usual.channels}) == (15 * 60, {"webchat", "whatsapp"})
