"""A certificate that is not the right one is an error, at each hop where Rasa 3.6.21 looks at it.

What one sees of it stands in examples/deploy/README.md, "When a certificate is wrong".
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actions.ps7.testing import Simulator
from benchmarks.scale import engines
from benchmarks.scale.authority import Authority
from benchmarks.scale.crew import Crew
from benchmarks.scale.servers import ActionServers
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from benchmarks.scale.programs import Programs

pytestmark = [pytest.mark.release, pytest.mark.asyncio]

HOPS = """
import asyncio, json, os, sys
from rasa.core.lock_store import LockStore
from rasa.core.tracker_store import TrackerStore
from rasa.utils.endpoints import read_endpoint_config as read

async def actions():
    await read(file, "action_endpoint").request(json={}, method="post")

async def tracker_store():
    await TrackerStore.create(read(file, "tracker_store")).retrieve("nobody")

async def lock_store():
    LockStore.create(read(file, "lock_store")).get_lock("nobody")

def end_of(hop):
    try:
        asyncio.run(hop())
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "connected"

file, ends = sys.argv[1], []
for settings in json.loads(sys.argv[2]):
    os.environ.update(settings)
    ends.append([end_of(hop) for hop in (actions, tracker_store, lock_store)])
print(json.dumps(ends))
"""
"""Run by Rasa's Python: each hop of an endpoints.yml, with one setting after the other."""


async def tried(programs: Programs, crew: Crew, ps7: Simulator) -> list[list[str]]:
    """Return how the hops end: with the right certificates, another authority's, another host's."""
    authority = Authority(crew.folder / "tls", ["localhost"])
    another = Authority(crew.folder / "another")
    database = await engines.postgres(programs, crew, "rasa", authority.issue("postgres"))
    locks = await engines.redis(programs, crew, authority.issue("redis"))
    actions = ActionServers(crew, authority, ps7)
    server = actions.each[0]
    await actions.start(server)
    always = {"DB_NAME": "rasa", "DB_USER": "rasa", "DB_PASSWORD": database.password}
    always |= {"DB_PORT": str(database.port), "REDIS_PORT": str(locks.port)}
    always |= {"REDIS_PASSWORD": locks.password}
    tries = [
        {
            "TLS_CA_FILE": str(trusted.file),
            "ACTION_ENDPOINT_URL": f"https://{host}:{server.port}/webhook",
            "DB_HOST": host,
            "REDIS_HOST": host,
            **always,
        }
        for trusted, host in (
            (authority, "localhost"),
            (another, "localhost"),
            (authority, "127.0.0.1"),
        )
    ]
    endpoints = ROOT / "examples" / "deploy" / "rasa" / "endpoints.yml"
    command = (programs.rasa_python, "-W", "ignore", "-c", HOPS, endpoints, json.dumps(tries))
    said = await crew.run("hops", *command)
    ends: list[list[str]] = json.loads(said.splitlines()[-1])
    return ends


async def test_a_hop_takes_the_right_certificate_and_no_other(programs: Programs) -> None:
    """Action server, PostgreSQL, Redis, in this order; of Redis the authority alone counts."""
    with tempfile.TemporaryDirectory(prefix="ps7-certificates-") as folder:
        crew = Crew(Path(folder))
        try:
            async with Simulator() as ps7:
                right, of_another_authority, of_another_host = await tried(programs, crew, ps7)
        finally:
            await crew.end()

    assert right == ["connected"] * 3
    issuer, name = "unable to get local issuer", "IP address mismatch"
    for said, words in zip(of_another_authority, (issuer, "verify failed", issuer), strict=True):
        assert words in said
    # redis-py 4.6 looks at the name where `ssl_check_hostname` is set, which Rasa cannot do.
    words_of_hosts = (name, "does not match host name", "connected")
    for said, words in zip(of_another_host, words_of_hosts, strict=True):
        assert words in said
