"""A bot as its files describe it, read without running or believing anything of its folder."""
