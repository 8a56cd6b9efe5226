"""PS7 and its gateway as a server on this machine, instead of the bank's.

It knows the interface and nothing of the plugin, which is what it tests.
"""

from __future__ import annotations

from .gateway import RecordedRequest
from .server import BackgroundSimulator, Simulator

__all__ = ["BackgroundSimulator", "RecordedRequest", "Simulator"]
