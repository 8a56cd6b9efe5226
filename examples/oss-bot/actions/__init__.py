"""What `python -m rasa_sdk --actions actions` loads: the bot's own actions, and the plugin's."""

import rasa_ps7  # noqa: F401 - its actions are there once it is imported
