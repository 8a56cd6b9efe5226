"""Two Rasa servers, two action servers, PostgreSQL, Redis and nginx: customers are not mixed up."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from benchmarks.scale import engines
from benchmarks.scale.acts import AS_IT_COMES, PLANS, REPEATING
from benchmarks.scale.authority import Authority
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import ROOT, Programs
from benchmarks.scale.servers import ActionServers
from tests.benchmarks.running import run
from tests.conversation.talking import RunningBot

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]

HOPS = """
import asyncio, json, os, sys
from rasa.core.lock_store import LockStore
from rasa.core.tracker_store import TrackerStore
from rasa.utils.endpoints import read_endpoint_config

async def end_of(hop, endpoint):
    try:
        await hop(read_endpoint_config(sys.argv[1], endpoint))
    except Exception as error:
        return str(error)
    return "connected"

hops = {
    "action_endpoint": lambda found: found.request(json={}, method="post"),
    "tracker_store": lambda found: TrackerStore.create(found).retrieve("nobody"),
    "lock_store": lambda found: asyncio.to_thread(LockStore.create(found).get_lock, "nobody"),
}
ends = []
for settings in json.loads(sys.argv[2]):
    os.environ.update(settings)
    ends.append([asyncio.run(end_of(hop, endpoint)) for endpoint, hop in hops.items()])
print(json.dumps(ends))
"""
"""For Rasa's Python: how each hop of an endpoints.yml ends, with one setting after the other."""


@pytest.fixture(scope="session")
def programs() -> Programs:
    """Find what the run needs. Where a program is missing tests are skipped, but never in CI."""
    found = Programs.find()
    if found.missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(found.missing)
    return found


@pytest.mark.timeout(1200)
async def test_servers_die_and_change_and_no_conversation_is_the_worse_for_it(
    programs: Programs, oss_bot: RunningBot
) -> None:
    """Each turn goes to another Rasa server; versions and keys change while users talk.

    Turns are lost only if they were under way on a server that was killed, none where nginx repeats
    action calls, and in the end every tracker holds its own customer. What else must hold stands in
    `verdict.problems`.
    """
    arguments = ("--model", str(oss_bot.model), "--users", "8")
    found = await run("scale", *arguments, PS7_RASA_PYTHON=str(programs.rasa_python))

    assert found["conversations"] == found["trackers right at the end"]
    assert found["turns and trackers mixed up"] == ["0"]
    for plan in PLANS:
        *_, cut_off, failed, refused, lost, beyond = map(int, found[plan.name])
        assert refused > 0
        assert (cut_off > 0) is (plan.name in {AS_IT_COMES, REPEATING})
        assert max(failed, lost) <= (cut_off if plan.name == AS_IT_COMES else 0)
        assert beyond <= cut_off  # a call that is repeated may ask PS7 again


async def _hops(programs: Programs, crew: Crew, ps7: Simulator) -> list[list[str]]:
    """Try right certificates, those of another authority, and some that name another host."""
    authority = Authority(crew.folder / "tls", ["localhost"])
    another = Authority(crew.folder / "another")
    database = await engines.postgres(programs, crew, "rasa", authority.issue("postgres"))
    locks = await engines.redis(programs, crew, authority.issue("redis"))
    actions = ActionServers(crew, authority, ps7)
    await actions.start(actions.each[0])
    stores = {"DB_NAME": "rasa", "DB_USER": "rasa", "DB_PASSWORD": database.password}
    stores |= {"DB_PORT": str(database.port), "REDIS_PORT": str(locks.port)}
    tries = [
        {"TLS_CA_FILE": str(trusted.file), "DB_HOST": host, "REDIS_HOST": host}
        | {"ACTION_ENDPOINT_URL": f"https://{host}:{actions.each[0].port}/webhook"}
        | {**stores, "REDIS_PASSWORD": locks.password}
        for trusted in (authority, another)
        for host in ("localhost", "127.0.0.1")
    ]
    endpoints = ROOT / "examples" / "deploy" / "rasa" / "endpoints.yml"
    command = (programs.rasa_python, "-W", "ignore", "-c", HOPS, endpoints, json.dumps(tries[:3]))
    ends: list[list[str]] = json.loads((await crew.run("hops", *command)).splitlines()[-1])
    return ends


async def test_a_hop_takes_the_right_certificate_and_no_other(programs: Programs) -> None:
    """Action server, PostgreSQL, Redis: what Rasa says stands in examples/deploy/README.md."""
    with tempfile.TemporaryDirectory(prefix="ps7-certificates-") as folder:
        crew = Crew(Path(folder))
        try:
            async with Simulator() as ps7:
                right, of_another_host, of_another_authority = await _hops(programs, crew, ps7)
        finally:
            await crew.end()

    assert right == ["connected"] * 3
    assert all("certificate verify failed" in end for end in of_another_authority)
    actions, tracker_store, lock_store = of_another_host
    assert "IP address mismatch" in actions
    assert "does not match host name" in tracker_store
    assert lock_store == "connected", "redis-py wants ssl_check_hostname, which Rasa cannot set"
