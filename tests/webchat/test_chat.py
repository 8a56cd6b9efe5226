"""`chat.js` alone, in Node.js: what is sent over a connection that breaks."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.needs import lacking
from tests.support.processes import ROOT

SOCKET = """
export const sent = [], heard = {}, done = [];
const socket = {
  on: (name, act) => { heard[name] = act; },
  emit: (_, said, over) => { sent.push(said); done.push(over); },
};
export const io = () => socket;
export const happens = async (name, id, said) => { socket.id = id; await heard[name](said); };
"""
"""In the place of socket.io's client: the test says when it connects, and under which id."""
BEGIN = """
import { webcrypto } from "node:crypto";
import { openChat } from "./chat.js";
import { done, happens, sent } from "./socket.io.js";
globalThis.crypto ??= webcrypto; // before Node.js 20
let backEndIsThere = true, meanwhile = () => {};
const told = [], note = (what) => (...more) => told.push([what, ...more].join(" "));
const chat = openChat({
  arrive: async (id) => {
    told.push(`asks who ${id} is`);
    await meanwhile();
    return backEndIsThere ? { contextId: `signed for ${id}` } : null;
  },
  onBroken: (id) => told.push(`broken: ${named(id)}`),
  onOver: (id) => told.push(`over: ${named(id)}`),
  onMessage: (text, id) => told.push(`${named(id)}? ${text}`),
  onLeft: note("left:"), onConnection: note("up:"),
});
const ids = {}, named = (id) => ids[id];
const say = (text) => { ids[chat.say(text).correlation] = text; };
const uttered = (text) => happens("bot_uttered", "one", { text });
const signals = (conversation) => happens("bot_uttered", "one", { conversation });
await happens("connect", "one");
"""
END = """
await new Promise((over) => setTimeout(over, 20));
const shown = sent.map(({ message, metadata }) => {
  if (ids[metadata.correlationId] !== message) throw new Error("another's correlation id");
  return [message, metadata.contextId ?? null];
});
console.log(JSON.stringify([told, shown]));
"""
COMES_BACK = "await happens('disconnect'); await happens('connect', 'two'); say('oi');"
IN_TIME, BACK = ["asks who one is", "up: true"], ["up: false", "asks who two is", "up: true"]
CASES = {
    # what happens, what is told, what is sent
    "connected": (
        "say('oi'); await 0; await uttered('olá'); done[0]();",
        [*IN_TIME, "oi? olá", "over: oi"],
        [["oi", "signed for one"]],
    ),
    "two at once, and the first has to ask": (
        """Date.now = () => Infinity; say('oi'); say('tudo bem?');
        await happens('bot_uttered', 'one', { text: 'olá' });""",
        [*IN_TIME, "oi? olá", "asks who one is"],
        [["oi", "signed for one"], ["tudo bem?", "signed for one"]],
    ),
    "a minute later": (
        "const now = Date.now(); Date.now = () => now + 59_000; say('oi');",
        [*IN_TIME, "asks who one is"],
        [["oi", "signed for one"]],
    ),
    "breaks under a message": (
        "say('tchau'); await Promise.all([happens('disconnect'), happens('connect', 'two')]);",
        [*IN_TIME, "left: unsure", "broken: tchau", "up: false", "up: true"],
        [],
    ),
    "comes back, and the back-end is away for a while": (
        f"""backEndIsThere = false; {COMES_BACK} await 0; await 0; await 0; await 0;
        backEndIsThere = true; say('e agora?');""",
        [*IN_TIME, *BACK, "asks who two is", "asks who two is"],
        [["oi", None], ["e agora?", "signed for two"]],
    ),
    "comes back twice, and the back-end takes its time": (
        """let answer; meanwhile = () => new Promise((go) => { answer = go; });
        await happens('disconnect'); const two = happens('connect', 'two'); meanwhile = () => {};
        await happens('disconnect'); await happens('connect', 'three'); answer(); await two;
        say('oi');""",
        [*IN_TIME, *BACK[:2], "up: false", "asks who three is", "up: true"],
        [["oi", "signed for three"]],
    ),
    "cannot connect": ("await happens('connect_error');", [*IN_TIME, "up: false"], []),
    "logs out while it is asked who is there": (
        "meanwhile = () => signals('ended'); Date.now = () => Infinity; say('oi');",
        [*IN_TIME, "asks who one is", "left: ended"],
        [["oi", None]],
    ),
    "an agent comes and goes, and the connection breaks": (
        f"""await signals('handed_over'); await signals('returned'); say('oi'); {COMES_BACK}""",
        [
            *(*IN_TIME, "left: handed_over", "left: returned"),
            *("broken: oi", "up: false", "up: true"),
        ],
        [["oi", None]],
    ),
}


def in_node(folder: Path, files: dict[str, str], *app: str) -> Any:  # noqa: ANN401 - JSON
    """Run `case.js` beside files of the page; return what it prints."""
    node = shutil.which("node")
    if node is None:
        lacking("Node.js", "apt-get install npm")
    for name in app:
        shutil.copy(ROOT / "examples" / "webchat" / "app" / name, folder)
    for name, text in {"package.json": '{"type": "module"}', **files}.items():
        (folder / name).write_text(text, encoding="utf-8")
    ran = subprocess.run([node, "case.js"], cwd=folder, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


@pytest.mark.parametrize(("happens", "told", "sent"), CASES.values(), ids=CASES)
def test_a_message_goes_with_its_own_conversation_or_not_at_all(
    tmp_path: Path, happens: str, told: list[str], sent: list[list[str | None]]
) -> None:
    """And with the contextId that was signed for it."""
    files = {"socket.io.js": SOCKET, "case.js": BEGIN + happens + END}
    assert in_node(tmp_path, files, "chat.js") == [told, sent]


KEYS = """
import { readFileSync } from "node:fs";
globalThis.document = {};
const { TEXTS } = await import("./texts.js");
const keys = (texts, path = "") => Object.entries(texts).flatMap(([name, text]) =>
  typeof text === "object" && name !== "values" ? keys(text, `${path}${name}.`) : [path + name]);
const page = readFileSync("index.html", "utf-8");
const asked = [...page.matchAll(/data-(?:text|label|placeholder)="(.*?)"/g)].map((it) => it[1]);
console.log(JSON.stringify([...Object.values(TEXTS).map((each) => keys(each)), asked]));
"""


def test_each_text_is_there_in_both_languages(tmp_path: Path) -> None:
    """And what the page asks for is among them; a value without a word is shown as it is."""
    portuguese, english, asked = in_node(tmp_path, {"case.js": KEYS}, "texts.js", "index.html")
    assert portuguese == english
    assert {*asked} <= {*portuguese}
