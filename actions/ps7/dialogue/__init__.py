"""The Rasa side: knows trackers and slots, knows nothing of HTTP."""
