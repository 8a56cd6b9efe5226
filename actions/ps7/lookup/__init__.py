"""The PS7 side: knows HTTP, knows nothing of Rasa."""
