"""What all actions of one process share: settings, the seal, digests, and one client.

An action instance carries only its settings, since the SDK pickles it into each worker; whatever
holds a socket or a loop is made here, where it is first needed.
"""

from __future__ import annotations

import atexit
import logging
from functools import lru_cache
from typing import TYPE_CHECKING

from ..api.client import PS7Client
from ..digest import KeyedDigest
from ..settings import PS7Settings
from ..slot_names import SlotNames, filled_otherwise
from .arrival import ArrivalVerifier
from .cache import StateCache
from .sdk_tracing import host_tracer
from .seal import Sealer

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)


class Runtime:
    """The parts that one set of settings leads to."""

    def __init__(self, settings: PS7Settings) -> None:
        """Make the parts; nothing is opened yet."""
        self.settings = settings
        self.names = SlotNames(settings.slot_names)
        self.sealer = Sealer([key.get_secret_value() for key in settings.seal_keys])
        keys = [key.get_secret_value() for key in settings.arrival_keys or ()]
        self.verifier = ArrivalVerifier(keys, settings.encoded)
        self.paths = [path.split(".") for path in settings.metadata_keys]
        self.states = StateCache()
        self.correlation = KeyedDigest(settings.newest_key, "correlation id")
        self.client = PS7Client(settings, tracer=host_tracer)
        self._warned_of: set[str] = set()
        self._among = lru_cache(maxsize=16)(self._pick)  # the slots of a bot hardly ever change

    def ours_among(self, slots: Iterable[str], domain: object) -> dict[str, str]:
        """Pick our slots from those declared, and warn once of one that must be and is not.

        One that the domain fills by itself is the bot's own, and named once as well.
        """
        ours = self._among(tuple(slots))
        own = filled_otherwise(domain, ours)
        if not own:
            return ours
        for name, mapping in own.items():
            self._warn_of_own(name, mapping, ours[name])
        return {name: default for name, default in ours.items() if name not in own}

    def _warn_of_own(self, name: str, mapping: str, default: str) -> None:
        if name not in self._warned_of:
            self._warned_of.add(name)
            without_it = f": {_NEEDED[default]}" if default in _NEEDED else ""
            logger.warning(
                "The bot's domain fills the slot %s by %s, so it is the bot's own and left alone; "
                "PS7_SLOT_NAMES can name another slot for %s%s",
                name,
                mapping,
                default,
                without_it,
            )

    def _pick(self, slots: tuple[str, ...]) -> dict[str, str]:
        ours = self.names.among(slots)
        for needed, without_it in _NEEDED.items():
            name = self.names.of(needed)
            if name not in slots and name not in self._warned_of:
                self._warned_of.add(name)
                logger.warning(
                    "The bot's domain does not declare the slot %s: %s", name, without_it
                )
        return ours


_NEEDED = {
    "ps7_status": "its dialogue cannot tell how a lookup ended",
    "ps7_context": "nothing can be kept, and every run looks the customer up again",
}

# Kept over a reload of this module: seals and connections of the running process must survive it.
_runtimes: list[Runtime] = globals().get("_runtimes", [])


def share(settings: PS7Settings) -> Runtime:
    """Give the runtime of these settings, the one that exists if they are the same."""
    if _runtimes and _runtimes[-1].settings is settings:
        return _runtimes[-1]
    values = settings.model_dump()
    for runtime in _runtimes:
        if runtime.settings.model_dump() == values:
            _runtimes.remove(runtime)
            break
    else:
        runtime = Runtime(settings)
    _runtimes.append(runtime)
    return runtime


def current() -> Runtime:
    """Give the runtime that was used last in this process.

    Raises:
        SettingsError: there is none yet, and the settings are not usable.

    """
    return _runtimes[-1] if _runtimes else share(PS7Settings.load())


@atexit.register
def let_go() -> None:
    """Forget every runtime, and close its connections where no event loop runs any more."""
    while _runtimes:
        _runtimes.pop().client.abandon()
