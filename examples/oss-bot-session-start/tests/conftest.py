"""The plugin's fixtures."""

pytest_plugins = ["actions.ps7.testing.pytest_plugin"]
