"""`rasa-ps7 explain`: from a tracker to what the plugin did in it, turn by turn. Asks nobody."""

from .command import add_to

__all__ = ["add_to"]
