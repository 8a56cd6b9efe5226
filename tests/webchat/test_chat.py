"""The page's modules alone, in Node.js: a connection that breaks, and all that a bot may send."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest

from actions.ps7 import Outcome, PS7Settings
from examples.webchat import server
from tests.support.needs import lacking
from tests.support.processes import ROOT, printed

pytestmark = pytest.mark.xdist_group("page")

APP = ROOT / "examples" / "webchat" / "app"
TYPED = json.loads((ROOT / "examples" / "channels" / "texts.json").read_text("utf-8"))["texts"]
SOCKET = """
export let here;
export const begin = () => {
  const sent = [], heard = {}, done = [], told = [];
  const socket = {
    connected: false, active: true, on: (name, act) => { heard[name] = act; },
    emit: (_, said, over) => {
      sent.push(said); done.push(over);
      told.push(`sends ${[said.message, said.pass, said.payload].filter(Boolean).join(", ")}`);
    },
    close() { this.connected = false; told.push("closed"); },
    connect: () => told.push("connects"),
  };
  const happens = async (name, ...more) => {
    socket.connected = name === "connect" || (name !== "disconnect" && socket.connected);
    await heard[name](...more);
  };
  return (here = { sent, done, told, socket, happens });
};
export const io = (_, options) => Object.assign(here.socket, { options });
"""
"""In the place of socket.io's client: a case says what happens to it."""
BEGIN = """
import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { openChat } from "./chat.js";
import { read } from "./read.js";
import { begin } from "./socket.io.js";
import { customerText, tooLong } from "./text.js";
globalThis.document = {};
globalThis.crypto ??= webcrypto; // before Node.js 20
const { TEXTS } = await import("./texts.js");
const clock = Date.now, timer = globalThis.setTimeout, happened = [];
"""
CASE = """
await (async () => {
  const { sent, done, told, socket, happens } = begin();
  let passes = 0, pass = () => `pass ${++passes}`, said = [];
  const ids = {}, named = (id) => ids[id] ?? id;
  const chat = openChat({
    getPass: async () => pass(), getSaid: async () => said,
    onState: (state, agent) => told.push(agent ? `${state} ${agent}` : state),
    onSaid: (all, pending) => told.push(
      [`said: ${all.map(({ text }) => text)}`, ...pending.map((id) => `pending: ${named(id)}`)]
        .join("; ")),
    onMessage: ({ answers, who, text }) => told.push(`${named(answers) ?? ""}? ${who}: ${text}`),
    onOver: (id) => told.push(`over: ${named(id)}`), onEnd: () => told.push("end"),
    onRefused: (id) => told.push(`refused: ${named(id)}`),
  });
  const say = (text, payload) => { ids[chat.say(text, payload)] = text; };
  const uttered = (message, heard) => happens("bot_uttered", message, heard);
  const signals = (conversation, more) => uttered({ custom: { data: { conversation, ...more } } });
  const authenticates = () => new Promise((shown) => socket.options.auth(shown));
  const tick = () => new Promise((over) => setTimeout(over, 5));
  await authenticates(); await happens("connect");
  %s
  await tick();
  return told;
})().catch(String).then((each) => happened.push(each));
Date.now = clock, globalThis.setTimeout = timer;
"""
END = """
const { said, typed } = JSON.parse(readFileSync("given.json"));
const texts = typed.map(({ typed, times }) => {
  const text = customerText(typed.repeat(times ?? 1));
  return tooLong(text) ? null : text;
});
const counted = (_, each) => (typeof each === "function" ? [1, 2, 3, 21].map(each) : each);
console.log(JSON.stringify({ happened, texts, read: said.map(read), TEXTS }, counted));
"""
CASES = {
    # what happens after it has connected, and what is told or sent
    "one talks": (
        """say('oi'); say('Sim', 'p'); await tick(); await uttered({ text: 'olá' });
        await done[0]({}); await uttered({ text: 'R$ 1' }); await done[1]({});""",
        [
            *("sends oi, pass 1", "sends Sim, pass 1, p", "oi? bot: olá", "over: oi"),
            *("Sim? bot: R$ 1", "over: Sim"),
        ],
    ),
    "one connection, which is back while an agent's words wait for it": (
        "const { auth, ...it } = socket.options; told.push(...Object.entries(it).map(String));",
        [
            *("transports,websocket", "forceNew,true", "timeout,5000", "reconnectionDelay,500"),
            "reconnectionDelayMax,2000",
        ],
    ),
    "a minute later, another pass": (
        "const now = Date.now(); Date.now = () => now + 59_000; say('oi'); await tick();",
        ["sends oi, pass 2"],
    ),
    "the back-end does not answer: with the pass that is there": (
        "Date.now = () => Infinity; pass = () => null; say('oi');",
        ["sends oi, pass 1"],
    ),
    "breaks and comes back: goes on where it was": (
        """await signals('handed_over'); await happens('disconnect'); said = [{ text: 'olá' }];
        await happens('connect'); say('oi'); await tick();""",
        ["waiting", "? bot: ", "lost", "said: olá", "bot", "sends oi, pass 1"],
    ),
    "breaks while it asks": (
        "const back = chat.restore(); await happens('disconnect'); await back;",
        ["lost", "said: ", "lost"],
    ),
    "nobody says what was said: it stands": (
        "said = null; await chat.restore(); say('oi'); await tick();",
        ["bot", "sends oi, pass 1"],
    ),
    "breaks under a message that arrived": (
        """say('oi'); await tick(); await happens('disconnect');
        said = [{ you: 'oi', id: sent[0].id }, { text: 'olá' }]; await happens('connect');""",
        ["sends oi, pass 1", "lost", "said: oi,olá", "bot"],
    ),
    "breaks under a message, of which nobody knows": (
        "say('oi'); await tick(); await happens('disconnect'); await happens('connect');",
        ["sends oi, pass 1", "lost", "said: ; pending: oi", "bot"],
    ),
    "what is said while it asks comes once, if it is among the last five": (
        """said = [...'cabefg'].map((text) => ({ text })); const back = chat.restore(); await 0;
        for (const text of 'cagd') uttered({ text }); await back;""",
        ["said: c,a,b,e,f,g", "bot", "? bot: c", "? bot: d"],
    ),
    "an agent comes and goes": (
        """say('oi'); await tick(); await signals('handed_over'); await done[0]({});
        await signals('joined', { agent: 'Caio' });
        await uttered({ text: 'Olá', agent: 'Caio', id: 'k1' }, () => told.push('heard'));
        await uttered({ text: 'Olá', agent: 'Caio', id: 'k1' }, () => told.push('heard'));
        say('oi de novo'); await tick(); await signals('returned', { agent: 'Caio' });
        say('saldo'); await tick();""",
        [
            *("sends oi, pass 1", "waiting", "oi? bot: ", "over: oi", "agent Caio", "? bot: "),
            *("? agent: Olá", "heard", "heard", "sends oi de novo", "back", "oi de novo? bot: "),
            "sends saldo",
        ],
    ),
    "comes back after a goodbye": (
        """said = [{ you: 'tchau', id: '1' }, { custom: { data: { conversation: 'ended' } } }];
        await chat.restore();""",
        ["said: tchau,", "closed", "over", "end"],
    ),
    "nobody came": ("await signals('never_came');", ["back", "? bot: "]),
    "a signal for somebody else": ("await signals('later');", ["? bot: "]),
    "the bot is back without a word about it": (
        """await signals('handed_over'); await uttered({ text: 'oi' });
        await signals('joined', { agent: 'Caio' }); await uttered({ text: 'Só texto.', id: 'k1' });
        await uttered({ text: 'oi' });""",
        [
            *("waiting", "? bot: ", "back", "? bot: oi", "agent Caio", "? bot: "),
            *("? desk: Só texto.", "back", "? bot: oi"),
        ],
    ),
    "comes back under an agent": (
        """said = [{ custom: { data: { conversation: 'joined', agent: 'Caio' } }, id: 'k1' }];
        said.push({ text: 'Olá', agent: 'Caio', id: 'k2' });
        for (const each of said) await uttered(each);
        await happens('disconnect'); await happens('connect'); await uttered(said[1]);""",
        ["agent Caio", "? desk: ", "? agent: Olá", "lost Caio", "said: ,Olá", "agent Caio"],
    ),
    "comes back after an agent has left": (
        """const goes = (conversation) => ({ custom: { data: { conversation } } });
        said = [goes('joined'), goes('returned')]; await chat.restore();""",
        ["said: ,", "back"],
    ),
    "the bot logs the customer out": (
        """say('tchau'); say('oi'); await tick(); await signals('ended');
        await uttered({ text: 'Até!' }); await done[0]({}); await done[1]({});""",
        [
            *("sends tchau, pass 1", "sends oi, pass 1", "tchau? bot: ", "tchau? bot: Até!"),
            *("over: tchau", "over: oi", "closed", "over", "end"),
        ],
    ),
    "another page says goodbye, and nothing that comes later opens it": (
        "await signals('ended'); await signals('joined'); await chat.restore();",
        ["closed", "over", "end", "? bot: ", "? bot: ", "said: "],
    ),
    "breaks under a goodbye": (
        "say('tchau'); await tick(); await signals('ended'); await happens('disconnect');",
        ["sends tchau, pass 1", "tchau? bot: ", "closed", "over", "end"],
    ),
    "another page has logged out": (
        "pass = () => undefined; Date.now = () => Infinity; await authenticates();",
        ["closed", "over", "end"],
    ),
    "another page has logged out, and it comes back": (
        "said = undefined; await happens('disconnect'); await happens('connect');",
        ["lost", "closed", "over", "end"],
    ),
    "the channel refuses a text": (
        "say('oi'); await tick(); await done[0]({ refused: 'too_long' });",
        ["sends oi, pass 1", "refused: oi"],
    ),
    "the channel refuses a pass": (
        """globalThis.setTimeout = (act) => act(); await happens('connect_error');
        socket.active = false; await happens('connect_error');
        told.push(await authenticates().then(({ pass }) => pass));""",
        ["bot", "connects", "bot", "pass 2"],
    ),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the page's modules make of all cases."""
    if (node := shutil.which("node")) is None:
        lacking("Node.js", "apt-get install npm")
    folder = tmp_path_factory.mktemp("page")
    for name in ("chat", "read", "text", "texts"):
        shutil.copy(APP / f"{name}.js", folder)
    given = {"said": [said for said, _ in SAID.values()], "typed": TYPED}
    files = {"package.json": '{"type": "module"}', "given.json": json.dumps(given)}
    cases = "".join(CASE % happens for happens, _ in CASES.values())
    files |= {"socket.io.js": SOCKET, "cases.js": BEGIN + cases + END}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    made: dict[str, Any] = json.loads(printed(node, "cases.js", cwd=folder))
    made["happened"] = dict(zip(CASES, made["happened"], strict=True))
    made["read"] = dict(zip(SAID, made["read"], strict=True))
    return made


@pytest.mark.parametrize("name", CASES)
def test_a_conversation_is_where_the_customer_left_it(page: dict[str, Any], name: str) -> None:
    """Whatever the network does; and what the customer sees follows from what was said."""
    assert page["happened"][name] == ["said: ", "bot", *CASES[name][1]]


def attached(kind: str | None = None, **payload: object) -> dict[str, Any]:
    """Return a message with an attachment."""
    return {"attachment": {"type": kind, "payload": payload}}


def shown(kind: str, **more: object) -> dict[str, Any]:
    """Return what the page then has: one card."""
    return {"cards": [{"kind": kind, **more}]}


JOINED = {"data": {"conversation": "joined", "agent": "C"}}
NO_DATA: list[Any] = [None, [1], {}]
NO_SIGNALS: list[Any] = [None, 1, "x", [1], {}, {"a": 1}, *({"data": each} for each in NO_DATA)]
NO_BUTTONS: list[Any] = [{}, None, "x", 1, [[]]]
SCRIPT = {"payload": {"src": "javascript:alert(1)"}}
NO_FILES: list[Any] = [1, {}, {"type": "image"}, SCRIPT, "b.pdf"]
SIM, QUERO = {"title": "Sim", "payload": "p"}, {"title": "Quero", "payload": "p"}
VEJA = {"title": "Veja", "url": "https://a.example/2"}
GOLD = {
    "title": "Ouro",
    "subtitle": "cartão",
    "item_url": "data:,",
    "image_url": "https://a.example/",
    "default_action": {"url": "https://a.example/1"},
    "buttons": [QUERO, VEJA | {"payload": "p"}],
}
BARE = {"title": "Ouro", "subtitle": "", "image": "", "url": "", "links": [], "replies": []}
DRAWN = {"subtitle": "cartão", "image": "https://a.example/", "url": "https://a.example/1"}
SAID: dict[str, tuple[Any, dict[str, Any]]] = {
    # what comes, and what is more than an empty message of the bot
    "nothing": (None, {}),
    "a text": ({"text": "a\n\nb"}, {"text": "a\n\nb"}),
    "no text": ({"text": {}}, {}),
    "the customer's": (
        {"you": "oi", "id": "1"},
        {"who": "you", "text": "oi", "id": "1", "signal": None, "agent": None},
    ),
    "an agent's": (
        {"text": "Olá", "agent": "Caio", "id": "k1"},
        {"who": "agent", "text": "Olá", "agent": "Caio", "id": "k1"},
    ),
    "the desk's": (
        {"text": "?", "agent": None, "id": "k1"},
        {"who": "desk", "text": "?", "id": "k1"},
    ),
    "an agent joins": (
        {"text": "Oi", "custom": JOINED, "id": "k1"},
        {"who": "desk", "text": "Oi", "signal": "joined", "agent": "C", "id": "k1"},
    ),
    "a signal, as Rasa's own channel sends it": ({"conversation": "ended"}, {"signal": "ended"}),
    **{f"custom {odd!r}": ({"custom": odd}, shown("unknown")) for odd in NO_SIGNALS},
    "buttons": (
        {"quick_replies": [SIM, {"title": 1}, {"payload": "p"}, None]},
        {"replies": [SIM, {"title": "1", "payload": ""}]},
    ),
    **{f"buttons {odd!r}": ({"quick_replies": odd}, {}) for odd in NO_BUTTONS},
    "a picture": (
        attached("image", src="https://a.example/b.png"),
        shown("image", title="", image="https://a.example/b.png"),
    ),
    "a video": (
        attached("video", src="http://a.example/", title="Como?"),
        shown("video", title="Como?", url="http://a.example/"),
    ),
    "a file": (
        {"attachment": "https://a.example/b.pdf"},
        shown("file", title="", url="https://a.example/b.pdf"),
    ),
    **{f"attachment {odd!r}": ({"attachment": odd}, shown("unknown")) for odd in NO_FILES},
    "a carousel": (
        attached("template", elements=[GOLD]),
        shown("card", **BARE | DRAWN | {"links": [VEJA], "replies": [QUERO]}),
    ),
    "one of a carousel, as Rasa's own channel sends it": (
        attached(elements={"title": "Ouro"}),
        shown("card", **BARE),
    ),
}
OF_A_BOT = {"who": "bot", "text": "", "replies": [], "cards": [], "signal": "", "agent": ""}


@pytest.mark.parametrize("name", SAID)
def test_whatever_a_bot_sends_is_shown_or_named(page: dict[str, Any], name: str) -> None:
    """And nothing but http is loaded or linked to."""
    expected = {**OF_A_BOT, **SAID[name][1]}
    assert page["read"][name] == {key: each for key, each in expected.items() if each is not None}


def test_a_typed_text_is_what_it_is_everywhere(page: dict[str, Any]) -> None:
    """The channel's own cases: white space is Python's, and a character is a code point."""
    assert page["texts"] == [each["text"] and each["text"] * each.get("times", 1) for each in TYPED]


def keys(texts: dict[str, Any]) -> list[Any]:
    return [(name, keys(each) if isinstance(each, dict) else "") for name, each in texts.items()]


def test_each_text_is_there_in_both_languages(page: dict[str, Any]) -> None:
    """And what the page asks for is among them; a value without a word is shown as it is."""
    portuguese, english = page["TEXTS"].values()
    assert keys({**portuguese, "values": ""}) == keys({**english, "values": ""})
    index = (APP / "index.html").read_text("utf-8")
    asked = {*re.findall('data-(?:text|label|placeholder)="(.*?)"', index)}
    assert portuguese.keys() >= asked > {"messages"}


OF_A_STATUS = {
    "an[oô]nima|anonymously": {"missing", "invalid", "rejected", "expired"},
    "transferir|hand over": {"denied", "tampered"},
    "operação|operations": {"denied"},
    "segurança|security": {"tampered"},
    "próximo turno|next turn": {"unavailable"},
    "conhece este|know.* this context": {"ok", "rejected"},
    "não conhece|does not know": {"rejected"},
    "credenciais|credentials": {"denied"},
    "prazo|time is over": {"expired"},
}
"""What is said of which outcomes."""


def test_a_text_says_what_the_plugin_does(page: dict[str, Any]) -> None:
    """Of each outcome its own; when it asks no more, and how long what is signed counts."""
    fields = PS7Settings.model_fields
    failures = {5: ("cinco consultas", "five lookups")}[fields["breaker_failures"].default]
    reset = fields["breaker_reset"].default
    minute = {60: ("por um minuto", "for a minute")}[server._PASS_SECONDS]
    for language, texts in enumerate(page["TEXTS"].values()):
        for words, outcomes in OF_A_STATUS.items():
            said = {each for each, text in texts["status"].items() if re.search(words, text)}
            assert said == outcomes, (words, language)
        waits = texts["unasked"]["circuit_open"]
        assert failures[language] in waits
        assert f" {reset:g} {('segundos', 'seconds')[language]}" in waits
        assert minute[language] in texts["signed"]
        named = {**{each.value: each.value for each in Outcome}, **texts["values"]["ps7_status"]}
        assert len({*named.values()}) == len(Outcome)


LONG_PT, LONG_EN = "A mensagem é longa demais: tire", "The message is too long: take out"


@pytest.mark.parametrize(
    ("language", "name", "one", "more"),
    [
        ("pt-BR", "requests", "1 requisição", "{} requisições"),
        ("pt-BR", "tooLong", f"{LONG_PT} 1 caractere.", f"{LONG_PT} {{}} caracteres."),
        ("en", "requests", "1 request", "{} requests"),
        ("en", "tooLong", f"{LONG_EN} 1 character.", f"{LONG_EN} {{}} characters."),
    ],
)
def test_one_is_one_and_more_are_as_many(
    page: dict[str, Any], language: str, name: str, one: str, more: str
) -> None:
    """Requests, and characters that are too many: the whole line."""
    assert page["TEXTS"][language][name] == [one, *map(more.format, (2, 3, 21))]
