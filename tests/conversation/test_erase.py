"""What the page on operations erases a conversation with, on PostgreSQL and on Redis over TLS.

Rasa's own classes keep the conversations, and look for them afterwards.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tempfile
from pathlib import Path

import pytest

from actions.ps7.cli.saved import read, runs
from benchmarks.scale import engines
from benchmarks.scale.authority import Authority
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import Programs
from tests.conversation.fixtures import _rasa_python
from tests.docs.documents import document
from tests.support.needs import lacking
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]

SQL = "type: SQL, dialect: postgresql, db: bot, login_db: rasa, username: rasa, password: ${SQL}"
REDIS = (
    "type: redis, db: 3, key_prefix: bot1, password: ${REDIS}, use_ssl: true, ssl_ca_certs: ${CA}"
)
IN_RASA = """
import asyncio, json, subprocess, sys, time
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core import domain, events, trackers
from rasa.utils.endpoints import read_endpoint_config

senders = "o'Brien [1-9]* 100%", "o'Brien 1"

def opened(file):
    given = read_endpoint_config(file, "tracker_store")
    return TrackerStore.create(given, domain.Domain.empty())

def run(script, said):
    return subprocess.run(
        ["sh", "-ec", script], input=said + "\\n", capture_output=True, text=True
    )

async def go(file, script):
    store = opened(file)
    said = [events.SessionStarted(), events.UserUttered("oi")]
    talks = [trackers.DialogueStateTracker.from_events(each, said) for each in senders]

    async def held():
        found = [await store.retrieve_full_tracker(each) for each in senders]
        return [each and each.as_dialogue().as_dict()["events"] for each in found]

    for talk in talks:
        await store.save(talk)
    before = await held()
    ended = run(script, senders[0])
    return [before, ended.stdout.split() if ended.returncode == 0 else ended.stderr, await held()]

async def left(days, statement):
    store = opened("sql.yml")
    for sender, ages in days.items():
        times = [time.time() - 86400 * abs(age) for age in ages]
        kinds = [events.SessionStarted if age < 0 else events.BotUttered for age in ages]
        said = [kind(timestamp=at) for kind, at in zip(kinds, times)]
        await store.save(trackers.DialogueStateTracker.from_events(sender, said))
    store.engine.execute(statement)
    found = [await store.retrieve_full_tracker(sender) for sender in days]
    return [len(each.events) if each else 0 for each in found]

async def selected(statements, find):
    store = opened("sql.yml")
    for status, cpf in ("rejected", None), ("tampered", "52998224725"), ("ok", "11144477735"):
        slots = events.SlotSet("ps7_status", status), events.SlotSet("cpf", cpf)
        said = [events.UserUttered("oi"), *slots]
        await store.save(trackers.DialogueStateTracker.from_events(status, said))
    engine = store.engine.execution_options(no_parameters=True)
    found = [row.split()[0] for row in run(find, "52998224725").stdout.splitlines()[2:3]]
    return [[row[0] for row in engine.execute(each)] for each in statements] + [found]

scripts, days, statement, statements, find = json.loads(sys.argv[1])
found = [asyncio.run(go(f"{name}.yml", script)) for name, script in scripts.items()]
asked = asyncio.run(selected(statements, find))
print(json.dumps([found, asyncio.run(left(days, statement)), asked]))
"""
DAYS = {"old": [-200, 91], "again": [-200, 199, -91, 89], "long": [-200, 199, 1], "new": [-1]}
LEFT = [0, 2, 3, 1]
"""How many days ago the events of a sender were; below 0: a session started. What is left."""


def erasing(options: str) -> dict[str, str]:
    """Return the blocks of the page, each with the store of this test."""
    page = document("docs/operations.md")
    sql, redis = (block.code for block in page.blocks if block.code.startswith("read -r SENDER"))
    keyed = redis.replace("'tracker:%s'", "'bot1:tracker:%s'")
    return {"sql": sql, "redis": keyed.replace("redis-cli", f"redis-cli {options}")}


async def test_of_two_senders_one_is_erased() -> None:
    """Rasa finds nothing of one and all of the other. A CPF leads to its conversation.

    The statement of docs/compliance.pt-BR.md deletes what is older than 90 days, and those of
    examples/deploy/on-call.sh find a conversation, as `rasa-ps7 explain` reads it.
    """
    programs, python = Programs.find(), _rasa_python()
    if not ((programs.postgres / "initdb").exists() and programs.redis.exists()):
        lacking("PostgreSQL and Redis", "apt-get install postgresql redis-server")
    with tempfile.TemporaryDirectory(prefix="ps7-erase-") as folder:
        crew = Crew(Path(folder))
        authority = Authority(Path(folder, "tls"))
        try:
            sql, redis = await asyncio.gather(
                engines.postgres(programs, crew, "rasa"),
                engines.redis(programs, crew, authority.issue("redis")),
            )
            for name, text, server in (("sql", SQL, sql), ("redis", REDIS, redis)):
                lines = (f"{text}, url: 127.0.0.1, port: {server.port}").replace(", ", "\n  ")
                (crew.folder / f"{name}.yml").write_text(f"tracker_store:\n  {lines}\n")
            passwords = {"SQL": sql.password, "REDIS": redis.password}
            where = {"PGHOST": "127.0.0.1", "PGPORT": str(sql.port), "PGUSER": "rasa"}
            where |= {"PGDATABASE": "bot", "PGPASSWORD": sql.password}
            where |= {"REDISCLI_AUTH": redis.password, "PATH": os.environ["PATH"]}
            variables = {"PYTHONPATH": str(ROOT), "CA": str(authority.file), **passwords, **where}
            compliance = document("docs/compliance.pt-BR.md")
            (recipe,) = (block.code for block in compliance.blocks if block.language == "sql")
            shell = (ROOT / "examples/deploy/on-call.sh").read_text(encoding="utf-8")
            filled = shell.replace("%s", "'tampered'").replace("%%", "%")
            statements = re.findall("(?m)^SELECT [^;]*", filled)
            options = f"-p {redis.port} -n 3 --tls --cacert {authority.file}"
            page = document("docs/operations.md")
            (find,) = (each.code for each in page.blocks if each.code.startswith("read -r CPF"))
            code = (IN_RASA, json.dumps([erasing(options), DAYS, recipe, statements, find]))
            rasa = await crew.start(
                "rasa", python, "-W", "ignore", "-c", *code, variables=variables
            )
            assert await rasa.exit_code() == 0, rasa.tail
        finally:
            await crew.end()
        found, left, (senders, (saved,), of_cpf) = json.loads(rasa.output.splitlines()[-1])
        (crew.folder / "tracker.json").write_text(saved)
        (run,) = runs(read(str(crew.folder / "tracker.json")))
    assert (senders, of_cpf, run.tracker.sender_id) == (["tampered"], ["tampered"], "tampered")
    assert run.was_set == {"ps7_status": "tampered", "cpf": "52998224725"}
    assert left == LEFT
    for before, erased, after in found:
        assert [[event["event"] for event in events] for events in before] == [
            ["session_started", "user"]
        ] * 2
        assert after == [None, before[1]], erased
    assert [erased[-1] for _, erased, _ in found] == ["row)", "0"]
    assert found[0][1][-3:-1] == ["0", "(1"]
