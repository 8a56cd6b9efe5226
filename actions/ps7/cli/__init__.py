"""The command `rasa-ps7`. Stands on top: nothing else of the package imports it."""
