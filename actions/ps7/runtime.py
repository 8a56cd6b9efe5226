"""What all actions of one process share: settings, what they make of a bot, and one client.

An action instance carries only its settings, since the SDK pickles it into each worker; whatever
has a socket or a loop is made here, when it is first needed.
"""

from __future__ import annotations

import atexit
import sys
import warnings
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

from cryptography.x509 import load_pem_x509_certificates

from . import telemetry
from .conversation.state import Bot
from .lookup.client import PS7Client
from .settings import PS7Settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from opentelemetry.trace import Tracer
    from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister


class Runtime:
    """The parts that one set of settings leads to."""

    def __init__(self, settings: PS7Settings) -> None:
        self.settings = settings
        self.bot = Bot(settings)
        self.client = PS7Client(settings, tracer=host_tracer)
        self.noted: set[str] = set()
        """What was warned of: once is enough."""


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
        telemetry.seal_keys_loaded([key.get_secret_value() for key in settings.seal_keys])
        if settings.client_cert is not None:
            _note_end_of(settings.client_cert)
        if settings.arrival_keys is None:
            telemetry.warn_of_open_arrival()
    _runtimes.append(runtime)
    return runtime


def _note_end_of(file: Path) -> None:
    """Note until when the client's certificate is valid, the first one of its file."""
    # OpenSSL takes forms that `cryptography` refuses or warns of: the lookup goes on without.
    with suppress(ValueError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = load_pem_x509_certificates(file.read_bytes())[0]
        telemetry.client_certificate_read(first.not_valid_after_utc)


def current() -> Runtime:
    """Return the runtime that was used last in this process, or that of its settings."""
    return _runtimes[-1] if _runtimes else get_or_create(PS7Settings.load())


@atexit.register
def close_all() -> None:
    """Forget every runtime, and close its connections of event loops that no longer run."""
    while _runtimes:
        _runtimes.pop().client.close_all()


def importers() -> list[str]:
    """Return the modules that say `import rasa_ps7`, such as the bot's `actions/__init__.py`."""
    name = __name__.rpartition(".")[0]
    plugin, called = sys.modules[name], name.rpartition(".")[2]
    return sorted(
        name
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and vars(module).get(called) is plugin
    )


def refuse_second_copy(ours: type, *, among: Iterable[type]) -> None:
    """Raise SystemExit if a folder and the wheel are loaded, or one of them under two names.

    They would take the same names of actions from each other. If each made its own seal key,
    neither could open what the other one sealed. A module that was reloaded is not a copy.
    """
    package = ours.__module__.rpartition(".")[0]
    ending = ours.__module__.removeprefix(package)
    packages = {
        each.__module__.removesuffix(ending)
        for each in among
        if each.__name__ == ours.__name__
        and each.__module__.endswith(ending)
        and hasattr(each, "decide")  # a bot may have a class of that name
    }
    if len(packages) > 1:
        raise SystemExit(
            f"rasa-ps7 is loaded twice, as {' and as '.join(sorted(packages))}: keep one of them. "
            "Delete the folder that was copied, or uninstall the package; and import it by one "
            "name everywhere."
        )
