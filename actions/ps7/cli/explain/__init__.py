"""`rasa-ps7 explain`: what the plugin did in a saved conversation, run by run. Asks nobody."""

from .command import add_to

__all__ = ["add_to"]
