"""What the bank knows of a conversation: a made-up profile in a database."""

import sqlite3
from contextlib import closing


def database():
    return closing(sqlite3.connect("profiles.db"))


def fill(sender):
    """Make a profile for a conversation, unless it has one."""
    with database() as profiles, profiles:
        profiles.execute("CREATE TABLE IF NOT EXISTS profiles (sender TEXT UNIQUE, balance REAL)")
        profiles.execute("INSERT OR IGNORE INTO profiles VALUES (?, ?)", (sender, 1234.5))


def balance(sender):
    with database() as profiles:
        rows = profiles.execute("SELECT balance FROM profiles WHERE sender = ?", (sender,))
        return rows.fetchone()[0]
