"""What `rasa run actions` loads: every action that a module below this package defines."""
