"""How the plugin stands up to load, faults and outages: figures, each from one command."""
