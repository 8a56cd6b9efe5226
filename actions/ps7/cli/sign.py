"""`rasa-ps7 sign`: an arrival token, as the bank's back-end makes one, to try a bot by hand."""

from __future__ import annotations

import argparse
import sys

from ..dialogue import arrival
from ..dialogue.context_id import usable
from ..errors import SettingsError
from ..settings import ArrivalSettings

ABOUT = "make an arrival token, to try a bot whose PS7_ARRIVAL_KEYS are set"
_DETAILS = """\
Prints a token that lets CONTEXT_ID into the conversation of one sender id. It goes into the
metadata under the key where the contextId would stand. It is signed with the newest of
PS7_ARRIVAL_KEYS, read as the action server reads it: environment, .env, secret files.
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Name this command and its options."""
    parser = commands.add_parser("sign", help=ABOUT, description=_DETAILS)
    parser.add_argument("context_id", metavar="CONTEXT_ID", type=_context_id)
    parser.add_argument(
        "--sender", required=True, metavar="ID", help="the conversation's sender_id"
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=arrival.MAX_SECONDS,
        metavar="N",
        help=f"how long it opens the door, 1 to {arrival.MAX_SECONDS} (default: %(default)s)",
    )
    parser.add_argument("--encoded", type=int, choices=(0, 1), help="what PS7 is told beside it")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a token; give 0, or 1 where there is no key."""
    try:
        keys = ArrivalSettings.load().arrival_keys
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if keys is None:
        sys.stderr.write("PS7_ARRIVAL_KEYS is not set: there is no key to sign with\n")
        return 1
    token = arrival.sign(
        keys[0].get_secret_value(),
        options.context_id,
        options.sender,
        seconds=options.seconds,
        encoded=options.encoded,
    )
    sys.stdout.write(f"{token}\n")
    return 0


def _context_id(text: str) -> str:
    if usable(text) is None:
        raise argparse.ArgumentTypeError("1 to 256 printable characters without white space")
    return text


def _seconds(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= arrival.MAX_SECONDS):
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {arrival.MAX_SECONDS}")
    return int(text)
