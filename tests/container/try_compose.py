"""Runs examples/deploy/compose.yaml as it comes on a real Docker engine: `make compose`.

The engine, its networks and its firewall rules live in namespaces of their own, and end with them.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from actions.ps7.conversation.arrival import sign
from actions.ps7.testing import Simulator
from benchmarks.scale.authority import Authority
from examples.deploy import make_secrets
from tests.container.engine import GROUP, Engine, part
from tests.support.processes import ROOT

PROGRAMS = (
    *("buildah", "podman", "runc", "mmdebstrap", "dockerd", "containerd", "docker"),
    *("docker-compose", "unshare", "ip", "iptables"),
)
OTHERS = ("postgres:17", "redis:8", "nginxinc/nginx-unprivileged:1.28")
IMAGES = {
    **{name: name for name in ("ps7-actions:0.1.0", "ps7-doctor:0.1.0", "ps7-rasa:0.1.0")},
    **dict.fromkeys(OTHERS, "python:3.10-slim"),
}
"""What compose.yaml names, and what is built for it: the others come from one image of Debian's."""
PACKAGES = (
    "ca-certificates,postgresql,redis-server,nginx-light,openssl,libsqlite3-0,libreadline8t64,"
    "libffi8,libbz2-1.0,liblzma5,libncursesw6,libgomp1"
)
SERVERS, PYTHON310 = "localhost/servers:1", "localhost/python:3.10-slim"
DOCKERFILE = f"""
FROM {SERVERS}
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/
RUN ldconfig && mkdir -p -m 700 /var/lib/postgresql/data \\
    && chown 999:999 /var/lib/postgresql/data \\
    && echo stores:x:999:999::/:/bin/sh >>/etc/passwd
ENV PATH=/usr/local/bin:/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["nginx", "-g", "daemon off;"]
"""
ENTRYPOINT = """#!/bin/sh
# What PostgreSQL's own image does with an empty volume, in short.
set -e
export PGDATA=/var/lib/postgresql/data POSTGRES_USER=postgres
export PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"
if [ ! -e $PGDATA/PG_VERSION ]; then
    initdb -U postgres -E UTF8 --pwfile "$POSTGRES_PASSWORD_FILE" -A scram-sha-256 >/dev/null
    echo "listen_addresses = '*'" >>$PGDATA/postgresql.conf
    shift
    pg_ctl -w start -o "$* -c listen_addresses="
    for file in /docker-entrypoint-initdb.d/*; do . "$file"; done
    pg_ctl -w -m fast stop
    set -- postgres "$@"
fi
exec "$@"
"""
NAMESPACES = (*("--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"),)
PS7, PORT = "ps7.example.com", 8444
EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a namespace
ANSWER = "O saldo da conta"


def run(engine: Engine, began: float) -> None:
    """Build the others; then go on in namespaces, of which this process sees the end."""
    rasa_image(engine)
    part("Rasa with a trained model, built on this machine's Python 3.10", began)
    for image in dict.fromkeys(IMAGES.values()):
        archive = engine.folder / f"{image.partition(':')[0]}.tar"
        engine.run("podman", "save", "--quiet", "-o", archive, f"localhost/{image}")
    inner = (sys.executable, "-m", "tests.container.try_compose", engine.folder, str(began))
    if subprocess.run(["unshare", *NAMESPACES, *inner], cwd=ROOT, check=False).returncode:
        raise SystemExit("compose: failed")


def rasa_image(engine: Engine) -> None:
    """Build it on this machine's Python 3.10; Debian has none."""
    python = engine.run("scripts/find-python", "3.10", "3.10").stdout.strip()
    prefix = engine.run(python, "-c", "import sys; print(sys.base_prefix)").stdout.strip()
    engine.debian(SERVERS, PACKAGES, (prefix, "/usr/local"))
    folder = engine.folder / "servers"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "docker-entrypoint.sh").write_text(ENTRYPOINT)
    engine.run("buildah", "build", "--network=host", "--format=docker", "-t", PYTHON310, folder)
    engine.build("ps7-rasa:0.1.0", "--file=examples/deploy/rasa.Dockerfile")


