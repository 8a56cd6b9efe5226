"""What the tests of `rasa-ps7 doctor` share: servers with a fault each, what is said of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from actions.ps7.cli.command import main
from actions.ps7.testing import Simulator
from tests.host.loopback import Server, http, unused_port
from tests.host.test_tls import Authority, Bank, Proxy, mutual

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

# Before Python 3.11 asyncio lets go of a TLS transport later than it is closed.
TLS_IN_TESTS = [
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
    *(
        [pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
        if sys.version_info < (3, 11)
        else []
    ),
]

SECRETS = {
    "PS7_USERNAME": "planted-user",
    "PS7_PASSWORD": "planted-password",
    "PS7_SEAL_KEYS": json.dumps([Fernet.generate_key().decode()]),
    "PS7_ARRIVAL_KEYS": json.dumps(["planted-1234567890-abcdefghijklmnop"]),
}
"""Settings that nothing is to be said about, and nothing of which is to be shown."""
NOT_FOUND = http(b'{"code": "1", "message": "context not found"}')
LOGIN = ("planted-user", "planted-password")

SETTINGS = """\
Settings
  ok       every setting is usable; PS7 is URL
  ok       PS7_SEAL_KEYS is set (1 key)
  ok       PS7_ARRIVAL_KEYS is set (1 key)
"""
HTTP = """\
  warning  PS7_BASE_URL is http: credentials and customers' data are not encrypted
           Right for a simulator or a side-car on this machine alone; PS7 itself is https.
"""
TIME = """\
  ok       a PS7 that is silent is asked twice within 4 s (PS7_ATTEMPTS 3, PS7_READ_TIMEOUT 2 s)
"""
CA = """\
  ok       the certificate in PS7_CA_FILE (trustme vVERSION) is good until DAY: N days left
"""
REACHED = """\

Network
  ok       127.0.0.1 is an address: there is no name to resolve
  ok       127.0.0.1:PORT accepts connections
"""
TLS = """\
  ok       TLSv1.3 with 127.0.0.1:PORT: its certificate is trusted, and is for this host
  ok       the certificate of PS7 (issued by trustme vVERSION) is good until DAY: N days left
"""
WELL = """\
  ok       PS7 takes the credentials, and knows no such context (HTTP 200, a code other than 0)
"""
CLOCK = """\
  ok       the clocks of PS7 and of this machine agree
"""
BY_HTTP = SETTINGS + HTTP + TIME + REACHED
BY_TLS = SETTINGS + TIME + CA + REACHED


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a `.env`, and without a variable that a developer has set."""
    for name in [name for name in os.environ if name.upper().startswith(("PS7", "SSL_CERT_"))]:
        monkeypatch.delenv(name)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def named(text: str) -> tuple[str, tuple[str, ...]]:
    """Take out the names of the findings, and give them too."""
    names = re.findall(r" \[([a-z0-9-]+)\]$", text, re.MULTILINE)
    return re.sub(r" \[[a-z0-9-]+\]$", "", text, flags=re.MULTILINE), tuple(names)


def normal(text: str) -> str:
    """Take out what differs from run to run."""
    text = re.sub(r"https?://127\.0\.0\.1:\d+(?=\n)", "URL", text)
    text = re.sub(r"(127\.0\.0\.\d):\d+", r"\1:PORT", text)
    text = re.sub(r"\d{4}-\d\d-\d\d", "DAY", text)
    text = re.sub(r"fails \(\w+\)", "fails (WORD)", text)
    text = re.sub(r"\d{3,} (days|s )", r"N \1", text)
    return re.sub(r"trustme v[\d.]+", "trustme vVERSION", text)


@dataclass
class Case:
    """A misconfiguration, and what must be said about it."""

    name: str
    names: tuple[str, ...]
    """Those of the findings that are no good news."""
    serve: Callable[[Path], Any]
    """Given a folder for files: an async context manager with the variables that lead to it."""
    expected: str
    code: int = 1
    settings: dict[str, str | None] = field(default_factory=dict)
    """More variables; None: not set."""


