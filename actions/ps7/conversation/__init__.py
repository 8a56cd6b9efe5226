"""Decides what a run does: knows trackers and slots, knows nothing of HTTP, and reports nothing."""
