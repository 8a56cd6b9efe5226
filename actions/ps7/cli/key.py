"""`rasa-ps7 key`: keys for `PS7_SEAL_KEYS` and `PS7_ARRIVAL_KEYS`, new or rotated.

And `rasa-ps7 sign`: an arrival token, as the bank's back-end makes one, to try a bot by hand.
"""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Annotated

from cryptography.fernet import Fernet
from pydantic import Field
from pydantic_settings import NoDecode

from .. import settings as types
from ..conversation import arrival
from ..settings import ArrivalSettings
from .arguments import HelpText, OnStdin, add_command, add_json, context_id
from .output import CommandError, Output

_ARRIVAL_BYTES = 32

_KEY_HELP = HelpText(
    about="make a key for PS7_SEAL_KEYS or PS7_ARRIVAL_KEYS, or rotate it",
    details="""\
Print the value of PS7_SEAL_KEYS, which every action server of a bot must have, with one new key in
it. With --arrival, that of PS7_ARRIVAL_KEYS, which the back-end that opens the chat has as well.
Keep it where you keep passwords.

--rotate reads the present value as the action server does, from environment, .env or secret files,
puts a new key in front and keeps as many old ones as --keep says. Seals of the keys that are
dropped open no more: their customers are looked up again.
""",
    examples={
        "key": "one new key, to be set as PS7_SEAL_KEYS",
        "key --rotate": "a new key in front of the newest that is set, and no older ones",
        "key --arrival --rotate --keep 2": "the same for PS7_ARRIVAL_KEYS, keeping two old ones",
    },
)
_SIGN_HELP = HelpText(
    about="make an arrival token, to try a bot whose PS7_ARRIVAL_KEYS are set",
    details="""\
Print a token by which CONTEXT_ID may arrive in the conversation of one sender id. It goes into the
metadata under the key where the contextId would stand. It is signed with the newest of
PS7_ARRIVAL_KEYS, read as the action server reads it: environment, .env, secret files.

Each - is a line of the standard input: what stands on a command line, a list of processes shows.
""",
    examples={
        "sign ana --sender test-1": "ana may arrive in the conversation test-1",
        "sign - --sender - --seconds 30": "both from the standard input, for half a minute",
    },
)


class _Keys(ArrivalSettings):
    """The keys that are set, and nothing else of the settings."""

    seal_keys: Annotated[types.SealKeys | None, NoDecode, types.FromJson] = Field(
        default=None, description="a JSON list of Fernet keys, newest first"
    )


def new_seal_key() -> str:
    """Make a key for `PS7_SEAL_KEYS`."""
    return Fernet.generate_key().decode()


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both commands and their options."""
    add = add_command(commands, "key", _key, _KEY_HELP).add_argument
    add("--arrival", action="store_true", help="for PS7_ARRIVAL_KEYS")
    add("--rotate", action="store_true", help="put it in front of the keys that are set")
    add(
        "--keep",
        type=_count,
        default=1,
        metavar="N",
        help="with --rotate: how many old keys stay behind it (default: %(default)s)",
    )
    add_json(add)
    add = add_command(commands, "sign", _sign, _SIGN_HELP).add_argument
    add("context_id", metavar="CONTEXT_ID", type=OnStdin.or_given(context_id))
    sender = "the conversation's sender_id"
    add("--sender", type=OnStdin.or_given(), required=True, metavar="ID", help=sender)
    add(
        "--seconds",
        type=_seconds,
        default=arrival.MAX_SECONDS,
        metavar="N",
        help=f"seconds until it expires, 1 to {arrival.MAX_SECONDS} (default: %(default)s)",
    )
    add("--encoded", type=int, choices=(0, 1), help="what PS7 is told beside it")


def _key(options: argparse.Namespace) -> int:
    field = "arrival_keys" if options.arrival else "seal_keys"
    variable, kept = f"PS7_{field.upper()}", []
    if options.rotate:
        keys = getattr(_Keys.load(), field)
        if keys is None:
            raise CommandError(f"{variable} is not set: there is nothing to rotate")
        kept = [key.get_secret_value() for key in keys[: options.keep]]
    value = [secrets.token_urlsafe(_ARRIVAL_BYTES) if options.arrival else new_seal_key(), *kept]
    out = Output()
    if options.json:
        out.json({"variable": variable, "value": value})
    else:
        out.line(json.dumps(value))
        out.hint(f"This is the value of {variable}: set it, and keep it secret.")
    return 0


def _sign(options: argparse.Namespace) -> int:
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


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a whole number from 0 on")
    return int(text)


def _seconds(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= arrival.MAX_SECONDS):
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {arrival.MAX_SECONDS}")
    return int(text)
