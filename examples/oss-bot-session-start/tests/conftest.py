"""The plugin's fixtures."""

pytest_plugins = ["rasa_ps7.testing.pytest_plugin"]
