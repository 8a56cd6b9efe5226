"""`rasa-ps7 erase`: what it finds in endpoints.yml, what it deletes, and what it says.

Here with SQLite, and with clients that connect to nothing; tests/conversation has real servers.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.command import Cli, Ended

Said = Callable[..., Ended]

IDS = ["o'Brien\"; --", "100%_", "a*", "[ab]?", "+55 11 99999-0000", "ção"]
NEEDS = "; the command needs what Rasa has: packages, folder, variables and network\n"
TIMES = {"first": "1970-01-01T00:00:00Z", "last": "1970-01-01T00:00:02Z"}


@pytest.fixture
def said(isolated: pytest.MonkeyPatch, cli: Cli) -> Said:
    """Run the command where endpoints.yml has these lines; return code, output and errors."""
    isolated.setenv("PW", "s3cret@")
    isolated.setenv("POSTGRESQL_SCHEMA", "")

    def run(store: str, *arguments: str) -> Ended:
        text = "tracker_store:\n  " + store.replace(", ", "\n  ")
        Path("endpoints.yml").write_text(text, encoding="utf-8")
        return cli("erase", *arguments)

    return run


def sql(statement: str, *rows: tuple[Any, ...]) -> list[Any]:
    with closing(sqlite3.connect("rasa.db")) as database, database:
        if rows:
            database.executemany(statement, rows)
        return [] if rows else database.execute(statement).fetchall()


@pytest.fixture
def events(said: Said) -> list[tuple[str]]:  # noqa: ARG001 - which chose the folder
    """Make a database with three events of each sender; return whose they are."""
    sql("CREATE TABLE events (id INTEGER PRIMARY KEY, sender_id VARCHAR(255), timestamp FLOAT)")
    rows = [(sender, at + 0.5) for sender in (*IDS, "aa", "100%x", "A*") for at in range(3)]
    sql("INSERT INTO events (sender_id, timestamp) VALUES (?, ?)", *rows)
    return [(sender,) for sender, _ in rows]


@pytest.mark.parametrize("sender", IDS)
def test_one_sender_is_erased(events: list[tuple[str]], said: Said, sender: str) -> None:
    """Whatever stands in the id: all that is of it, and nothing of anyone else."""
    erased = {"store": "sqlite:///rasa.db", "events": 3, **TIMES, "left": 0}
    nothing = {"events": 0, "first": None, "last": None}
    for expected in (erased, erased | nothing):
        code, out, _ = said("type: SQL", sender, "--json", "--yes")
        assert (code, json.loads(out)) == (0, expected)
        left = [each for each in events if each != (sender,)]
        assert sql("SELECT sender_id FROM events ORDER BY id") == left


@pytest.mark.usefixtures("events")
def test_what_a_person_reads(said: Said) -> None:
    """How much there is, and what comes next; also where Rasa writes while it is erased."""
    start = "  store   sqlite:///rasa.db\n  events  "
    times = "".join(f"\n  {name:6}  {time}" for name, time in TIMES.items())
    end = "first close the customer's channel.\n"
    out = f"{start}3{times}\n  left    3\nNothing is erased without --yes: {end}"
    assert said("type: SQL", "a*") == (10, out, "")
    anew = "INSERT INTO events (sender_id) VALUES (old.sender_id)"
    sql(f"CREATE TRIGGER anew AFTER DELETE ON events WHEN old.id % 3 = 0 BEGIN {anew}; END")
    out = f"{start}3{times}\n  left    1\nRasa wrote it anew: {end}"
    assert said("type: SQL", "a*", "--yes") == (10, out, "")
    sql("DROP TRIGGER anew")
    out = f"{start}1\n  left    0\nThe tracker store holds nothing of this sender id.\n"
    assert said("type: SQL", "a*", "--yes") == (0, out, "")
    error = "SENDER_ID is empty: is a variable of the script not set?\n"
    assert said("type: SQL", "", "--yes") == (1, "", error)


@pytest.mark.usefixtures("events")
def test_a_time_that_no_calendar_has_is_the_last_one_that_has(said: Said) -> None:
    """As where a back-end counts in milliseconds: what is there is erased all the same."""
    sql("UPDATE events SET timestamp = timestamp + ? WHERE id = ?", (1.7e12, 2), (0, 1))
    code, out, _ = said("type: SQL", IDS[0], "--json", "--yes")
    found = {"events": 3, "first": TIMES["first"], "last": "9999-12-31T23:59:59Z", "left": 0}
    assert (code, json.loads(out)) == (0, {"store": "sqlite:///rasa.db", **found})


AS_RASA = "type: SQL, dialect: postgresql, username: rasa, password: ${PW}, db: bot"
X = "postgresql+x://"
URL, SCHEMA = "postgresql://rasa:s3cret%40@", {"options": "-csearch_path=s"}
SECURED = "type: redis, port: 1, db: 2, use_ssl: true, ssl_ca_certs: ca, password: ${PW}, url: r"
IS_SECURED = {"ssl": True, "port": 1, "db": 2, "ssl_ca_certs": "ca", "password": "s3cret@"}


@pytest.mark.parametrize(
    ("store", "schema", "opened"),
    [
        (f"{AS_RASA}, url: db", "", (f"{URL}db/bot", {})),
        (f"{AS_RASA}, url: db:1", "", (f"{URL}db:1/bot", {})),
        (f"{AS_RASA}, url: db, port: '2'", "", (f"{URL}db:2/bot", {})),
        (f"{AS_RASA}, url: db, login_db: x", "s", (f"{URL}db/bot", {})),
        (f"{AS_RASA}, url: db", "s", (f"{URL}db/bot", SCHEMA)),
        (f"{AS_RASA}, query: {{k: '${{PW}}'}}", "", (f"{URL}/bot?k=%24%7BPW%7D", {})),
        ("type: sql, url: postgresql+x://u:${PW}d/b", "s", ("postgresql+x://u:s3cret@d/b", SCHEMA)),
        ("type: sql, dialect: mysql, url: db", "s", ("mysql://db/rasa.db", {})),
        ("type: sql, dialect: postgresql+x, url: postgresql", "s", (f"{X}postgresql/rasa.db", {})),
        ("type: sql, dialect: postgresql, url: u:planted@db", "", ("postgresql://db/rasa.db", {})),
        ("type: redis", "tracker:a*", ("localhost", {"ssl": False})),
        ("type: redis, key_prefix: a-b", "tracker:a*", ("localhost", {"ssl": False})),
        ("type: redis, key_prefix: 5", "tracker:a*", ("localhost", {"ssl": False})),
        ("store_type: Redis, key_prefix: b1", "b1:tracker:a*", ("localhost", {"ssl": False})),
        (SECURED, "tracker:a*", ("r", IS_SECURED)),
    ],
)
def test_it_is_the_store_that_rasa_opens(
    isolated: pytest.MonkeyPatch, said: Said, store: str, schema: str, opened: object
) -> None:
    """Address, names, schema, gaps, prefix and certificates are read as by Rasa's own classes.

    Of Redis, the key stands in the place of PostgreSQL's schema.
    """
    times = [{"timestamp": at} for at in (2.5, 0.5)]
    kept = {schema: json.dumps({"events": times}).encode(), "other": b""}
    calls: list[object] = []

    def create_engine(url: Any, connect_args: object, **_: object) -> None:  # noqa: ANN401
        calls.append((url.render_as_string(hide_password=False), connect_args))

    def strict_redis(host: str, **options: object) -> SimpleNamespace:
        calls.append((host, options))
        return SimpleNamespace(get=kept.get, delete=kept.pop)

    isolated.setattr("sqlalchemy.create_engine", create_engine)
    isolated.setitem(sys.modules, "redis", SimpleNamespace(StrictRedis=strict_redis))
    isolated.setenv("POSTGRESQL_SCHEMA", schema)
    code, out, _ = said(store, "a*", "--yes", "--json")
    assert calls == [opened]
    if code == 0:
        where = "redis://r:1/2" if store == SECURED else "redis://localhost:6379/0"
        assert json.loads(out) == {"store": where, "events": 2, **TIMES, "left": 0}
    assert (code, [*kept]) == ((0, ["other"]) if "tracker" in schema else (1, [schema, "other"]))


@pytest.mark.parametrize(
    ("store", "line"),
    [
        ("[", "while parsing a flow node"),
        ("&a [*a]", "no YAML that can be read"),
        ("", "the tracker store is neither SQL nor redis, but in memory"),
        ("type: mongod", "the tracker store is neither SQL nor redis, but mongod"),
        ("type: sql, db: '${NO}.db'", "there is no ${NO}.db"),
        ("type: sql, password: ${NO:-planted}", "the environment has no NO;"),
        ("type: sql, db: empty.db", "no such table: events"),
        ("type: sql, port: x, password: pl@nted", "invalid literal for int()"),
        ("type: sql, url: '://u:pl@nted@h'", "Could not parse"),
        ("type: sql, url: postgresql://u:planted@127.0.0.1:1/b", "connection to server"),
        ("type: redis, port: 1, password: planted", "Error "),
        ("type: redis", "import of redis halted"),
        ("type: redis, url: x://u:pl@nted@h, password: a*nted", "refused: x://u:***@***@h ***, **"),
    ],
)
def test_a_store_that_cannot_be_used(
    isolated: pytest.MonkeyPatch, said: Said, store: str, line: str
) -> None:
    """One line that says why, without password and sender id, and where the command is to run."""
    Path("empty.db").touch()

    def refuse(url: str, password: str, **_: object) -> None:
        raise PermissionError(f"refused: {url} {password}, a*")

    if line.endswith("halted"):
        isolated.setitem(sys.modules, "redis", None)
    if line.startswith("refused"):
        isolated.setitem(sys.modules, "redis", SimpleNamespace(StrictRedis=refuse))
    code, out, err = said(store, "a*", "--yes")
    assert (code, out, err.count("\n"), "nted" in err) == (1, "", 1, False)
    assert err.startswith(f"endpoints.yml: {line}")
    assert err.endswith(NEEDS)
