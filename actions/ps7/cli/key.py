"""`rasa-ps7 key`: keys for `PS7_SEAL_KEYS` and `PS7_ARRIVAL_KEYS`, new or rotated.

And `rasa-ps7 sign`: an arrival token, as the bank's back-end makes one, to try a bot by hand.
"""

from __future__ import annotations

import argparse
import json
import secrets

from cryptography.fernet import Fernet

from ..conversation import arrival
from .arguments import OnStdin, add_command, add_json, context_id
from .output import CommandError, Output
from .variables import load

_ARRIVAL_BYTES = 32
_STEPS = (
    "Set {variable} to this everywhere, and restart the action servers one after the other",
    "Once all have it, set it to this everywhere, and restart them again",
)


def new_seal_key() -> str:
    """Make a key for `PS7_SEAL_KEYS`."""
    return Fernet.generate_key().decode()


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare both commands and their options."""
    add = add_command(commands, "key", _key).add_argument
    add("--arrival", action="store_true", help="for PS7_ARRIVAL_KEYS")
    add("--rotate", action="store_true", help="beside the keys that are set, in two steps")
    add_json(add)
    add = add_command(commands, "sign", _sign).add_argument
    add("context_id", metavar="CONTEXT_ID", type=OnStdin.or_given(context_id))
    sender = "the conversation's sender_id"
    add("--sender", type=OnStdin.or_given(), required=True, metavar="ID", help=sender)
    most = arrival.MAX_SECONDS
    until = f"seconds until it expires, 1 to {most} (default: %(default)s)"
    add("--seconds", type=_seconds, default=most, metavar="N", help=until)
    add("--encoded", type=int, choices=(0, 1), help="what PS7 is told beside it")


def _key(options: argparse.Namespace) -> int:
    field = "arrival_keys" if options.arrival else "seal_keys"
    variable = f"PS7_{field.upper()}"
    new = secrets.token_urlsafe(_ARRIVAL_BYTES) if options.arrival else new_seal_key()
    out = Output()
    if not options.rotate:
        if options.json:
            out.json({"variable": variable, "value": [new]})
        else:
            out.line(json.dumps([new]))
            out.hint(f"This is the value of {variable}: set it, and keep it secret.")
        return 0
    settings = load()
    if field not in settings.model_fields_set:
        raise CommandError(f"{variable} is not set: there is nothing to rotate")
    held = [key.get_secret_value() for key in getattr(settings, field)]
    steps = [[*held, new], [new, *held]]
    if options.json:
        out.json({"variable": variable, "steps": steps})
        return 0
    for number, (value, when) in enumerate(zip(steps, _STEPS, strict=True), 1):
        out.line(f"{number}. {when.format(variable=variable)}:")
        out.line(json.dumps(value))
    return 0


def _sign(options: argparse.Namespace) -> int:
    keys = load().arrival_keys
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
