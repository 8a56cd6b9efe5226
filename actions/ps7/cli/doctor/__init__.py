"""`rasa-ps7 doctor`: one module for each kind of check, and one that puts them in order.

Checks are functions from plain values to findings; `reach`, `handshake` and `probe` touch the
network, `bot_files` and `variables` the disk, and `report` says it all.
"""

from .command import add_to

__all__ = ["add_to"]
