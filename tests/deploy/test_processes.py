"""The services of Compose, run as processes: their commands, health checks, files and TLS.

Kubernetes has the same commands. What differs here is only where things are: what lies below /run
and /tmp is in a folder of the test, and ports are free ones.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from actions.ps7.testing import Simulator
from benchmarks.scale.programs import Programs
from tests.deploy.deployment import COMPOSE, DEPLOY, mounted
from tests.support.dialogue import Dialogue
from tests.support.processes import ROOT, Process, free_port

pytestmark = pytest.mark.release

PROGRAMS = Programs.find()
PATH = f"{Path(sys.executable).parent}:{PROGRAMS.postgres}:/usr/bin:/bin"
WEBHOOK = "/webhooks/rest/webhook"


class Service:
    """A service of Compose in a folder of this machine: its files, command and health check."""

    def __init__(self, name: str, root: Path, secrets: Path, places: dict[str, str]) -> None:
        self.root = root
        self._says: dict[str, Any] = COMPOSE["services"][name]
        self._places = {old: f"{root}{old}" for old in ("/run/", "/tmp/")} | places | {"$$": "$"}  # noqa: S108 - the container's
        self.command = [self.here(part) for part in self._says.get("command", [])]
        (root / "tmp").mkdir()
        for path, source in mounted(self._says).items():
            target = Path(self.here(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(secrets.parent / COMPOSE["secrets"][source]["file"], target)

    def here(self, text: str) -> str:
        """Return a text of the deployment with the places of this machine."""
        return re.sub("|".join(map(re.escape, self._places)), lambda m: self._places[m[0]], text)

    async def start(self, *command: str | Path, **variables: str) -> Process:
        """Start a process in its folder."""
        variables = {"PATH": f"{self.root}:{PATH}", **variables}
        return await Process.start(self.root / "log", *command, cwd=self.root, variables=variables)

    def healthy(self) -> bool:
        """Ask as Compose does."""
        kind, *asked = self._says["healthcheck"]["test"]
        asked = [*(["/bin/sh", "-c"] if kind == "CMD-SHELL" else []), *map(self.here, asked)]
        return run(*asked).returncode == 0


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    variables = {"PATH": PATH, **variables}
    return subprocess.run(command, env=variables, check=False, capture_output=True, text=True)


def wait(until: Callable[[], bool]) -> None:
    """Wait for something. The time limit of the test may end it."""
    while not until():
        time.sleep(0.1)


@pytest.fixture
def root() -> Iterator[Path]:
    """Make a folder with a short path, through which another user of the system gets."""
    if PROGRAMS.missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(PROGRAMS.missing)
    with tempfile.TemporaryDirectory(prefix="ps7-deploy-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


async def test_postgres_talks_over_tls_alone(root: Path, secrets_folder: Path) -> None:
    """It takes its key from a file that all may read, and a client finds its name proven."""
    port = str(free_port())
    postgres = Service("postgres", root, secrets_folder, {"5432": port})
    password = root / "run" / "secrets" / "DB_PASSWORD"
    entrypoint = root / "docker-entrypoint.sh"  # the image's makes the database, and runs the rest
    entrypoint.write_text(
        f"initdb -D {root}/data -U rasa --pwfile {password} -A scram-sha-256 --no-sync || exit 1\n"
        f'exec "$@" -D {root}/data -p {port} -c unix_socket_directories=\n'
    )
    entrypoint.chmod(0o755)
    owner: list[str] = []
    if os.geteuid() == 0:  # it refuses root
        owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
        run("chown", "-R", "postgres:postgres", root)
    process = await postgres.start(*owner, *postgres.command)

    def login(mode: str) -> subprocess.CompletedProcess[str]:
        where = f"host=localhost port={port} user=rasa dbname=postgres sslmode={mode}"
        where += f" sslrootcert={secrets_folder}/tls/ca.crt"
        return run("psql", where, "-tAc", "select 'in'", PGPASSWORD=password.read_text())

    try:
        wait(postgres.healthy)
        assert login("verify-full").stdout == "in\n"
        assert "no encryption" in login("disable").stderr
    finally:
        await process.end()


async def test_redis_talks_over_tls_alone(root: Path, secrets_folder: Path) -> None:
    """To those who have its password, which no other user reads in its configuration."""
    port = str(free_port())
    redis = Service("redis", root, secrets_folder, {"6379": port})
    password = (secrets_folder / "stores" / "REDIS_PASSWORD").read_text()
    process = await redis.start(*redis.command)
    tls = ("--tls", "--cacert", secrets_folder / "tls" / "ca.crt")
    try:
        wait(redis.healthy)
        ask = ("redis-cli", "-p", port, *tls, "config", "get", "port")
        assert run(*ask, REDISCLI_AUTH=password).stdout == "port\n0\n"
        assert run(*ask).stdout.startswith("NOAUTH")
        assert (root / "tmp" / "redis.conf").stat().st_mode & 0o077 == 0
    finally:
        await process.end()


async def test_the_action_server_talks_over_tls_and_wants_signed_arrivals(
    root: Path, secrets_folder: Path
) -> None:
    """A contextId that `sign` put into a token is known; the same one as it stands is not."""
    port = str(free_port())
    server = Service("actions", root, secrets_folder, {"5055": port})
    known = ssl.create_default_context(cafile=secrets_folder / "tls" / "ca.crt")
    ana = Dialogue()

    async def send(call: dict[str, Any]) -> dict[str, Any]:
        url = f"https://localhost:{port}/webhook"
        async with http.post(url, json=call, ssl=known) as answer:
            return dict(await answer.json())

    async with Simulator() as ps7, aiohttp.ClientSession() as http:
        variables = {"PS7_SECRETS_DIR": str(root / "run" / "secrets"), **ps7.environment}
        variables |= {"PYTHONPATH": str(ROOT), "SANIC_HOST": "127.0.0.1"}
        process = await server.start(*server.command, "--port", port, **variables)
        try:
            wait(server.healthy)
            sign = ("python", "-m", "actions.ps7", "sign", "ana", "--sender", ana.sender_id)
            token = run(*sign, **variables).stdout.splitlines()[0]
            await ana.turn(send, metadata={"contextId": "ana"})
            assert ana.slots["ps7_status"] == "invalid"
            await ana.turn(send, metadata={"contextId": token})
            assert ana.slots["ps7_status"] == "ok"
            shutil.copyfile(secrets_folder / "tls" / "actions.crt", root / "run" / "tls" / "ca.crt")
            assert not server.healthy(), "a certificate that another authority signed"
        finally:
            await process.end()
    assert process.complaints == []


@pytest.mark.parametrize(("shown", "status"), [("rasa", 204), ("redis", 502)])
async def test_the_proxy_lets_one_channel_through(
    shown: str, status: int, root: Path, secrets_folder: Path
) -> None:
    """Over TLS, so many messages at a time, to a server that shows Rasa's certificate."""

    async def post(path: str, body: bytes = b"") -> int:
        url = URL(f"https://localhost:{port}{path}", encoded=True)
        async with http.post(url, data=body, ssl=known) as told:
            return told.status

    tls = secrets_folder / "tls"
    known = ssl.create_default_context(cafile=tls / "ca.crt")
    port, behind = str(free_port()), f"127.0.0.1:{free_port()}"
    proxy = Service("proxy", root, secrets_folder, {"8443": port, "rasa:5005": behind})
    configuration = root / "nginx.conf"
    http_block, _, _ = proxy.here((DEPLOY / "nginx.conf").read_text("utf-8")).rpartition("}")
    certificate = f"ssl_certificate {tls}/{shown}.crt; ssl_certificate_key {tls}/{shown}.key;"
    path = f"if ($request_uri !~ ^{WEBHOOK}([?]a=1)?$) {{ return 418; }}"
    rasa = f"server {{ listen {behind} ssl; {certificate} {path} return 204; }}"
    configuration.write_text(f"{http_block}{rasa} }}")
    command = (PROGRAMS.nginx, "-p", root, "-c", configuration, "-g", "daemon off;")
    process = await proxy.start(*command)
    try:
        wait((root / "tmp" / "nginx.pid").exists)
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
