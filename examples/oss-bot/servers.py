"""Everything that stands behind the chat: a trained model and four servers, each a process.

They listen on free ports of 127.0.0.1, and end with the `with` block that started them.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BOT = Path(__file__).resolve().parent
RASA_PYTHON = os.environ.get("PS7_RASA_PYTHON") or str(
    BOT.parents[1] / ".venv-rasa" / "bin" / "python"
)
START_TIMEOUT = 120  # seconds
STOP_TIMEOUT = 10  # seconds
OF_THE_BOT = {"PS7_CLEAR_SLOTS": '["balance_offered"]'}
"""What the action server is told of this bot: an offer goes with the customer."""


def trained(models: Path) -> Path:
    """Return the bot's model, trained anew if a file of the bot is younger.

    Raises:
        SystemExit: there is no Rasa, or Rasa does not like the bot; the text says which.

    """
    if not Path(RASA_PYTHON).exists():
        sys.exit(f"Rasa is not installed: no {RASA_PYTHON}, and PS7_RASA_PYTHON names no other")
    model = models / "oss-bot.tar.gz"
    sources = [BOT / "config.yml", *BOT.glob("domain/**/*.yml"), *BOT.glob("data/*.yml")]
    if model.exists() and model.stat().st_mtime > max(file.stat().st_mtime for file in sources):
        return model
    print("Training the bot, about ten seconds …", flush=True)
    command = [RASA_PYTHON, "-m", "rasa", "train", "--domain", "domain", "--out", str(models)]
    result = subprocess.run(
        [*command, "--fixed-model-name", "oss-bot"],
        cwd=BOT,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if result.returncode:
        sys.exit(result.stdout.decode(errors="replace"))
    return model


@dataclass(frozen=True)
class Running:
    """Where the servers answer."""

    rasa: str
    ps7: str
    actions_log: Path
    """What the action server says: one line for each lookup."""
    desk_log: Path
    """What the agents' desk was handed over: one line for each conversation, as JSON."""


@contextmanager
def running(
    model: Path, *rasa_options: str, webchat_key: str = "", **more: str
) -> Iterator[Running]:
    """Run PS7's simulator, the agents' desk, the action server and Rasa; say when each answers.

    `rasa_options` go on Rasa's command line, `more` into the action server's environment, and
    `webchat_key` is for the web chat's channel.

    Raises:
        SystemExit: one of them does not start; the text is its log.

    """
    print("Starting PS7's simulator, a desk, the action server and Rasa …", flush=True)
    ps7, desk, actions, rasa = (_free_port() for _ in range(4))
    token = secrets.token_urlsafe()
    settings = {
        "PS7_BASE_URL": f"http://127.0.0.1:{ps7}",
        "PS7_USERNAME": "chat",
        "PS7_PASSWORD": "chat",
        **OF_THE_BOT,
        "HANDOVER_URL": f"http://127.0.0.1:{desk}/handovers",
        "HANDOVER_TOKEN": token,
        "SANIC_HOST": "127.0.0.1",
        "OTEL_SERVICE_NAME": "bot-actions",
        **more,
    }
    rasa_token = dict(pairwise(rasa_options)).get("--auth-token", "")
    with tempfile.TemporaryDirectory() as logs, ExitStack() as processes:

        def start(name: str, python: str, *arguments: str, **variables: str) -> Server:
            log = Path(logs, f"{name}.log")
            command = [python, "-m", *arguments]
            return Server(name, processes.enter_context(_process(command, variables, log)), log)

        simulator = start(
            *("PS7's simulator", sys.executable, "rasa_ps7", "simulate", "--port", str(ps7)),
        )
        agents_desk = start(
            *("The agents' desk", sys.executable, "examples.desk", "--port", str(desk)),
            PYTHONPATH=str(BOT.parents[1]),
            HANDOVER_TOKEN=token,
            RASA_URL=f"http://127.0.0.1:{rasa}",
            RASA_TOKEN=rasa_token,
        )
        action_server = start(
            *("The action server", sys.executable, "rasa_sdk"),
            *("--actions", "actions", "--port", str(actions)),
            **settings,
        )
        rasa_server = start(
            *("Rasa", RASA_PYTHON, "rasa"),
            *("run", "--enable-api", "-i", "127.0.0.1", "-p", str(rasa), "--model", str(model)),
            *rasa_options,
            ACTION_ENDPOINT_URL=f"http://127.0.0.1:{actions}/webhook",
            PYTHONPATH=str(BOT.parent),  # examples/, for its channels
            WEBCHAT_KEY=webchat_key,
        )
        simulator.wait_for(f"http://127.0.0.1:{ps7}/")
        agents_desk.wait_for(f"http://127.0.0.1:{desk}/")
        action_server.wait_for(f"http://127.0.0.1:{actions}/health")
        rasa_server.wait_for(f"http://127.0.0.1:{rasa}/")
        print(
            f"  An agent: curl -H 'Authorization: Bearer {token}' http://127.0.0.1:{desk}/handovers"
        )
        yield Running(
            f"http://127.0.0.1:{rasa}",
            f"http://127.0.0.1:{ps7}",
            action_server.log,
            agents_desk.log,
        )
        print("Ending …", flush=True)


@dataclass(frozen=True)
class Server:
    """A process that was started, and where it writes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, url: str) -> None:
        """Wait until it answers; show its log if it never does."""
        deadline = time.monotonic() + START_TIMEOUT
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                urllib.request.urlopen(url).close()  # noqa: S310 - our own server
            except OSError:
                time.sleep(0.1)
            else:
                print(f"  {self.name} answers", flush=True)
                return
        sys.exit(f"{self.name} does not start:\n{self.log.read_text(errors='replace')}")


@contextmanager
def _process(
    command: list[str], variables: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server; at the end it is asked to stop, and made to if it does not."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=BOT,
            env=_environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl+C is for the chat alone
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_TIMEOUT)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and the workers it may leave behind


def _environment(**variables: str) -> dict[str, str]:
    """Return a server the environment of this terminal, without settings meant for a real PS7."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PS7_")}
    return {**kept, "RASA_TELEMETRY_ENABLED": "false", **variables}


def _free_port() -> int:
    """Ask the system for a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
