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
from typing import Any

import pytest

from actions.ps7.cli.saved_tracker import read, runs
from benchmarks.scale import engines
from benchmarks.scale.authority import Authority
from benchmarks.scale.crew import Crew
from benchmarks.scale.programs import Programs
from tests.docs.documents import document
from tests.support.interpreters import rasa_python
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
SCRIPT = ROOT / "tests" / "support" / "rasa_stores.py"
DAYS = {"old": [-200, 91], "again": [-200, 199, -91, 89], "long": [-200, 199, 1], "new": [-1]}
LEFT = [0, 2, 3, 1]
"""How many days ago the events of a sender were; below 0: a session started. What is left."""


def shown(options: str) -> dict[str, Any]:
    """Return what the pages show to be typed, with the stores of this test."""
    operations, compliance = document("docs/operations.md"), document("docs/compliance.pt-BR.md")
    asked = [each.code for each in operations.blocks if each.code.startswith("read -r ")]
    (by_cpf,) = (code for code in asked if "CPF" in code)
    sql, redis = (code for code in asked if "SENDER" in code)
    keyed = redis.replace("'tracker:%s'", "'bot1:tracker:%s'")
    (recipe,) = (block.code for block in compliance.blocks if block.language == "sql")
    shell = (ROOT / "examples/deploy/on-call.sh").read_text(encoding="utf-8")
    filled = shell.replace("%s", "'tampered'").replace("%%", "%").replace("$cpf", "52998224725")
    return {
        "scripts": {"sql": sql, "redis": keyed.replace("redis-cli", f"redis-cli {options}")},
        "recipe": recipe,
        "selects": re.findall("(?m)^SELECT [^;]*", filled),
        "by_cpf": by_cpf,
    }


async def test_of_two_senders_one_is_erased() -> None:
    """Rasa finds nothing of one and all of the other. A CPF leads to its conversation.

    The statement of docs/compliance.pt-BR.md deletes what is older than 90 days, and those of
    examples/deploy/on-call.sh find a conversation, as `rasa-ps7 explain` reads it.
    """
    programs = Programs.find()
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
            variables = {"CA": str(authority.file), **passwords, **where}
            options = f"-p {redis.port} -n 3 --tls --cacert {authority.file}"
            told = json.dumps(shown(options) | {"days": DAYS})
            command = (rasa_python(), "-W", "ignore", SCRIPT, told)
            rasa = await crew.start("rasa", *command, variables=variables)
            assert await rasa.exit_code() == 0, rasa.tail
        finally:
            await crew.end()
        found = json.loads(rasa.output.splitlines()[-1])
        *listed, (saved,) = found["selected"]
        (crew.folder / "tracker.json").write_text(saved)
        (run,) = runs(read(str(crew.folder / "tracker.json")))
    erased = found["erased"]
    assert [erased[name]["left"] for name in ("sql", "redis")] == [[0, 2], [0, 2]]
    assert erased["sql"]["said"].split()[-3:] == ["0", "(1", "row)"]
    assert erased["redis"]["said"].split() == ["1", "0"]
    assert found["left"] == LEFT
    assert listed == [["tampered"], ["tampered"]], "by status, by CPF"
    assert run.tracker.sender_id == "tampered"
    assert run.was_set == {"ps7_status": "tampered", "cpf": "52998224725"}
    assert found["by_cpf"].splitlines()[2].split()[0] == "tampered"
