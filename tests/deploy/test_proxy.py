"""The proxies of Compose as processes, with a real nginx. `make compose` runs all of the rest."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from benchmarks.scale.programs import Programs
from tests.deploy.deployment import DEPLOY
from tests.support.needs import lacking
from tests.support.processes import Process, free_port

pytestmark = pytest.mark.slow

NGINX = Programs.find().nginx
WEBHOOK = "/webhooks/rest/webhook"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}"


@pytest.fixture
def root() -> Iterator[Path]:
    """Make a folder with a short path, through which another user of the system gets."""
    if not NGINX.exists():
        lacking("nginx", "apt-get install nginx")
    with tempfile.TemporaryDirectory(prefix="ps7-deploy-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@asynccontextmanager
async def nginx(
    name: str, root: Path, tls: Path, there: dict[str, str], more: str = ""
) -> AsyncIterator[None]:
    """Run nginx with one of our files, in which some words have others for this machine."""
    there |= {"/run/tls/": f"{tls}/", "/tmp/": f"{root}/"}  # noqa: S108 - the container's
    text = (DEPLOY / name).read_text("utf-8")
    text = re.sub("|".join(map(re.escape, there)), lambda found: there[found[0]], text)
    http_block, _, _ = text.rpartition("}")
    configuration = root / "nginx.conf"
    configuration.write_text(f"{http_block}{more} }}")
    command = (NGINX, "-p", root, "-c", configuration, "-g", "daemon off;")
    process = await Process.start(root / "log", *command, cwd=root, variables={})
    try:
        for _ in range(300):
            if (root / "nginx.pid").exists() or process.has_ended:
                break
            await asyncio.sleep(0.1)
        assert (root / "nginx.pid").exists(), f"nginx does not start:\n{process.tail}"
        yield
    finally:
        await process.end()


@pytest.mark.parametrize(("shown", "status"), [("rasa", 204), ("redis", 502)])
async def test_the_proxy_lets_one_channel_through(
    shown: str, status: int, root: Path, deploy_folder: Path
) -> None:
    """Over TLS, so many messages at a time, to a server that shows Rasa's certificate.

    Whoever sends them: of two back-ends, none has a limit of its own.
    """

    async def post(path: str, body: bytes = b"", host: int = 1) -> int:
        url = URL(f"https://localhost:{port}{path}", encoded=True)
        async with hosts[host].post(url, data=body, ssl=known) as told:
            return told.status

    tls = deploy_folder / "secrets" / "tls"
    known = ssl.create_default_context(cafile=tls / "ca.crt")
    port, behind = str(free_port()), f"127.0.0.1:{free_port()}"
    certificate = f"ssl_certificate {tls}/{shown}.crt; ssl_certificate_key {tls}/{shown}.key;"
    path = f"if ($request_uri !~ ^{WEBHOOK}[?]a=1$) {{ return 418; }}"
    rasa = f"server {{ listen {behind} ssl; {certificate} {path} return 204; }}"
    there = {"8443": f"127.0.0.1:{port}", "rasa:5005": behind, "50r/s": "1r/s"}
    async with nginx("nginx.conf", root, tls, there, rasa), AsyncExitStack() as stack:
        ways = (
            aiohttp.TCPConnector(local_addr=(each, 0), family=socket.AF_INET)
            for each in ("127.0.0.2", "127.0.0.1")
        )
        hosts = [
            await stack.enter_async_context(aiohttp.ClientSession(connector=way)) for way in ways
        ]
        for path in ("/", "/webhooks/rest/", f"{WEBHOOK}/x", "/conversations/1/tracker"):
            assert await post(path) == 404
        for way in ("/conversations/1/../..", "//x/%2e%2e"):  # what comes there is as written
            assert await post(f"{way}{WEBHOOK}?a=1") == status
        assert await post(WEBHOOK, b" " * 70_000) == 413
        calls = (post(f"{WEBHOOK}?a=1", host=each % 2) for each in range(100))
        told = Counter(await asyncio.gather(*calls))
    assert told.keys() == {status, 429}
    assert 47 <= told[status] <= 60  # of 51, of which four are used, and one a second


@dataclass
class Balanced:
    """The balancer in front of two ports, and what a call through it takes."""

    http: aiohttp.ClientSession
    known: ssl.SSLContext
    shows: ssl.SSLContext
    port: int
    ports: tuple[int, int]
    heard: list[tuple[int, bytes]] = field(default_factory=list)

    async def call(self) -> tuple[int, float]:
        """Call an action: the status of the answer, and the seconds."""
        began = time.monotonic()
        url = f"https://localhost:{self.port}/webhook"
        async with self.http.post(url, json={}, ssl=self.known) as told:
            assert told.status == 502 or await told.json() == {}
            return told.status, time.monotonic() - began

    async def serve(self, port: int, *, hangs: str = "") -> asyncio.Server:
        """Start an action server that answers, or hangs: with the call, or before TLS."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.heard.append((port, await reader.read(1 << 16)))
            if hangs:
                await reader.read()  # until nginx goes
            else:
                writer.write(ANSWER)
            writer.close()
            await writer.wait_closed()

        shows = None if hangs == "connections" else self.shows
        return await asyncio.start_server(talk, "127.0.0.1", port, ssl=shows)


