"""`make demo`: what a bot knows about a handful of customers, turn by turn.

PS7's simulator, an agents' desk and a real action server, `python -m rasa_sdk` with the actions of
examples/oss-bot, run on free ports of this machine. The demo plays Rasa: it sends each turn to the
action server's webhook, and keeps the slots that come back.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
import time
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import aiohttp  # noqa: E402 - the plugin is beside this folder, not installed
from aiohttp import web  # noqa: E402
from cryptography.fernet import Fernet  # noqa: E402

from actions.ps7.testing import FAULTS, PERSONAS, Simulator  # noqa: E402
from examples.desk import Desk, Rasa  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CUSTOMERS = ("ana", "bruno", "carla", "diego", "gisele")
SLOTS = (
    *("ps7_status", "ps7_context", "cpf_masked", "agency", "account", "segment", "ivr_option"),
    *("identification", "security_device", "token_status", "ps7_expires_at"),
)
SHOWN = SLOTS[2:]
START_TIMEOUT = 60  # seconds
BOLD, GREEN, YELLOW, PLAIN = ("\033[1m", "\033[32m", "\033[33m", "\033[0m")
if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
    BOLD = GREEN = YELLOW = PLAIN = ""


@dataclass
class Customer:
    """One conversation with a bot whose domain declares `SLOTS`, as Rasa keeps it."""

    sender: str = field(default_factory=lambda: uuid4().hex)
    slots: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(SLOTS))
    events: list[dict[str, Any]] = field(default_factory=list)

    async def say(
        self, http: aiohttp.ClientSession, url: str, text: str, context_id: str | None = None
    ) -> int:
        """Send one turn through the action server at `url`; return how many slots it set."""
        metadata = {} if context_id is None else {"contextId": context_id}
        self.events.append({"event": "user", "text": text, "metadata": metadata})
        return await self.run(http, url, "action_ps7_context")

    async def run(self, http: aiohttp.ClientSession, url: str, action: str) -> int:
        """Let the action server run an action; return how many slots it set."""
        message = next(event for event in reversed(self.events) if event["event"] == "user")
        call = {
            "next_action": action,
            "sender_id": self.sender,
            "version": "3.6.21",
            "domain": {"slots": {name: {"type": "any"} for name in SLOTS}},
            "tracker": {
                "sender_id": self.sender,
                "slots": self.slots,
                "latest_message": message,
                "events": self.events,
            },
        }
        async with http.post(f"{url}/webhook", json=call) as answer:
            events = (await answer.json())["events"]
        changes = {each["name"]: each["value"] for each in events if each["event"] == "slot"}
        self.slots.update(changes)
        self.events.extend(events)
        return len(changes)


class Bot:
    """Lets a customer talk, and prints what the bot knows then."""

    def __init__(self, http: aiohttp.ClientSession, url: str, ps7: Simulator, sender: str) -> None:
        """Begin with empty slots."""
        self.http, self.url, self.ps7 = http, url, ps7
        self.customer = Customer(sender)
        self.slots = self.customer.slots

    async def hears(self, text: str, context_id: str | None = None) -> None:
        """Send one turn of the user through the action server, and print what changed."""
        asked, started = len(self.ps7.requests), time.perf_counter()
        changes = await self.customer.say(self.http, self.url, text, context_id)
        milliseconds = (time.perf_counter() - started) * 1000
        self._print(text, context_id, len(self.ps7.requests) - asked, changes, milliseconds)

    def _print(
        self, text: str, context_id: str | None, calls: int, changes: int, milliseconds: float
    ) -> None:
        status = self.slots["ps7_status"]
        colour = GREEN if status == "ok" else YELLOW
        brought = f"contextId {context_id}" if context_id else "no contextId"
        print(
            f'  "{text}", {brought}\n'
            f"    {colour}ps7_status {BOLD}{status}{PLAIN}"
            f"   requests at PS7: {calls}   slots set: {changes}   {milliseconds:.0f} ms"
        )
        known = [f"{name} {self.slots[name]}" for name in SHOWN if self.slots[name] is not None]
        if changes and known:
            for row in filter(None, (known[:4], known[4:8], known[8:])):
                print(f"    {'   '.join(row)}")


def heading(text: str) -> None:
    """Print what comes next."""
    print(f"\n{BOLD}{text}{PLAIN}")


async def play(http: aiohttp.ClientSession, url: str, ps7: Simulator, desk: Desk) -> None:
    """Let the customers come, and let a few things go wrong."""

    def bot(sender: str) -> Bot:
        return Bot(http, url, ps7, sender)

    for name in CUSTOMERS:
        persona = PERSONAS[name]
        heading(f"{name}: {persona.title}")
        talk = bot(name)
        await talk.hears("oi", persona.context_id)
        await talk.hears("qual meu saldo?")

    heading("Another customer in the same conversation: nothing of the first one stays")
    shared = bot("shared-phone")
    await shared.hears("oi", "ana")
    await shared.hears("oi", "carla")

    heading(f"A contextId that PS7 does not know: {FAULTS['not-found'].title}")
    await bot("unknown").hears("oi", "not-found")

    heading("PS7 is down, and up again on the next turn")
    patient = bot("patient")
    await ps7.stop()
    await patient.hears("oi", "bruno")
    await ps7.start()
    await patient.hears("e agora?")

    heading("Somebody writes the slots, and no answer of PS7 stands behind them")
    attacked = bot("attacked")
    attacked.slots |= {"ps7_status": "ok", "cpf_masked": "***.444.777-**", "segment": "Private"}
    await attacked.hears("qual meu saldo?")

    heading("Ana asks for a person: the desk gets what it may know, and the bot forgets her")
    leaving = bot("leaving")
    await leaving.hears("quero falar com uma pessoa", "ana")
    await leaving.customer.run(http, url, "action_hand_over")
    for ticket in desk.tickets.values():
        said = [f"{line['who']}: {line['text']}" for line in ticket.context["transcript"]]
        shown = {**ticket.context, "transcript": " / ".join(said)}
        known = [f"{name} {value}" for name, value in shown.items() if value]
        print(f"    {BOLD}the desk got{PLAIN} {'   '.join(known[3:])}")
    print(f"    the bot has ps7_status {leaving.slots['ps7_status']}")


@asynccontextmanager
async def agents_desk(desk: Desk) -> AsyncIterator[str]:
    """Open a desk; give the address for hand-overs."""
    runner = web.AppRunner(desk.application())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/handovers"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def action_server(settings: dict[str, str], folder: Path = ROOT) -> AsyncIterator[str]:
    """Run `python -m rasa_sdk --actions actions` there; give its address when it answers."""
    port = free_ports()
    url = f"http://127.0.0.1:{port}"
    settings = {"SANIC_HOST": "127.0.0.1", "OTEL_SERVICE_NAME": "bot-actions", **settings}
    command = (sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", str(port))
    async with server(f"{url}/health", *command, "--quiet", cwd=folder, settings=settings):
        yield url


@asynccontextmanager
async def server(
    url: str, *command: str, cwd: Path, settings: dict[str, str]
) -> AsyncIterator[None]:
    """Run a server until the block ends; it answers at this address when the block begins."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PS7_")}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**kept, **settings},
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _answering(url, process, " ".join(command))
        yield
    finally:
        # It keeps nothing, so it may go at once, with its workers: an action server that is told to
        # stop within two seconds of its start, of rasa-sdk 3.21, does not.
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _answering(url: str, process: asyncio.subprocess.Process, command: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    async with aiohttp.ClientSession() as http:
        while process.returncode is None and time.monotonic() < deadline:
            with suppress(aiohttp.ClientError):
                async with http.get(url) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)
    sys.exit(f"It does not start; try it yourself: {command}")


def free_ports(row: int = 1) -> int:
    """Return the first of so many ports in a row, which the system gives to nobody by itself."""
    while True:
        first = secrets.choice(range(20_000, 32_000))
        with ExitStack() as probes, suppress(OSError):
            for port in range(first, first + row):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first


async def main() -> None:
    """Start the servers, play, end them."""
    keys, token = f'["{Fernet.generate_key().decode()}"]', secrets.token_urlsafe()
    desk = Desk(token, Rasa("http://127.0.0.1:5005"), shown=False)
    async with Simulator() as ps7, agents_desk(desk) as handover_url:
        settings = {**ps7.environment, "PS7_SEAL_KEYS": keys}
        settings |= {"HANDOVER_URL": handover_url, "HANDOVER_TOKEN": token}
        bot = ROOT / "examples" / "oss-bot"
        async with action_server(settings, bot) as url, aiohttp.ClientSession() as http:
            print(f"PS7's simulator: {ps7.url}   action server: {url}")
            await play(http, url, ps7, desk)


if __name__ == "__main__":
    asyncio.run(main())
