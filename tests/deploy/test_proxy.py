"""The proxy of Compose as a process: what it lets through. `make compose` runs all of the rest."""

from __future__ import annotations

import asyncio
import re
import ssl
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from benchmarks.scale.programs import PACKAGES, Programs
from tests.deploy.deployment import DEPLOY
from tests.support.needs import lacking
from tests.support.processes import Process, free_port

pytestmark = pytest.mark.release

PROGRAMS = Programs.find()
WEBHOOK = "/webhooks/rest/webhook"


@pytest.fixture
def root() -> Iterator[Path]:
    """Make a folder with a short path, through which another user of the system gets."""
    if PROGRAMS.missing:
        lacking("PostgreSQL, Redis and nginx", f"apt-get install {PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="ps7-deploy-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.mark.parametrize(("shown", "status"), [("rasa", 204), ("redis", 502)])
async def test_the_proxy_lets_one_channel_through(
    shown: str, status: int, root: Path, deploy_folder: Path
) -> None:
    """Over TLS, so many messages at a time, to a server that shows Rasa's certificate."""

    async def post(path: str, body: bytes = b"") -> int:
        url = URL(f"https://localhost:{port}{path}", encoded=True)
        async with http.post(url, data=body, ssl=known) as told:
            return told.status

    tls = deploy_folder / "secrets" / "tls"
    known = ssl.create_default_context(cafile=tls / "ca.crt")
    port, behind = str(free_port()), f"127.0.0.1:{free_port()}"
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    there = {"/run/tls/": f"{tls}/", "/tmp/": f"{root}/", "8443": port, "rasa:5005": behind}  # noqa: S108 - the container's
    text = re.sub("|".join(map(re.escape, there)), lambda found: there[found[0]], text)
    http_block, _, _ = text.rpartition("}")
    certificate = f"ssl_certificate {tls}/{shown}.crt; ssl_certificate_key {tls}/{shown}.key;"
    path = f"if ($request_uri !~ ^{WEBHOOK}([?]a=1)?$) {{ return 418; }}"
    rasa = f"server {{ listen {behind} ssl; {certificate} {path} return 204; }}"
    configuration = root / "nginx.conf"
    configuration.write_text(f"{http_block}{rasa} }}")
    command = (PROGRAMS.nginx, "-p", root, "-c", configuration, "-g", "daemon off;")
    process = await Process.start(root / "log", *command, cwd=root, variables={})
    try:
        for _ in range(300):
            if (root / "nginx.pid").exists():
                break
            await asyncio.sleep(0.1)
        async with aiohttp.ClientSession() as http:
            for path in ("/", "/webhooks/rest/", f"{WEBHOOK}/x", "/conversations/1/tracker"):
                assert await post(path) == 404
            for way in ("/conversations/1/../..", "//x/%2e%2e"):  # what comes there is as written
                assert await post(f"{way}{WEBHOOK}?a=1") == status
            assert await post(WEBHOOK, b" " * 70_000) == 413
            told = Counter(await asyncio.gather(*(post(WEBHOOK) for _ in range(60))))
    finally:
        await process.end()
    assert told.keys() == {status, 429}
    assert told[status] >= 18  # of 21, of which three are used