class Stack:
    """What compose.yaml starts, on the engine of this namespace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deploy = folder / "examples" / "deploy"
        self.environment = os.environ | {"DOCKER_HOST": f"unix://{folder}/docker.sock"}
        self.files = [
            self.deploy / name for name in ("compose.yaml", "compose.ps7-tls.yaml", "override.yaml")
        ]

    def docker(self, *command: str | Path, check: bool = True) -> str:
        """Run docker, or docker-compose with `compose` first."""
        if command[0] == "compose":
            files = [part for file in self.files for part in ("-f", file)]
            command = ("docker-compose", *files, *command[1:])
        else:
            command = ("docker", *command)
        done = subprocess.run(
            command, env=self.environment, check=False, capture_output=True, text=True
        )
        if check and done.returncode:
            raise SystemExit(f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout + (done.stderr if done.returncode else "")

    def inside(self, service: str, *command: str) -> str:
        """Run a command in the first container of a service."""
        return self.docker("compose", "exec", "-T", service, *command, check=False)

    def prepare(self) -> Authority:
        """Copy the folder, make its secrets and PS7's certificates, and say where PS7 is."""
        secrets = self.deploy / "secrets"
        ignored = shutil.ignore_patterns("secrets", "__pycache__")
        shutil.copytree(ROOT / "examples" / "deploy", self.deploy, ignore=ignored)
        make_secrets.write(secrets)
        authority = Authority(secrets / "ps7-tls", (PS7,))
        for name in ("server", "client"):
            for file in authority.issue(name):
                file.chmod(0o644)
        hosts = {"extra_hosts": [f"{PS7}:host-gateway"]}
        override = {"services": {"actions": hosts, "doctor": hosts}}
        (self.deploy / "override.yaml").write_text(json.dumps(override))
        self.environment["PS7_BASE_URL"] = f"https://{PS7}:{PORT}"
        return authority

    def start_engine(self) -> subprocess.Popen[bytes]:
        """Start dockerd, and load the images under the names that compose.yaml has."""
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        places = {"data-root": "docker", "exec-root": "exec", "pidfile": "docker.pid"}
        options = [f"--{name}={self.folder}/{place}" for name, place in places.items()]
        log = (self.folder / "dockerd.log").open("wb")
        host = f"--host={self.environment['DOCKER_HOST']}"
        command = ["dockerd", *options, host, f"--cgroup-parent={GROUP}"]
        engine = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run(
            ["docker", "info"], env=self.environment, check=False, capture_output=True
        ).returncode:
            if time.monotonic() > deadline:
                raise SystemExit((self.folder / "dockerd.log").read_text()[-3000:])
            time.sleep(0.2)
        for image, built in IMAGES.items():
            archive = self.folder / f"{built.partition(':')[0]}.tar"
            if archive.exists():
                self.docker("load", "--quiet", "--input", archive)
                archive.unlink()
            self.docker("tag", f"localhost/{built}", image)
        return engine

    def up(self, *options: str) -> None:
        """Start what is not there, and wait until it is healthy."""
        start = ("up", "--detach", "--no-build", "--pull=never", "--wait", "--wait-timeout=300")
        self.docker("compose", *start, *options)

    def roll(self, service: str) -> None:
        """Replace one server after the other, as the README of the deployment writes it."""
        for old in self.docker("compose", "ps", "--quiet", service).split():
            self.up("--no-deps", "--no-recreate", "--scale", f"{service}=3", service)
            self.docker("stop", "--time", "60", old)
            self.docker("rm", old)

    def sign(self, context_id: str, sender: str) -> str:
        """Return a token by which a contextId arrives."""
        keys = (self.deploy / "secrets" / "ps7" / "PS7_ARRIVAL_KEYS").read_text()
        return sign(json.loads(keys)[0], context_id, sender)


class Talk:
    """Users who ask for a balance, over https and the proxy."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._trust = ssl.create_default_context(cafile=stack.deploy / "secrets" / "tls" / "ca.crt")
        self.told: Counter[str] = Counter()

    async def ask(self, sender: str, token: str | None) -> str:
        """Send one message; return all that the bot says."""
        metadata = {"metadata": {"contextId": token}} if token else {}
        message: dict[str, Any] = {"sender": sender, "message": "qual meu saldo", **metadata}
        url = "https://localhost:8443/webhooks/rest/webhook"
        limit = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.post(url, json=message, ssl=self._trust) as answer,
        ):
            said = await answer.json(content_type=None) if answer.ok else answer.status
        return (
            " ".join(each.get("text", "") for each in said) if isinstance(said, list) else str(said)
        )

    async def go_on(self, number: int) -> None:
        """Ask again and again, one turn a second: the token once, and then without."""
        sender = f"user-{number}"
        token: str | None = self._stack.sign("ana", sender)
        while True:
            said = await self.ask(sender, token)
            token = None
            self.told["answered" if ANSWER in said else said or "nothing"] += 1
            await asyncio.sleep(1)


TO_ACTIONS = """
import ssl, urllib.request as web
known = ssl.create_default_context(cafile="/run/tls/ca.crt")
print(web.urlopen("https://actions:5055/health", context=known).read().decode())
"""
TO_POSTGRES = """
import psycopg2
told = {"host": "postgres", "dbname": "rasa", "user": "rasa", "sslrootcert": "/run/tls/ca.crt"}
password = open("/run/secrets/DB_PASSWORD").read()
asked = psycopg2.connect(**told, sslmode="verify-full", password=password).cursor()
asked.execute("select rolsuper from pg_roles where rolname = current_user")
print("superuser", asked.fetchone()[0])
asked.execute("select count(*) > 0 from events")
print("conversations", asked.fetchone()[0])
"""
TO_REDIS = """
import redis
told = {"ssl": True, "ssl_ca_certs": "/run/tls/ca.crt"}
password = open("/run/secrets/REDIS_PASSWORD").read()
print(redis.Redis("redis", 6379, password=password, **told).ping())
"""
TO_RASA = (
    "openssl s_client -connect rasa:5005 -CAfile /run/tls/ca.crt -verify_hostname rasa"
    " -verify_return_error </dev/null"
)
SHUT = """
import socket
try:
    socket.create_connection(("postgres", 5432), 3)
