"""The tracer that rasa_sdk was configured with, where it has one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer
    from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister


def host_tracer() -> Tracer | None:
    """Give the SDK's tracer as it is now: it is configured after the actions are registered."""
    register = _register()
    return register.get_tracer() if register is not None else None


@cache
def _register() -> ActionExecutorTracerRegister | None:
    try:
        from rasa_sdk.tracing.tracer_register import ActionExecutorTracerRegister  # noqa: PLC0415
    except ImportError:
        return None  # the oldest SDKs have no tracing
    return ActionExecutorTracerRegister()