@pytest.fixture
async def balanced(root: Path, deploy_folder: Path) -> AsyncIterator[Balanced]:
    """Run balancer.conf in front of two servers that are not there yet."""
    tls = deploy_folder / "secrets" / "tls"
    known = ssl.create_default_context(cafile=tls / "ca.crt")
    shows = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shows.load_cert_chain(tls / "actions.crt", tls / "actions.key")
    port, ports = free_port(), (free_port(), free_port())
    # Debian's nginx cannot `resolve`.
    (server,) = re.findall(
        "server actions:5055 resolve .*;", (DEPLOY / "balancer.conf").read_text()
    )
    by_address = (server.replace("actions:5055 resolve", f"127.0.0.1:{each}") for each in ports)
    there = {
        server: " ".join(by_address),
        "resolver 127.0.0.11 valid=2s;": "",
        "listen 5055": f"listen 127.0.0.1:{port}",
        "proxy_read_timeout 6s": "proxy_read_timeout 1s",
    }
    async with (
        nginx("balancer.conf", root, tls, there),
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http,
    ):
        yield Balanced(http, known, shows, port, ports)


@pytest.mark.parametrize("takes", ["connections", "calls"])
async def test_of_two_action_servers_one_hangs(takes: str, balanced: Balanced) -> None:
    """It takes what comes and answers nothing: the other one answers, and one call in ten is late.

    It hangs before TLS, as a server without its worker does, or with the call.
    """
    hangs, answers = balanced.ports
    served = [await balanced.serve(hangs, hangs=takes), await balanced.serve(answers)]
    try:
        calls = [await balanced.call() for _ in range(20)]
        url = f"https://localhost:{balanced.port}/actions"
        long = BytesIO(b" " * 15_000_000)  # as a long conversation is
        async with balanced.http.post(url, data=long, ssl=balanced.known) as told:
            assert told.status == 404
    finally:
        for server in served:
            server.close()
    took = [seconds for _, seconds in calls]
    assert {status for status, _ in calls} == {200}
    calls_of_hung = [port for port, _ in balanced.heard if port == hangs]
    assert len(calls_of_hung) == 1, "the server that hangs gets one call in ten seconds"
    assert sum(each > 0.5 for each in took) <= 2, took
    assert max(took) < 5


async def test_both_action_servers_were_away(balanced: Balanced) -> None:
    """Nginx leaves both alone, and looks again soon enough: nobody waits for half a minute more."""
    assert {(await balanced.call())[0] for _ in range(3)} == {502}
    served = [await balanced.serve(port) for port in balanced.ports]
    began = time.monotonic()
    try:
        while (await balanced.call())[0] == 502:
            assert time.monotonic() - began < 12
            await asyncio.sleep(0.2)
    finally:
        for server in served:
            server.close()
