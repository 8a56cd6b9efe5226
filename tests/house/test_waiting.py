"""A wait that fails says for what."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.action_server import ActionServer
from tests.support.processes import Process
from tests.support.waiting import until, within


async def test_a_wait_that_fails_says_for_what() -> None:
    """And how long it waited."""
    with pytest.raises(AssertionError, match=r"waited 0\.01 s: a sleep ends$"):
        await within(0.01, "a sleep ends", asyncio.sleep(60))
    with pytest.raises(AssertionError, match=r"waited 0\.01 s: mail is there\b"):
        await until("mail is there", list, 0.01)


async def test_a_process_that_does_not_end_or_answer_is_named(tmp_path: Path) -> None:
    """With the end of its log, and the address that was asked."""
    code = "print('on the way', flush=True); import time; time.sleep(60)"
    log = tmp_path / "sleeper.log"
    process = await Process.start(log, sys.executable, "-c", code, cwd=tmp_path, variables={})
    try:
        await until("its first line is there", lambda: process.output)
        with pytest.raises(asyncio.TimeoutError, match="sleeper does not end:\non the way"):
            await process.exit_code(0.1)
    finally:
        await process.kill()
    silent = r"^sleeper does not answer http://127\.0\.0\.1:1/:\non the way$"
    with pytest.raises(RuntimeError, match=silent):
        await process.answers("http://127.0.0.1:1/")


async def test_an_action_that_is_not_answered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the server that was asked."""
    monkeypatch.setattr("tests.support.action_server._LIMIT", 0.1)
    process = await Process.start(tmp_path / "log", "/bin/true", cwd=tmp_path, variables={})
    await process.exit_code()
    left = asyncio.Event()

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        said = f"^{url} has not answered action_x within 0.1 s$"
        with pytest.raises(asyncio.TimeoutError, match=said):
            await ActionServer(process, url).send({"next_action": "action_x"})
        await left.wait()
