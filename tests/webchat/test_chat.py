"""`chat.js` alone, in Node.js: what is sent over a connection that breaks."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import lacking
from tests.support.processes import ROOT

SOCKET = """
export const sent = [], heard = {};
const socket = { on: (name, act) => { heard[name] = act; }, emit: (_, said) => sent.push(said) };
export const io = () => socket;
export const happens = async (name, id, said) => { socket.id = id; await heard[name](said); };
"""
"""In the place of socket.io's client: the test says when it connects, and under which id."""
BEGIN = """
import { webcrypto } from "node:crypto";
import { openChat } from "./chat.js";
import { happens, sent } from "./socket.io.js";
globalThis.crypto ??= webcrypto; // before Node.js 20
let backEndIsThere = true, meanwhile = () => {};
const told = [], note = (what) => () => told.push(what);
const chat = openChat({
  arrive: async (id) => {
    await meanwhile();
    return backEndIsThere ? { contextId: `signed for ${id}` } : null;
  },
  onBroken: note("broken"), onLeft: note("left"), onOver() {}, onConnection() {}, onMessage() {},
});
await happens("connect", "one");
"""
END = """
await new Promise((over) => setTimeout(over, 20));
const shown = sent.map(({ message, metadata }) => [message, metadata.contextId ?? null]);
console.log(JSON.stringify([told, shown]));
"""
COMES_BACK = "await happens('disconnect'); await happens('connect', 'two'); chat.say('oi');"
CASES = {
    # what happens, what is told, what is sent
    "connected": ("chat.say('oi');", [], [["oi", "signed for one"]]),
    "breaks under a message": (
        "chat.say('tchau'); await Promise.all([happens('disconnect'), happens('connect', 'two')]);",
        ["left", "broken"],
        [],
    ),
    "comes back": (
        COMES_BACK,
        [],
        [["oi", "signed for two"]],
    ),
    "comes back, and the back-end is away": (
        f"backEndIsThere = false; {COMES_BACK}",
        [],
        [["oi", None]],
    ),
    "logs out while it is asked who is there": (
        """meanwhile = () => happens('bot_uttered', 'one', { conversation: 'ended' });
        Date.now = () => Infinity; chat.say('oi');""",
        ["left"],
        [["oi", None]],
    ),
}


@pytest.mark.parametrize(("happens", "told", "sent"), CASES.values(), ids=CASES)
def test_a_message_goes_with_its_own_conversation_or_not_at_all(
    tmp_path: Path, happens: str, told: list[str], sent: list[list[str | None]]
) -> None:
    """And with the contextId that was signed for it."""
    node = shutil.which("node")
    if node is None:
        lacking("Node.js", "apt-get install npm")
    shutil.copy(ROOT / "examples" / "webchat" / "app" / "chat.js", tmp_path)
    for name, text in {
        "package.json": '{"type": "module"}',
        "socket.io.js": SOCKET,
        "case.js": BEGIN + happens + END,
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ran = subprocess.run([node, "case.js"], cwd=tmp_path, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    assert json.loads(ran.stdout) == [told, sent]
