"""Where and when something was measured, and with which versions."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGES = (
    *("rasa-sdk", "sanic", "uvloop", "aiohttp", "httpx", "requests", "pydantic", "cryptography"),
    *("PyJWT", "opentelemetry-sdk", "psutil"),
)


def circumstances() -> dict[str, Any]:
    """Name the machine, the versions and the day."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("model name\t: ")[2]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": {
            "processor": cpu.partition("\n")[0],
            "cores": len(os.sched_getaffinity(0)),
            "memory (GiB)": round(memory / 2**30),
            "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        },
        "versions": {
            "Python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
    }


def in_words(known: Mapping[str, Any]) -> str:
    """Put circumstances into one sentence."""
    machine = known["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in known["versions"].items())
    return (
        f"Measured on {known['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory (GiB)']} GiB, {machine['system']}; {versions}."
    )
