"""`rasa-ps7 simulate` without the command: its options, its start-up text, and a clean end."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from ..faults import FAULTS
from ..personas import PERSONAS
from .server import CREDENTIALS, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ABOUT = """\
PS7 behind its gateway, for a demo, a terminal or tests: made-up customers and faults, each reached
by its contextId. GET / lists them, GET /requests shows what a bot sent, and DELETE /requests
forgets it.
"""
_CREDENTIALS = """\
Each defaults to the environment variable of its name (PS7_USERNAME, PS7_PASSWORD, PS7_API_KEY,
PS7_APP_KEY, PS7_APP_SECRET); - reads a line of the standard input. Where neither gives one, any
user name and password that are not empty are accepted, and no key is asked for. With an app secret,
lookups need a token of the gateway.
"""
_KEPT_REQUESTS = 1000
_HIGHEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the simulator as a command, by its arguments; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=ABOUT)
    add_options(parser)
    return run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """Run the simulator until SIGINT or SIGTERM; return the exit code: 1 if it cannot listen.

    It needs the main thread, for the signals.
    """
    asked = ((name, getattr(options, name)) for name in CREDENTIALS)
    given: dict[str, Any] = {
        name: (sys.stdin.readline().strip() if value == "-" else value) or None
        for name, value in asked
    }
    given["requests_per_second"] = options.requests_per_second
    simulator = Simulator(host=options.host, port=options.port, keep=_KEPT_REQUESTS, **given)
    try:
        asyncio.run(_serve(simulator))
    except OSError as error:
        sys.stderr.write(
            f"PS7 simulator: it cannot listen on {options.host}, port {options.port}: "
            f"{error.strerror} (--port 0 takes any free one)\n"
        )
        return 1
    return 0


async def _serve(simulator: Simulator) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    before = {
        # Not `loop.add_signal_handler`: Windows has none.
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        async with simulator:
            sys.stdout.write(startup_text(simulator))
            sys.stdout.flush()
            await ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def startup_text(simulator: Simulator) -> str:
    """Return where the simulator listens, how a bot finds it, and the customers and faults."""
    lines = [
        f"PS7 simulator: {simulator.url}",
        "",
        "For the action server:",
        *_settings(simulator),
        "",
        "Customers, by the contextId in the metadata of a message:",
        *_table((who.context_id, who.title) for who in PERSONAS.values()),
        "",
        "Faults, and the ps7_status they lead to; any other contextId is as not-found:",
        *_table((fault.context_id, fault.outcome, fault.title) for fault in FAULTS.values()),
        "",
        f"What came in: {simulator.url}/requests",
        "It ends with Ctrl+C.",
    ]
    return "\n".join(lines) + "\n"


def _settings(simulator: Simulator) -> Iterator[str]:
    """Yield the plugin's settings. What was given is not shown: it may be a real one."""
    given = {f"PS7_{name.upper()}" for name in CREDENTIALS if getattr(simulator, name)}
    for name, value in simulator.environment.items():
        yield f"  {name}={'<as given>' if name in given else value}"
    if not (simulator.username and simulator.password):
        yield "  (if none was given, any user name and password that are not empty will do)"


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare where it listens and what it asks for."""
    parser.add_argument(
        "--port", type=_port, default=0, help="where to listen; 0, the default, takes a free port"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="default 127.0.0.1; the plugin speaks http to a loopback host only",
    )
    parser.add_argument(
        "--requests-per-second",
        type=int,
        help="how many lookups it takes in a second, and refuses the others with 429; default all",
    )
    login = parser.add_argument_group("credentials that a bot must send", _CREDENTIALS)
    for name in CREDENTIALS:
        variable = os.environ.get(f"PS7_{name.upper()}")
        login.add_argument(f"--{name.replace('_', '-')}", default=variable)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {_HIGHEST_PORT}")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
