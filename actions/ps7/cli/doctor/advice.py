"""The settings: those that cannot be used, and those that can and had better be others.

Pure: settings, or the error that they ended in, and plain values in; findings out. Nothing here
says a value that could be secret.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from .finding import Finding, caution, error, listed, ok, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...errors import SettingsError
    from ...settings import PS7Settings

_MOST_KEYS = 3
"""More of them, and somebody has forgotten to drop the old ones."""
_FEWEST_BYTES = 16
"""Different bytes among the 32 of a key: one that was made by chance has about 30."""
_FEWEST_CHARACTERS = 10
"""Different characters in a secret; 32 bytes in hexadecimal digits have about 15."""

_PLACES = (
    "set it in the environment of the action server, in .env in the folder where that starts, or "
    "as a file of that name in the folder of PS7_SECRETS_DIR"
)
_FILE = "check that the file is there, that this user may read it, and that it is PEM"
_REPAIRS = {
    "PS7_BASE_URL": "write scheme, host and port alone, without a path, a user or a query",
    "PS7_SEAL_KEYS": "`rasa-ps7 key` makes what it expects",
    "PS7_CA_FILE": _FILE,
    "PS7_CLIENT_KEY": _FILE,
    "PS7_CLIENT_CERT": f"{_FILE}, belongs to the key, and has no password",
    "PS7_SECRETS_DIR": "name the folder where the secrets are mounted, or unset it",
    ".env": "check that this user may read it, and that it is UTF-8",
}


def faults(failure: SettingsError) -> list[Finding]:
    """Turn the one text of an error into a finding for each variable."""
    found = []
    for line in str(failure).splitlines()[1:]:
        text = line.strip()
        name = text.split()[0]
        if " is missing; " in text:
            found.append(error("settings-missing", text, _PLACES))
        else:
            found.append(error("settings-bad", text, _REPAIRS.get(name, "correct it")))
    return found


def check(settings: PS7Settings) -> list[Finding]:
    """Say where PS7 is, and what about usable settings had better be otherwise."""
    return [
        ok("settings", f"every setting is usable; PS7 is {shown(settings.base_url)}"),
        *_seal(settings),
        *_arrival(settings),
        *_pairs(settings),
        *_scheme(settings),
        *_time(settings),
    ]


def _seal(settings: PS7Settings) -> Iterator[Finding]:
    if "seal_keys" not in settings.model_fields_set:
        yield caution(
            "seal-keys-unset",
            "PS7_SEAL_KEYS is not set: each action server makes a key of its own at start",
            "make one with `rasa-ps7 key` and give all action servers the same: else customers are "
            "looked up again after a restart, and several servers cannot serve one conversation",
        )
        return
    keys = [key.get_secret_value() for key in settings.seal_keys]
    yield from _keys("PS7_SEAL_KEYS", "seal-keys", keys)
    if any(len(set(base64.urlsafe_b64decode(key))) < _FEWEST_BYTES for key in keys):
        yield _weak("PS7_SEAL_KEYS", "seal-keys", "`rasa-ps7 key` makes one")


def _arrival(settings: PS7Settings) -> Iterator[Finding]:
    if settings.arrival_keys is None:
        yield caution(
            "arrival-keys-unset",
            "PS7_ARRIVAL_KEYS is not set: whoever can post to the channel can send any contextId",
            "let the back-end that opens the chat sign it, unless the channel is closed to all "
            "others: docs/security.md",
        )
        return
    keys = [key.get_secret_value() for key in settings.arrival_keys]
    yield from _keys("PS7_ARRIVAL_KEYS", "arrival-keys", keys)
    if any(len(set(key)) < _FEWEST_CHARACTERS for key in keys):
        yield _weak("PS7_ARRIVAL_KEYS", "arrival-keys", "`rasa-ps7 key --arrival` makes one")
    if set(keys) & {key.get_secret_value() for key in settings.seal_keys}:
        yield caution(
            "keys-shared",
            "a key stands in PS7_SEAL_KEYS and in PS7_ARRIVAL_KEYS",
            "use different ones: whoever signs arrivals could make seals as well",
        )


def _keys(name: str, prefix: str, keys: Sequence[str]) -> Iterator[Finding]:
    if len(set(keys)) < len(keys):
        yield caution(
            f"{prefix}-twice",
            f"{name} holds a key twice",
            "put a new key in front, and drop the old one a day later",
        )
    elif len(keys) > _MOST_KEYS:
        yield caution(
            f"{prefix}-many",
            f"{name} holds {len(keys)} keys, and every one of them is accepted",
            "drop those that were replaced more than a day ago",
        )
    else:
        yield ok(prefix, f"{name} is set ({len(keys)} {'key' if len(keys) == 1 else 'keys'})")


def _weak(name: str, prefix: str, how: str) -> Finding:
    return caution(
        f"{prefix}-weak", f"{name} holds a key that was hardly made by chance", f"replace it: {how}"
    )


def _pairs(settings: PS7Settings) -> Iterator[Finding]:
    """Find settings that do nothing without another one."""
    if settings.app_secret is not None and settings.app_key is None:
        yield caution(
            "app-key-unset",
            "PS7_APP_SECRET is set and PS7_APP_KEY is not: no token is fetched",
            "set PS7_APP_KEY as well, or remove the secret",
        )
    if settings.client_key is not None and settings.client_cert is None:
        yield caution(
            "client-cert-unset",
            "PS7_CLIENT_KEY is set and PS7_CLIENT_CERT is not: no certificate is shown",
            "set PS7_CLIENT_CERT as well, or remove the key",
        )


def _scheme(settings: PS7Settings) -> Iterator[Finding]:
    if settings.base_url.startswith("http:"):
        yield caution(
            "http",
            "PS7_BASE_URL is http: credentials and customers' data are not encrypted",
            "right for a simulator or a side-car on this machine alone; PS7 itself is https",
        )


def _time(settings: PS7Settings) -> Iterator[Finding]:
    """Compare how long a PS7 that says nothing is waited for with the time that there is."""
    limit = settings.deadline
    too_long = [
        f"PS7_{name.upper()} ({getattr(settings, name):g} s)"
        for name in ("connect_timeout", "read_timeout")
        if getattr(settings, name) >= limit
    ]
    if too_long and settings.attempts > 1:
        yield caution(
            "time",
            f"{listed(too_long)} {'leave' if too_long[1:] else 'leaves'} no time within "
            f"PS7_DEADLINE ({limit:g} s): a PS7 that is silent is asked once, and never "
            f"PS7_ATTEMPTS ({settings.attempts}) times",
            "at most half of PS7_DEADLINE lets it be asked again",
        )
        return
    fit = min(settings.attempts, max(1, int(limit // settings.read_timeout)))
    yield ok(
        "time",
        f"a PS7 that is silent is asked {_times(fit)} within {limit:g} s "
        f"(PS7_ATTEMPTS {settings.attempts}, PS7_READ_TIMEOUT {settings.read_timeout:g} s)",
    )


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
