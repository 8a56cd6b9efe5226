"""What the tests of `rasa-ps7 doctor` share: servers with a fault each, and what is found there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7.cli.command import main
from actions.ps7.testing import Simulator
from tests.host.loopback import Server, http
from tests.host.test_tls import Authority, Bank, Proxy, mutual
from tests.support.doctor import assert_found
from tests.support.processes import free_port

SECRETS = {
    "PS7_USERNAME": "planted-user",
    "PS7_PASSWORD": "planted-password",
    "PS7_SEAL_KEYS": json.dumps([Fernet.generate_key().decode()]),
    "PS7_ARRIVAL_KEYS": json.dumps(["planted-1234567890-abcdefghijklmnop"]),
}
"""Settings without a fault, and nothing of which is to be shown."""
NOT_FOUND = http(b'{"code": "1", "message": "context not found"}')
LOGIN = ("planted-user", "planted-password")
IS_HTTP = "warning http: PS7_BASE_URL is http: credentials and customers' data are not encrypted"


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a `.env`, and without a variable that a developer has set."""
    for name in [name for name in os.environ if name.upper().startswith(("PS7", "SSL_CERT_"))]:
        monkeypatch.delenv(name)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def normal(text: str) -> str:
    """Take out what differs from run to run."""
    text = re.sub(r"(https?://)?127\.0\.0\.1:\d+", r"\g<1>127.0.0.1:PORT", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "DAY", text)
    text = re.sub(r"fails \([A-Z]\w+\)", "fails (WORD)", text)
    text = re.sub(r"\d{3,} (days|s )", r"N \1", text)
    return re.sub(r"OU=Testing \w+ #[\w-]+,O=trustme v[\d.]+", "TRUSTME", text)


class Case:
    """A misconfiguration: a server, all that is found and is not ok, and more variables."""

    def __init__(
        self, name: str, serve: Callable[[Path], Any], *expected: str, **settings: str
    ) -> None:
        """Take them."""
        self.name, self.serve, self.expected, self.settings = name, serve, expected, settings


def served(serve: Callable[..., AsyncIterator[dict[str, str]]]) -> Callable[..., Any]:
    """Turn a server that takes a folder for files first into one that is given it last."""
    started = asynccontextmanager(serve)
    return lambda *given, **more: lambda folder: started(folder, *given, **more)


@served
async def answering(_: Path, *pieces: bytes, **more: Any) -> AsyncIterator[dict[str, str]]:  # noqa: ANN401 - of the server
    """Answer every request like this, without TLS."""
    async with Server(pieces, **more) as server:
        yield {"PS7_BASE_URL": server.url}


@served
async def simulated(_: Path, **more: Any) -> AsyncIterator[dict[str, str]]:  # noqa: ANN401 - of the simulator
    """Let the simulator answer, which takes the credentials in `SECRETS`."""
    known = dict(zip(("username", "password"), LOGIN, strict=True))
    async with Simulator(**{**known, **more}) as ps7:
        yield {"PS7_BASE_URL": ps7.url}


@served
async def secured(
    folder: Path,
    trusts: str = "bank",
    shows: str | None = None,
    wants: ssl.TLSVersion | None = None,
) -> AsyncIterator[dict[str, str]]:
    """Let PS7 answer over TLS.

    `trusts` is the authority that the plugin is told to trust, `shows` the one whose certificate it
    shows; `wants` makes PS7 ask for one, in this version of TLS.
    """
    bank, other = Authority(folder, "bank"), Authority(folder, "other")
    by_name = {"bank": bank, "other": other}
    context = bank.server("127.0.0.1")
    if wants is not None:
        context = mutual(bank, wants)
        bank.ca.issue_cert("127.0.0.1").configure_cert(context)
    variables = {"PS7_CA_FILE": str(by_name[trusts].file)}
    if shows is not None:
        variables["PS7_CLIENT_CERT"] = str(by_name[shows].client())
    with Bank(context, NOT_FOUND) as server:
        yield {"PS7_BASE_URL": server.url("127.0.0.1"), **variables}


@served
async def behind_proxy(folder: Path, refusal: bytes | None = None) -> AsyncIterator[dict[str, str]]:
    """Let PS7 be reached through a proxy, or not."""
    async with Proxy(refusal) as proxy, secured()(folder) as variables:
        yield {**variables, "PS7_PROXY": f"http://planted-user:planted-pass@{proxy.address}"}


@served
async def nowhere(_: Path, url: str) -> AsyncIterator[dict[str, str]]:
    """Let nothing answer."""
    yield {"PS7_BASE_URL": url.format(port=free_port())}


@served
async def blunt(_: Path, answer: bytes) -> AsyncIterator[dict[str, str]]:
    """Answer like this, whatever is said, where TLS should be spoken."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(9999):
            writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield {"PS7_BASE_URL": f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"}


def wrong(document: str) -> list[str]:
    """Return level, id and text of what is not ok in the command's JSON."""
    return [
        normal(f"{each['level']} {each['id']}: {each['found']}")
        for each in json.loads(document)["findings"]
        if each["level"] != "ok"
    ]


async def judge(
    case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run the command for a case in this process. Check what is found, and that nothing leaks."""
    async with case.serve(folder) as variables:
        for name, value in {**SECRETS, **variables, **case.settings}.items():
            monkeypatch.setenv(name, value)
        code = await asyncio.to_thread(main, ["doctor", "--json"])
        await asyncio.sleep(0.05)  # the server accepts a connection on which nothing was said
    out, err = capsys.readouterr()
    assert_found(wrong(out), case.expected)
    assert (code, err) == (int("error " in str(case.expected)), "")
    assert "planted" not in out
    assert json.loads(SECRETS["PS7_SEAL_KEYS"])[0] not in out
