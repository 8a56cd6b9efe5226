"""The command `rasa-ps7`. Nothing else of the package imports it."""
