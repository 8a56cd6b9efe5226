"""The proxies of Compose as processes, with a real nginx. `make compose` runs all of the rest."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from benchmarks.scale.programs import Programs
from tests.deploy.deployment import DEPLOY
from tests.host.loopback import Server, http
from tests.support.needs import lacking
from tests.support.processes import Process, free_port
from tests.support.waiting import until

pytestmark = pytest.mark.slow

NGINX = Programs.find().nginx
WEBHOOK = "/webhooks/rest/webhook"
Call = Callable[..., Awaitable[tuple[int, float]]]
"""Calls an action: the status of the answer, and the seconds."""


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
        started = root / "nginx.pid"
        await until("nginx starts", lambda: started.exists() or process.has_ended)
        assert started.exists(), f"nginx does not start:\n{process.tail}"
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
        async with (one, other)[host].post(url, data=body, ssl=known) as told:
            return told.status

    tls = deploy_folder / "secrets" / "tls"
    known = ssl.create_default_context(cafile=tls / "ca.crt")
    port, behind = str(free_port()), f"127.0.0.1:{free_port()}"
    certificate = f"ssl_certificate {tls}/{shown}.crt; ssl_certificate_key {tls}/{shown}.key;"
    path = f"if ($request_uri !~ ^{WEBHOOK}[?]a=1$) {{ return 418; }}"
    rasa = f"server {{ listen {behind} ssl; {certificate} {path} return 204; }}"
    there = {"8443": f"127.0.0.1:{port}", "rasa:5005": behind, "50r/s": "1r/s"}
    ways = (
        aiohttp.TCPConnector(local_addr=(each, 0), family=socket.AF_INET)
        for each in ("127.0.0.2", "127.0.0.1")
    )
    one, other = (aiohttp.ClientSession(connector=way) for way in ways)
    async with nginx("nginx.conf", root, tls, there, rasa), one, other:
        for path in ("/", "/webhooks/rest/", f"{WEBHOOK}/x", "/conversations/1/tracker"):
            assert await post(path) == 404
        for way in ("/conversations/1/../..", "//x/%2e%2e"):  # what comes there is as written
            assert await post(f"{way}{WEBHOOK}?a=1") == status
        assert await post(WEBHOOK, b" " * 70_000) == 413
        calls = (post(f"{WEBHOOK}?a=1", host=each % 2) for each in range(100))
        told = Counter(await asyncio.gather(*calls))
    assert told.keys() == {status, 429}
    assert 47 <= told[status] <= 60  # of 51, of which four are used, and one a second


@asynccontextmanager
async def balanced(root: Path, tls: Path, *servers: Server) -> AsyncIterator[Call]:
    """Run balancer.conf in front of some servers; yield what calls them through it."""
    known = ssl.create_default_context(cafile=tls / "ca.crt")
    port, balancer = free_port(), (DEPLOY / "balancer.conf").read_text("utf-8")
    # Debian's nginx cannot `resolve`.
    (server,) = re.findall("server actions:5055 resolve .*;", balancer)
    hosts = (f"127.0.0.1:{each.port}" for each in servers)
    there = {
        server: " ".join(server.replace("actions:5055 resolve", each) for each in hosts),
        "resolver 127.0.0.11 valid=2s;": "",
        "listen 5055": f"listen 127.0.0.1:{port}",
        "proxy_read_timeout 6s": "proxy_read_timeout 1s",
    }

    async def call(path: str = "/webhook", length: int = 2) -> tuple[int, float]:
        began, url = time.monotonic(), f"https://localhost:{port}{path}"
        async with client.post(url, data=BytesIO(b" " * length), ssl=known) as told:
            return told.status, time.monotonic() - began

    limit = aiohttp.ClientTimeout(30)
    async with (
        nginx("balancer.conf", root, tls, there),
        aiohttp.ClientSession(timeout=limit) as client,
    ):
        yield call


@pytest.fixture
def shows(deploy_folder: Path) -> ssl.SSLContext:
    """Show the certificate of the action server."""
    tls = deploy_folder / "secrets" / "tls"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls / "actions.crt", tls / "actions.key")
    return context


@pytest.mark.parametrize("takes", ["connections", "calls"])
async def test_of_two_action_servers_one_hangs(
    takes: str, root: Path, deploy_folder: Path, shows: ssl.SSLContext
) -> None:
    """It takes what comes and answers nothing: the other one answers, and one call in ten is late.

    It hangs before TLS, as a server without its worker does, or with the call.
    """
    tls = deploy_folder / "secrets" / "tls"
    async with (
        Server([60.0], tls=shows if takes == "calls" else None) as hangs,
        Server([http(b"{}")], tls=shows) as answers,
        balanced(root, tls, hangs, answers) as call,
    ):
        statuses, took = zip(*[await call() for _ in range(20)], strict=True)
        # As long as a conversation may be.
        assert (await call("/actions", 15_000_000))[0] == 404
    assert {*statuses} == {200}
    assert hangs.connections == 1, "the server that hangs gets one call in ten seconds"
    assert sum(each > 0.5 for each in took) <= 2, took
    assert max(took) < 5


async def test_both_action_servers_were_away(
    root: Path, deploy_folder: Path, shows: ssl.SSLContext
) -> None:
    """Nginx leaves both alone, and looks again soon enough: nobody waits for half a minute more."""
    async with (
        Server([], stays=False, tls=shows) as one,
        Server([], stays=False, tls=shows) as other,
        balanced(root, deploy_folder / "secrets" / "tls", one, other) as call,
    ):
        assert {(await call())[0] for _ in range(3)} == {502}
        one.pieces = other.pieces = [http(b"{}")]
        began = time.monotonic()
        while (await call())[0] == 502:
            assert time.monotonic() - began < 12
            await asyncio.sleep(0.2)
