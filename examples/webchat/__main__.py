"""The web chat with everything behind it: `make webchat`, or `python -m examples.webchat`.

Starts PS7's simulator, an agents' desk, the action server and Rasa, as `examples/oss-bot/chat.py`
does, and then the page's own server; ends all of it at Ctrl+C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from .server import HERE, Backstage, application, require_client

if TYPE_CHECKING:
    from collections.abc import Sequence

OSS_BOT = HERE.parent / "oss-bot"
sys.path.append(str(OSS_BOT))

from servers import BOT, running, trained  # noqa: E402 - the bot's folder is no package


def main(arguments: Sequence[str] | None = None) -> None:
    """Start everything, say where, and end everything.

    Raises:
        SystemExit: something is missing, or does not start; the text says what to do.

    """
    options = _parser().parse_args(arguments)
    require_client()
    # Leave by the same door at a SIGTERM, so that no process stays behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    token, webchat_key = secrets.token_urlsafe(), secrets.token_urlsafe(32)
    arrival_key = secrets.token_urlsafe(32) if options.signed else None
    settings = {"PS7_ARRIVAL_KEYS": json.dumps([arrival_key])} if arrival_key else {}
    rasa_options = ("--auth-token", token, "--credentials", str(HERE / "credentials.yml"))
    with suppress(KeyboardInterrupt):  # Ctrl+C while it starts
        model = trained(options.models)
        with running(model, *rasa_options, webchat_key=webchat_key, **settings) as servers:
            backstage = Backstage(
                servers.rasa,
                servers.ps7,
                servers.actions_log,
                servers.desk_log,
                webchat_key,
                token,
                arrival_key,
            )
            with suppress(KeyboardInterrupt):
                asyncio.run(_serve(backstage, options.port))


async def _serve(backstage: Backstage, port: int) -> None:
    runner = web.AppRunner(application(backstage), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        taken = runner.addresses[0][1]
        print(f"\nThe web chat: http://127.0.0.1:{taken}/\nCtrl+C ends it all.", flush=True)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m examples.webchat", description="The example bot in a browser."
    )
    parser.add_argument("--port", type=int, default=0, help="where the page is; 0: any free port")
    parser.add_argument(
        "--signed",
        action="store_true",
        help="let the page's server sign contextIds, as a bank's back-end does (PS7_ARRIVAL_KEYS)",
    )
    parser.add_argument("--models", type=Path, default=BOT / "models", help="where models are kept")
    return parser


if __name__ == "__main__":
    main()
