"""`rasa-ps7 erase`: all that a bot's tracker store has of one sender id, deleted.

`_sql` and `_redis` take from endpoints.yml what the classes of Rasa 3.6 take. They return how to
count, how to delete, and where that is, without a secret.
"""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .arguments import HelpText, OnStdin, add_command, add_json
from .doctor.bot import parsed
from .output import CommandError, Output

if TYPE_CHECKING:
    import argparse

_HELP = HelpText(
    about="erase all that the tracker store holds of one sender id",
    details="""\
Delete the events of SENDER_ID from the tracker store of Rasa's endpoints.yml: SQL or Redis. Run it
where Rasa runs, with Rasa's packages, folder and variables, after the customer's channel is closed:
a turn that is under way makes Rasa write the session anew. Without --yes it only counts. Event
brokers, logs and backups are not touched.

The exit code says what the store holds in the end: 0 nothing, 10 something. 1: it cannot be told.
""",
    examples={
        "erase 'web 1'": "how many events there are, from when until when",
        "erase - --endpoints prod/endpoints.yml --yes": "erase them, in a script; the id comes "
        "from stdin",
    },
)
_OF_REDIS = {"port", "db", "username", "password", "ssl_keyfile", "ssl_certfile", "ssl_ca_certs"}
_LATEST = datetime.max.replace(tzinfo=timezone.utc, microsecond=0).timestamp()


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "erase", run, _HELP).add_argument
    who = "the conversation, as the channel names it; - reads stdin"
    add("sender_id", type=OnStdin.or_given(), metavar="SENDER_ID", help=who)
    add("--endpoints", default="endpoints.yml", help="Rasa's file (default: %(default)s)")
    add("--yes", action="store_true", help="erase, and do not only count")
    add_json(add)


def run(options: argparse.Namespace) -> int:
    """Erase, or count."""
    out, secrets = Output(), [options.sender_id]
    if not options.sender_id:
        raise CommandError("SENDER_ID is empty: is a variable of the script not set?")
    try:
        given, opened = _tracker_store(options.endpoints)
        secrets += re.findall("(?:://[^:]*:|@)([^@]*)(?=@)", str(given.get("url")))
        secrets += [str(given.get("password") or "")]
        held, erase, where = opened(given, options.sender_id)
        with out.progress("Asking the tracker store"):
            events, *times = held()
            if options.yes:
                erase()
            left = held()[0]
        utc = (at and datetime.fromtimestamp(min(at, _LATEST), timezone.utc) for at in times)
        first, last = (at and f"{at:%FT%TZ}" for at in utc)
    except Exception as error:  # noqa: BLE001 - every driver has errors of its own
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        longest_first = sorted(filter(None, secrets), key=len, reverse=True)
        said = re.sub("|".join(map(re.escape, longest_first)), "***", said)
        how = "the command needs what Rasa has: packages, folder, variables and network"
        raise CommandError(f"{options.endpoints}: {said}; {how}") from None
    found = {"store": where, "events": events, "first": first, "last": last, "left": left}
    if options.json:
        out.json(found)
    else:
        out.table((name, str(value)) for name, value in found.items() if value is not None)
        again = "Rasa wrote it anew" if options.yes else "Nothing is erased without --yes"
        gone = "The tracker store holds nothing of this sender id."
        out.line(f"{again}: first close the customer's channel." if left else gone)
    return 10 if left else 0


def _tracker_store(file: str) -> tuple[dict[str, Any], Any]:
    from ruamel.yaml import YAML  # an action server never needs it

    parser = YAML(pure=True)
    parser.preserve_quotes = True
    content = parser.load(text := Path(file).read_text(encoding="utf-8")) or {}
    parsed(text)  # refuses aliases for too many values
    given = _filled(content.get("tracker_store") or {})
    kind = given.get("store_type", given.get("type", "in memory"))
    opened = {"sql": _sql, "redis": _redis}.get(str(kind).lower())
    if opened is None:
        raise ValueError(f"the tracker store is neither SQL nor redis, but {kind}")
    return given, opened


def _filled(value: Any) -> Any:
    """Fill gaps from the environment; as for Rasa, there are none within quotes: no plain `str`."""
    if isinstance(value, dict):
        return {name: _filled(part) for name, part in value.items()}
    gaps = re.findall(r"\$\{(.*?)\}", value) if type(value) is str else ()
    if missing := [name.partition(":")[0] for name in gaps if name not in os.environ]:
        raise ValueError(f"the environment has no {', '.join(missing)}")
    return os.path.expandvars(value) if gaps else value


def _sql(given: dict[str, Any], sender: str) -> tuple[Any, Any, str]:
    import sqlalchemy as sa

    text = given.get("url") or ""
    if whole := "://" in text:
        url = sa.engine.make_url(text)
    else:  # Rasa takes no more of it than host and port
        at, port = urlsplit(f"scheme://{text}"), given.get("port")
        who = given.get("dialect", "sqlite"), given.get("username"), given.get("password")
        where = at.hostname, at.port or (port and int(port)), given.get("db", "rasa.db")
        url = sa.engine.URL.create(*who, *where, given.get("query"))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise ValueError(f"there is no {url.database}")  # SQLite would make one
    schema, connect = os.environ.get("POSTGRESQL_SCHEMA"), {}
    if schema and ("postgresql" in text if whole else url.drivername == "postgresql"):
        connect = {} if given.get("login_db") else {"options": f"-csearch_path={schema}"}
    engine = sa.create_engine(url, connect_args=connect, poolclass=sa.pool.NullPool)
    events = sa.table("events", sa.column("sender_id"), sa.column("timestamp"))
    of_sender, time = events.c.sender_id == sender, events.c.timestamp
    count = sa.select(sa.func.count(), sa.func.min(time), sa.func.max(time)).select_from(events)

    def do(statement: Any) -> Any:
        with engine.begin() as connection:
            done = connection.execute(statement.where(of_sender))
            return done.one() if done.returns_rows else None

    shown = sa.engine.URL.create(url.drivername, None, None, url.host, url.port, url.database)
    return lambda: do(count), lambda: do(sa.delete(events)), str(shown)


def _redis(given: dict[str, Any], sender: str) -> tuple[Any, Any, str]:
    import redis

    host, prefix = given.get("url") or "localhost", given.get("key_prefix")
    more = {name: given[name] for name in _OF_REDIS & given.keys()}
    client = redis.StrictRedis(host, ssl=given.get("use_ssl", False), **more)
    own = f"{prefix}:" if isinstance(prefix, str) and prefix.isalnum() else ""
    key = f"{own}tracker:{sender}"

    def held() -> tuple[Any, ...]:
        times = [e["timestamp"] for e in json.loads(client.get(key) or "{}").get("events", ())]
        return len(times), min(times, default=None), max(times, default=None)

    where = f"redis://{host}:{given.get('port', 6379)}/{given.get('db', 0)}"
    return held, lambda: client.delete(key), where