def answering(
    *pieces: bytes,
    **more: Any,  # noqa: ANN401 - of the server
) -> Callable[[Path], Any]:
    """Let every request be answered like this, without TLS."""

    @asynccontextmanager
    async def serve(_: Path) -> AsyncIterator[dict[str, str]]:
        async with Server(pieces, **more) as server:
            yield {"PS7_BASE_URL": server.url}

    return serve


def simulated(**more: Any) -> Callable[[Path], Any]:  # noqa: ANN401 - of the simulator
    """Let the simulator answer, which takes the credentials in `SECRETS`."""

    @asynccontextmanager
    async def serve(_: Path) -> AsyncIterator[dict[str, str]]:
        known = dict(zip(("username", "password"), LOGIN, strict=True))
        async with Simulator(**{**known, **more}) as ps7:
            yield {"PS7_BASE_URL": ps7.url}

    return serve


def secured(
    *hosts: str,
    trusts: str = "bank",
    shows: str | None = None,
    wants: ssl.TLSVersion | None = None,
    answer: bytes = NOT_FOUND,
    **life: int,
) -> Callable[[Path], Any]:
    """Let PS7 answer over TLS, for these hosts and for so many days.

    `trusts` is the authority that the plugin is told to trust, `shows` the one whose certificate it
    shows; `wants` makes PS7 ask for one, in this version of TLS.
    """

    @asynccontextmanager
    async def serve(folder: Path) -> AsyncIterator[dict[str, str]]:
        bank, other = Authority(folder, "bank"), Authority(folder, "other")
        by_name = {"bank": bank, "other": other}
        now = datetime.now(timezone.utc)
        span = {name: now + timedelta(days=days) for name, days in life.items()}
        context = bank.server(*(hosts or ("127.0.0.1",)), **span)
        if wants is not None:
            context = mutual(bank, wants)
            bank.ca.issue_cert("127.0.0.1").configure_cert(context)
        variables = {"PS7_CA_FILE": str(by_name[trusts].file)}
        if shows is not None:
            variables["PS7_CLIENT_CERT"] = str(by_name[shows].client())
        with Bank(context, answer) as server:
            yield {"PS7_BASE_URL": server.url("127.0.0.1"), **variables}

    return serve


def behind_proxy(refusal: bytes | None = None, *, down: bool = False) -> Callable[[Path], Any]:
    """Let PS7 be reached through a proxy, or not."""

    @asynccontextmanager
    async def serve(folder: Path) -> AsyncIterator[dict[str, str]]:
        async with Proxy(refusal) as proxy, secured()(folder) as variables:
            address = f"127.0.0.1:{unused_port()}" if down else proxy.address
            yield {**variables, "PS7_PROXY": f"http://planted-user:planted-pass@{address}"}

    return serve


def nowhere(url: str) -> Callable[[Path], Any]:
    """Let nobody answer."""

    @asynccontextmanager
    async def serve(_: Path) -> AsyncIterator[dict[str, str]]:
        yield {"PS7_BASE_URL": url.format(port=unused_port())}

    return serve


def blunt(answer: bytes) -> Callable[[Path], Any]:
    """Let whoever comes for TLS be answered like this, whatever they say."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(9999):
            writer.write(answer)
        writer.close()

    @asynccontextmanager
    async def serve(_: Path) -> AsyncIterator[dict[str, str]]:
        async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
            yield {"PS7_BASE_URL": f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"}

    return serve


def summary(errors: int = 1, warnings: int = 0) -> str:
    words = [
        f"{number or 'no'} {word}{'' if number == 1 else 's'}"
        for number, word in ((errors, "error"), (warnings, "warning"))
    ]
    return f"\n{', '.join(words)}\n"


async def judge(
    case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run the command for a case in this process. Hold what it says, and what it must not say."""
    async with case.serve(folder) as variables:
        for name, value in {**SECRETS, **variables, **case.settings}.items():
            if value is not None:
                monkeypatch.setenv(name, value)
        code = await asyncio.to_thread(main, ["doctor"])
    out, err = capsys.readouterr()
    text, names = named(out)
    assert normal(text) == case.expected
    assert (code, err, names) == (case.code, "", case.names)
    assert "planted" not in out
    assert json.loads(SECRETS["PS7_SEAL_KEYS"])[0] not in out
