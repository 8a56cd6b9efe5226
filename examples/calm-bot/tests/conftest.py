"""The plugin's fixtures for pytest, for the Python of this bot.

Run the tests in the folder above: `python -m pytest`. They need pytest and pytest-asyncio, no Rasa
Pro, no language model and no PS7: a test says which action a flow would run.
"""

pytest_plugins = ["rasa_ps7.testing.pytest_plugin"]
