"""`rasa-ps7 sign`: an arrival token, as the bank's back-end makes one, to try a bot by hand."""

from __future__ import annotations

import argparse

from ..dialogue import arrival
from ..settings import ArrivalSettings
from .arguments import HelpText, add_command, context_id
from .output import CommandError, Output

_HELP = HelpText(
    about="make an arrival token, to try a bot whose PS7_ARRIVAL_KEYS are set",
    details="""\
Print a token by which CONTEXT_ID may arrive in the conversation of one sender id. It goes into the
metadata under the key where the contextId would stand. It is signed with the newest of
PS7_ARRIVAL_KEYS, read as the action server reads it: environment, .env, secret files.
""",
    examples={
        "sign ana --sender test-1": "ana may arrive in the conversation test-1",
        "sign 123123213 --sender test-1 --seconds 30": "another contextId, for half a minute",
    },
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "sign", run, _HELP).add_argument
    add("context_id", metavar="CONTEXT_ID", type=context_id)
    add("--sender", required=True, metavar="ID", help="the conversation's sender_id")
    add(
        "--seconds",
        type=_seconds,
        default=arrival.MAX_SECONDS,
        metavar="N",
        help=f"seconds until it expires, 1 to {arrival.MAX_SECONDS} (default: %(default)s)",
    )
    add("--encoded", type=int, choices=(0, 1), help="what PS7 is told beside it")


def run(options: argparse.Namespace) -> int:
    """Print a token.

    Raises:
        CommandError: there is no key.
        SettingsError: there is one that cannot be used.

    """
    keys = ArrivalSettings.load().arrival_keys
    if keys is None:
        raise CommandError("PS7_ARRIVAL_KEYS is not set: there is no key to sign with")
    token = arrival.sign(
        keys[0].get_secret_value(),
        options.context_id,
        options.sender,
        seconds=options.seconds,
        encoded=options.encoded,
    )
    Output().line(token)
    return 0


def _seconds(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= arrival.MAX_SECONDS):
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {arrival.MAX_SECONDS}")
    return int(text)
