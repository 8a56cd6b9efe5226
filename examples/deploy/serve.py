"""The entry point of the action server's image: ends if the server no longer answers.

    python serve.py python -m rasa_sdk --actions actions

An action server whose worker has died runs on, and answers nobody. Once it was healthy, three
failed checks of HEALTH_URL in a row end it with exit code 1, and whoever started the container can
start it again. One that was told to end leaves exit code 0, and is ended after half a minute if it
goes on. `python serve.py` alone is one check, for the container's own health. HEALTH_CA names the
authority of a server with TLS.

The plugin does not start without PS7_ARRIVAL_KEYS, in the environment or as a file of
PS7_SECRETS_DIR: without them, a contextId that nobody signed is used. Who wants that starts the
command without this file.
"""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

URL = os.environ.get("HEALTH_URL", "http://127.0.0.1:5055/health")
SECONDS = float(os.environ.get("HEALTH_SECONDS", "1"))
"""Between two checks; before the server is healthy, at most one."""
ANSWERED = 2.0
"""Seconds that a check may take. Whoever calls a server that hangs waits until it is ended."""
PATIENCE = 3
"""Checks in a row that may fail."""
GRACE = 30.0
"""Seconds in which a server that was told to end answers the turns under way."""
ARRIVAL_KEYS = "PS7_ARRIVAL_KEYS"


def demand_arrival_keys() -> None:
    """Set the arrival keys to blank, which the plugin refuses, if they are not given."""
    folder = os.environ.get("PS7_SECRETS_DIR")
    if not (folder and Path(folder, ARRIVAL_KEYS).exists()):
        os.environ.setdefault(ARRIVAL_KEYS, "")


def is_healthy() -> bool:
    """Whether the server answers, asked through no proxy of the environment."""
    trusted = ssl.create_default_context(cafile=os.environ.get("HEALTH_CA"))
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusted))
    try:
        with opener.open(URL, timeout=ANSWERED):
            return True
    except (OSError, HTTPException):  # no answer, another status, or no HTTP
        return False


def serve(command: list[str]) -> int:
    """Run a server until it ends by itself, or no longer answers; return the exit code.

    That of a server that was told to end says nothing: Sanic's manager may outlive its workers, or
    fall over its own signal handler.
    """
    demand_arrival_keys()
    server: subprocess.Popen[bytes] | None = None
    told = False

    def pass_on(number: int, _frame: object) -> None:
        nonlocal told
        told = True
        if server:
            server.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    server = subprocess.Popen(command, start_new_session=True)
    if told:  # while it was started
        server.terminate()
    was_healthy, failed = False, 0
    while failed < (GRACE / SECONDS if told else PATIENCE):
        try:
            code = server.wait(SECONDS if was_healthy else min(1.0, SECONDS))
        except subprocess.TimeoutExpired:
            healthy = not told and is_healthy()
            was_healthy |= healthy
            failed = failed + 1 if (told or was_healthy) and not healthy else 0
        else:
            return 0 if told else abs(code)
    os.killpg(server.pid, signal.SIGKILL)
    if told:
        return 0
    sys.stderr.write(f"No answer from {URL}: the action server is ended\n")
    return 1


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(serve(arguments) if arguments else not is_healthy())
