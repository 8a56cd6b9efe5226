"""PostgreSQL and Redis of our own: empty, on free ports of 127.0.0.1, in a folder that goes away.

Nothing here knows Rasa, and no service that the system may run is touched.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.scale.crew import until_it_says

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.scale.authority import Certificate
    from benchmarks.scale.crew import Crew
    from benchmarks.scale.programs import Programs

_OWNER = "postgres"
"""Who runs PostgreSQL where root starts it, since it refuses root. Debian's package makes them."""
_TLS_ALONE = "hostssl all all 127.0.0.1/32 scram-sha-256\n"
"""Who may come in (`pg_hba.conf`): nobody without TLS, and nobody without a password."""
_READY = "ready to accept connections"


@dataclass(frozen=True)
class Engine:
    """A server that answers, and how to log in."""

    port: int
    password: str = field(repr=False)


async def postgres(
    programs: Programs, crew: Crew, database: str, shows: Certificate | None = None
) -> Engine:
    """Start PostgreSQL with one empty database and its owner, who has the same name.

    With a certificate to show it speaks TLS alone.
    """
    port, password = crew.port(), secrets.token_hex(24)
    home = crew.folder / "postgres"
    home.mkdir()
    secret = home / "password"
    secret.write_text(password)
    as_owner: list[str | Path] = []
    owned, options = [home, secret], ["listen_addresses=127.0.0.1", "unix_socket_directories="]
    if shows is not None:
        owned += [home / "key", home / "hba"]
        shutil.copy(shows.key, home / "key")
        (home / "hba").write_text(_TLS_ALONE)
        shown = shutil.copy(shows.certificate, home)
        options += ["ssl=on", f"ssl_cert_file={shown}", f"ssl_key_file={home / 'key'}"]
        options += [f"hba_file={home / 'hba'}"]
    if os.geteuid() == 0:
        crew.folder.chmod(0o711)  # the owner has to get through to their own folder
        as_owner = ["setpriv", f"--reuid={_OWNER}", f"--regid={_OWNER}", "--init-groups", "--"]
        for path in owned:
            shutil.chown(path, _OWNER, _OWNER)
    data = home / "data"
    await crew.run(
        "initdb",
        *(*as_owner, programs.postgres / "initdb", "--pgdata", data, "--no-sync"),
        *("--username", database, "--pwfile", secret, "--auth", "scram-sha-256"),
        *("--encoding", "UTF8", "--locale", "C"),
        cwd=home,
    )
    process = await crew.start(
        "postgres",
        *(*as_owner, programs.postgres / "postgres", "-D", data, "-p", str(port)),
        *(part for option in options for part in ("-c", option)),
        cwd=home,
        stop=signal.SIGINT,  # at SIGTERM it would wait for its clients
    )
    await until_it_says(process, _READY)
    login = ("--host", "127.0.0.1", "--port", str(port), "--username", database)
    await crew.run(
        "createdb",
        *(programs.postgres / "createdb", *login, "--maintenance-db", "postgres", database),
        variables={"PGPASSWORD": password},
    )
    return Engine(port, password)


async def redis(programs: Programs, crew: Crew, shows: Certificate) -> Engine:
    """Start Redis, which keeps nothing on disk and speaks TLS alone."""
    port, password = crew.port(), secrets.token_hex(24)
    settings = {
        "bind": "127.0.0.1",
        "port": 0,
        "tls-port": port,
        "tls-cert-file": shows.certificate,
        "tls-key-file": shows.key,
        "tls-auth-clients": "no",
        "requirepass": password,
        "save": '""',
        "appendonly": "no",
    }
    file = crew.folder / "redis.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    process = await crew.start("redis", programs.redis, file)
    await until_it_says(process, _READY.capitalize())
    return Engine(port, password)