except OSError:
    print("shut")
"""
HOPS = (
    ("rasa", "the action server, by its name", ("python", "-c", TO_ACTIONS), '"ok"'),
    ("rasa", "PostgreSQL, as no superuser", ("python", "-c", TO_POSTGRES), "superuser False"),
    ("rasa", "… and the conversation is there", ("python", "-c", TO_POSTGRES), "sations True"),
    ("rasa", "Redis, by its authority", ("python", "-c", TO_REDIS), "True"),
    ("proxy", "Rasa, by its name", ("sh", "-c", TO_RASA), "Verification: OK"),
    ("proxy", "no action server", ("sh", "-c", "getent hosts actions || echo shut"), "shut"),
    ("actions", "no PostgreSQL", ("python", "-c", SHUT), "shut"),
)
"""From where to where, a command, and what it says."""
KILL = """
import os, pathlib
spawned = b"--multiprocessing-fork\\0"
found = pathlib.Path("/proc").glob("[0-9]*/cmdline")
os.kill(max(int(f.parent.name) for f in found if f.read_bytes().endswith(spawned)), 9)
"""


async def in_namespace(folder: Path, began: float) -> None:
    """Start everything, talk, look at each hop, and replace the servers."""
    stack = Stack(folder)
    authority = stack.prepare()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    served.load_cert_chain(
        authority.file.with_name("server.crt"), authority.file.with_name("server.key")
    )
    served.verify_mode = ssl.CERT_REQUIRED
    ps7 = Simulator(host=EVERYWHERE, port=PORT, ssl_context=served, host_name=PS7)
    ps7.username = ps7.password = make_secrets.FILL_IN
    engine = await asyncio.to_thread(stack.start_engine)
    try:
        async with ps7:
            await run_through(stack, began)
    except (AssertionError, SystemExit):
        sys.stdout.write(stack.docker("compose", "logs", "--tail", "40", check=False))
        raise
    finally:
        stack.docker("compose", "down", "--volumes", "--timeout", "5", check=False)
        engine.terminate()
        engine.wait(30)


async def run_through(stack: Stack, began: float) -> None:
    """Do what a person would do first, and then what wears it out."""
    await asyncio.to_thread(stack.up)
    part("compose.yaml, and PS7 behind an authority of its own: all healthy", began)
    talk = Talk(stack)
    said = await talk.ask("1", stack.sign("ana", "1"))
    assert ANSWER in said, said
    assert ANSWER not in await talk.ask("2", "ana"), "a contextId that nobody signed"
    part(f"a signed conversation over https: {said}", began)
    for service, to, command, expected in HOPS:
        told = await asyncio.to_thread(stack.inside, service, *command)
        assert expected in told, f"{service} -> {to}: {told}"
        part(f"{service} -> {to}", began)
    doctor = await asyncio.to_thread(stack.docker, "compose", "run", "--rm", "doctor", check=False)
    assert "PS7 takes the credentials" in doctor, doctor
    part("the doctor: PS7 takes the credentials", began)

    users = [asyncio.create_task(talk.go_on(number)) for number in range(3)]
    await asyncio.sleep(5)
    await asyncio.to_thread(stack.inside, "actions", "python", "-c", KILL)
    # The server that lost it answers nobody until its container ends, and is started again.
    await asyncio.sleep(50)
    part(f"a worker killed (-9) under load, within 50 s: {dict(talk.told)}", began)
    talk.told.clear()
    await asyncio.sleep(10)
    assert talk.told.keys() == {"answered"}, f"its server is not back: {dict(talk.told)}"
    for service in ("actions", "rasa"):
        await asyncio.to_thread(stack.roll, service)
        part(f"each server of {service} replaced under load: {dict(talk.told)}", began)
    for user in users:
        user.cancel()
    assert talk.told.keys() == {"answered"}, "a turn was lost"


if __name__ == "__main__":
    asyncio.run(in_namespace(Path(sys.argv[1]), float(sys.argv[2])))
