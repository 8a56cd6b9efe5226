"""What stands in for the images that compose.yaml pulls, of Debian's packages, and Rasa's image."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.container.engine import Engine

STORES = ("postgres:17", "redis:8", "prom/prometheus:v3.5.0")
IMAGES = {
    **{name: name for name in ("ps7-actions:0.1.0", "ps7-doctor:0.1.0", "ps7-rasa:0.1.0")},
    **dict.fromkeys(STORES, "python:3.10-slim"),
    "nginxinc/nginx-unprivileged:1.30": "nginx:1",
}
"""What compose.yaml names, and what is built for it."""
PACKAGES = (
    "ca-certificates,postgresql,redis-server,prometheus,libsqlite3-0,libreadline8t64,"
    "libffi8,libbz2-1.0,liblzma5,libncursesw6,libgomp1"
)
SERVERS, PYTHON310, DEBIANS_NGINX, NGINX = (
    f"localhost/{name}" for name in ("servers:1", "python:3.10-slim", "nginx:0", "nginx:1")
)
NGINX_FILE = f'FROM {DEBIANS_NGINX}\nCMD ["nginx", "-g", "daemon off;"]\n'
SERVERS_FILE = f"""
FROM {SERVERS}
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/
RUN ldconfig && mkdir -p -m 700 /var/lib/postgresql/data /prometheus \\
    && chown 999:999 /var/lib/postgresql/data && chown 65534:65534 /prometheus \\
    && mkdir -p /run/postgresql && chmod 3777 /run/postgresql \\
    && echo stores:x:999:999::/:/bin/sh >>/etc/passwd
ENV PATH=/usr/local/bin:/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin
"""
ENTRYPOINT = """#!/bin/sh
# What PostgreSQL's own image does with an empty volume, in short.
set -e
export PGDATA=/var/lib/postgresql/data POSTGRES_USER=postgres
if [ ! -e $PGDATA/PG_VERSION ]; then
    export PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"
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


def build(engine: Engine) -> None:
    """Build all of them. Rasa's Python is this machine's 3.10: Debian has none.

    nginx is of Debian's next version: today's does not know `resolve` in an upstream.
    """
    python = engine.run("scripts/find-python", "3.10", "3.10").stdout.strip()
    prefix = engine.run(python, "-c", "import sys; print(sys.base_prefix)").stdout.strip()
    engine.debian(DEBIANS_NGINX, "nginx-light,openssl", suite="forky")
    engine.debian(SERVERS, PACKAGES, (prefix, "/usr/local"))
    for image, text in ((NGINX, NGINX_FILE), (PYTHON310, SERVERS_FILE)):
        folder = engine.folder / "context"
        folder.mkdir(exist_ok=True)
        (folder / "Dockerfile").write_text(text)
        (folder / "docker-entrypoint.sh").write_text(ENTRYPOINT)
        engine.run("buildah", "build", "--network=host", "--format=docker", "-t", image, folder)
    engine.build("ps7-rasa:0.1.0", "--file=examples/deploy/rasa.Dockerfile")
