"""`rasa-ps7 key`: keys for `PS7_SEAL_KEYS` and `PS7_ARRIVAL_KEYS`, new or rotated."""

from __future__ import annotations

import argparse
import json
import secrets
from typing import Annotated

from cryptography.fernet import Fernet
from pydantic import Field
from pydantic_settings import NoDecode

from .. import setting_types as types
from ..settings import ArrivalSettings
from .arguments import HelpText, add_command, add_json
from .output import CommandError, Output

_ARRIVAL_BYTES = 32

_HELP = HelpText(
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


class _Keys(ArrivalSettings):
    """The keys that are set, and nothing else of the settings."""

    seal_keys: Annotated[types.SealKeys | None, NoDecode, types.FromJson] = Field(
        default=None, description="a JSON list of Fernet keys, newest first"
    )


def new_seal_key() -> str:
    """Make a key for `PS7_SEAL_KEYS`."""
    return Fernet.generate_key().decode()


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "key", run, _HELP).add_argument
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


def run(options: argparse.Namespace) -> int:
    """Print the value of the variable.

    Raises:
        CommandError: there is nothing to rotate.
        SettingsError: the keys that are set cannot be used.

    """
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


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError("a whole number from 0 on")
    return int(text)
