"""What all actions of one process share: settings, the seal, digests, and one client.

An action instance carries only its settings, since the SDK pickles it into each worker; whatever
has a socket or a loop is made here, when it is first needed.
"""

from __future__ import annotations

import atexit
import logging
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from ..digest import KeyedDigest
from ..lookup.client import PS7Client
from ..settings import PS7Settings
from ..slots import NEEDED, SlotNames, filled_otherwise
from . import near_miss
from .arrival import ArrivalVerifier
from .seal import Sealer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.trace import Tracer
    from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister

logger = logging.getLogger(__name__)

_MOST_NOTED = 64
"""Sets of metadata keys that are named in the log: a client may make up any number of them."""


class Runtime:
    """The parts that one set of settings leads to."""

    def __init__(self, settings: PS7Settings) -> None:
        self.settings = settings
        self.names = SlotNames(settings.slot_names)
        self.sealer = Sealer([key.get_secret_value() for key in settings.seal_keys])
        keys = [key.get_secret_value() for key in settings.arrival_keys or ()]
        self.verifier = ArrivalVerifier(keys, settings.encoded)
        self.paths = [path.split(".") for path in settings.metadata_keys]
        self.correlation = KeyedDigest(settings.newest_key, "correlation id")
        self.client = PS7Client(settings, tracer=host_tracer)
        self._warned_of: set[str] = set()
        self._metadata_noted: set[str | None] = set()
        self._among = lru_cache(maxsize=16)(self._pick)  # the slots of a bot hardly ever change

    def ours_among(self, slots: Iterable[str], domain: object) -> dict[str, str]:
        """Return our slots among those declared: the bot's name of each to its default name.

        One that must be declared and is not is named in a WARNING, once; so is one that the domain
        fills by itself: that one is the bot's own.
        """
        ours = self._among(tuple(slots))
        own = filled_otherwise(domain, ours)
        if not own:
            return ours
        for name, mapping in own.items():
            self._warn_once(
                f"The bot's domain fills the slot {name} by {mapping}, so it is the bot's own and "
                f"left alone; PS7_SLOT_NAMES can name another slot for {ours[name]}",
                ours[name],
            )
        return {name: ours[name] for name in ours if name not in own}

    def _pick(self, slots: tuple[str, ...]) -> dict[str, str]:
        for needed in NEEDED:
            name = self.names.of(needed)
            if name not in slots:
                text = f"The bot's domain does not declare the slot {name}"
                self._warn_once(text, needed)
        return self.names.among(slots)

    def note_metadata(self, metadata: object) -> bool:
        """Whether a message brought metadata; names its keys, without a contextId, in a WARNING.

        Each set of keys once. What Rasa itself adds is ignored.
        """
        keys = near_miss.describe(metadata, self.paths)
        if keys not in (None, *self._metadata_noted) and len(self._metadata_noted) < _MOST_NOTED:
            self._metadata_noted.add(keys)
            logger.warning("A message brought metadata without a contextId; %s", keys)
        return keys is not None

    def _warn_once(self, text: str, default: str = "") -> None:
        if text not in self._warned_of:
            self._warned_of.add(text)
            without_it = f": {NEEDED[default]}" if default in NEEDED else ""
            logger.warning("%s%s", text, without_it)


def host_tracer() -> Tracer | None:
    """Return the SDK's tracer as it is now: it is configured after the actions are registered."""
    register = _tracer_register()
    return None if register is None else register.get_tracer()


@cache
def _tracer_register() -> ActionExecutorTracerRegister | None:
    try:
        from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister  # noqa: PLC0415
    except ImportError:
        return None  # the oldest SDKs have no tracing
    return ActionExecutorTracerRegister()


@cache
def _warn_of_open_arrival() -> None:
    logger.warning(
        "PS7_ARRIVAL_KEYS is not set: whoever can post to a channel of this bot can send any "
        "contextId. Let a back-end of yours sign them, or be the only one that reaches the channel."
    )


# Kept over a reload of this module: seals and connections of the running process must survive it.
_runtimes: list[Runtime] = globals().get("_runtimes", [])


def get_or_create(settings: PS7Settings) -> Runtime:
    """Return the runtime of these settings, the one that exists if they are the same."""
    if _runtimes and _runtimes[-1].settings is settings:
        return _runtimes[-1]
    values = settings.model_dump()
    for runtime in _runtimes:
        if runtime.settings.model_dump() == values:
            _runtimes.remove(runtime)
            break
    else:
        runtime = Runtime(settings)
        if settings.arrival_keys is None:
            _warn_of_open_arrival()
    _runtimes.append(runtime)
    return runtime


def current() -> Runtime:
    """Return the runtime that was used last in this process, or that of its settings."""
    return _runtimes[-1] if _runtimes else get_or_create(PS7Settings.load())


@atexit.register
def close_all() -> None:
    """Forget every runtime, and close its connections of event loops that no longer run."""
    while _runtimes:
        _runtimes.pop().client.close_all()


def refuse_second_copy(ours: type, *, among: Iterable[type]) -> None:
    """Raise SystemExit if a folder and the wheel are loaded, or one of them under two names.

    They would take the same names of actions from each other. If each made its own seal key,
    neither could open what the other one sealed. A module that was reloaded is not a copy.
    """
    package = ours.__module__.partition(".dialogue.")[0]
    ending = ours.__module__.removeprefix(package)
    packages = {
        each.__module__.removesuffix(ending)
        for each in among
        if each.__name__ == ours.__name__ and each.__module__.endswith(ending)
    }
    if len(packages) > 1:
        raise SystemExit(
            f"rasa-ps7 is loaded twice, as {' and as '.join(sorted(packages))}: keep one of them. "
            "Delete the folder that was copied, or uninstall the package; and import it by one "
            "name everywhere."
        )
